//! The numbers of a breaker.

use std::time::Duration;

use crate::options::{BreakerOptions, Window};

/// The numbers of a breaker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct BreakerSettings {
    /// Without effect beside `failure_rate_threshold`.
    pub(crate) failure_threshold: u32,
    /// Without effect beside `failure_rate_threshold`.
    pub(crate) distinct_calls: u32,
    pub(crate) failure_rate_threshold: Option<f64>,
    pub(crate) slow_call_duration: Option<Duration>,
    /// Without effect unless `slow_call_duration` is set.
    pub(crate) slow_call_rate_threshold: f64,
    pub(crate) window: Window,
    pub(crate) minimum_calls: u32,
    pub(crate) success_threshold: u32,
    pub(crate) wait_duration: Duration,
    /// As `wait_duration` where it does not grow.
    pub(crate) wait_duration_max: Duration,
}

impl BreakerSettings {
    pub(crate) const MAX_DISTINCT_CALLS: u32 = 100;
    /// 25 kB.
    pub(crate) const MAX_WINDOW: u32 = 100_000;
    pub(crate) const MIN_SPAN: Duration = Duration::from_millis(1);
    pub(crate) const DEFAULT_WINDOW: u32 = 100;

    pub(crate) const DEFAULT: Self = DEFAULT_BREAKER;

    /// What is written, and `base` where nothing is.
    pub(crate) fn new(written: BreakerOptions, base: Self) -> Self {
        let wait_duration = written.wait_duration.unwrap_or(base.wait_duration);
        Self {
            failure_threshold: written.failure_threshold.unwrap_or(base.failure_threshold),
            distinct_calls: written.distinct_calls.unwrap_or(base.distinct_calls),
            failure_rate_threshold: written.failure_rate_threshold,
            slow_call_duration: written.slow_call_duration,
            slow_call_rate_threshold: written
                .slow_call_rate_threshold
                .unwrap_or(base.slow_call_rate_threshold),
            window: written.window.unwrap_or(base.window),
            minimum_calls: written.minimum_calls.unwrap_or(base.minimum_calls),
            success_threshold: written.success_threshold.unwrap_or(base.success_threshold),
            wait_duration,
            wait_duration_max: written.wait_duration_max.unwrap_or(wait_duration),
        }
        .sane()
    }

    /// The nearest numbers that a breaker can work with. Whoever writes others is told so where
    /// they are written; here nothing may panic, stand still or eat the memory.
    pub(crate) fn sane(self) -> Self {
        let window = match self.window {
            Window::Count(size) => Window::Count(size.clamp(1, Self::MAX_WINDOW)),
            Window::Time(span) => Window::Time(span.max(Self::MIN_SPAN)),
        };
        let wait_duration = self.wait_duration.max(MIN_WAIT);
        Self {
            failure_threshold: self.failure_threshold.max(1),
            distinct_calls: self.distinct_calls.clamp(1, Self::MAX_DISTINCT_CALLS),
            failure_rate_threshold: self.failure_rate_threshold.map(share),
            slow_call_duration: self.slow_call_duration,
            slow_call_rate_threshold: share(self.slow_call_rate_threshold),
            window,
            minimum_calls: match window {
                Window::Count(size) => self.minimum_calls.clamp(1, size),
                Window::Time(_) => self.minimum_calls.max(1),
            },
            success_threshold: self.success_threshold.max(1),
            wait_duration,
            wait_duration_max: self.wait_duration_max.max(wait_duration),
        }
    }

    /// Whether some rule asks for a rate.
    pub(crate) const fn has_window(&self) -> bool {
        self.failure_rate_threshold.is_some() || self.slow_call_duration.is_some()
    }

    /// How long it stays open when it has opened again so many times without closing.
    pub(crate) fn wait(&self, reopened: u32) -> Duration {
        let factor = 1_u32.checked_shl(reopened).unwrap_or(u32::MAX);
        self.wait_duration
            .saturating_mul(factor)
            .min(self.wait_duration_max)
    }
}

/// A share above 0 and at most 1. What is no number is all of them: that opens last.
fn share(rate: f64) -> f64 {
    if rate.is_nan() {
        return 1.0;
    }
    rate.clamp(f64::MIN_POSITIVE, 1.0)
}

impl Default for BreakerSettings {
    fn default() -> Self {
        DEFAULT_BREAKER
    }
}

const DEFAULT_BREAKER: BreakerSettings = BreakerSettings {
    failure_threshold: 5,
    distinct_calls: 2,
    failure_rate_threshold: None,
    slow_call_duration: None,
    slow_call_rate_threshold: 1.0,
    window: Window::Count(BreakerSettings::DEFAULT_WINDOW),
    minimum_calls: 20,
    success_threshold: 1,
    wait_duration: Duration::from_secs(30),
    wait_duration_max: Duration::from_secs(30),
};
/// So that half-open has time for a verdict.
const MIN_WAIT: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_numbers_become_the_nearest_that_work() {
        let hostile = BreakerSettings {
            failure_threshold: 0,
            distinct_calls: u32::MAX,
            failure_rate_threshold: Some(f64::NAN),
            slow_call_rate_threshold: -1.0,
            window: Window::Count(u32::MAX),
            minimum_calls: u32::MAX,
            success_threshold: 0,
            wait_duration: Duration::ZERO,
            wait_duration_max: Duration::ZERO,
            ..DEFAULT_BREAKER
        };
        let sane = hostile.sane();
        assert_eq!(sane.window, Window::Count(100_000));
        assert_eq!(sane.minimum_calls, 100_000);
        assert_eq!(sane.failure_rate_threshold, Some(1.0));
        assert!(sane.slow_call_rate_threshold > 0.0);
        assert!(sane.wait_duration > Duration::ZERO);
        assert_eq!(sane, sane.sane());
        let endless = BreakerSettings {
            wait_duration: Duration::MAX,
            ..sane
        };
        assert_eq!(endless.sane().wait(u32::MAX), Duration::MAX);
    }

    #[test]
    fn a_growing_wait_doubles_up_to_its_end() {
        let growing = BreakerOptions::new()
            .wait_duration(Duration::from_secs(30))
            .wait_duration_max(Duration::from_secs(300));
        let settings = BreakerSettings::new(growing, DEFAULT_BREAKER);
        let waits = [0, 1, 2, 3, 4, 5, 64, u32::MAX].map(|times| settings.wait(times).as_secs());
        assert_eq!(waits, [30, 60, 120, 240, 300, 300, 300, 300]);
        let constant = DEFAULT_BREAKER;
        assert_eq!(constant.wait(7), Duration::from_secs(30));
    }
}
