//! `breaker(..)`.

#![allow(clippy::missing_panics_doc, reason = "said once, in the module above")]

use std::time::Duration;

use crate::Category;
use crate::settings::BreakerSettings;

/// What `breaker(..)` says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct BreakerOptions {
    /// This many failures in a row open it.
    pub failure_threshold: Option<u32>,
    /// The failures in a row that open it come from at least so many calls.
    pub distinct_calls: Option<u32>,
    /// This share of failures in the window opens it, instead of failures in a row.
    pub failure_rate_threshold: Option<f64>,
    /// An attempt that takes so long is slow, whether it succeeds or not.
    pub slow_call_duration: Option<Duration>,
    /// This share of slow attempts in the window opens it.
    pub slow_call_rate_threshold: Option<f64>,
    /// The outcomes that the shares are taken of.
    pub window: Option<Window>,
    /// With fewer outcomes in the window there is no share.
    pub minimum_calls: Option<u32>,
    /// This many successful probes close it.
    pub success_threshold: Option<u32>,
    /// How long it stays open before it lets a probe through.
    pub wait_duration: Option<Duration>,
    /// That time doubles up to this one, for as long as probes fail.
    pub wait_duration_max: Option<Duration>,
    /// Failures of these categories do not count, though others of their fault do.
    pub ignore: Option<&'static [Category]>,
    /// Failures of these categories count, though others of their fault do not.
    pub record: Option<&'static [Category]>,
}

/// The outcomes that a breaker's rates are taken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Window {
    /// The last so many.
    Count(u32),
    /// Those of the time just past. It slides in steps of a 32nd.
    Time(Duration),
}

impl BreakerOptions {
    /// Nothing said.
    pub const fn new() -> Self {
        Self {
            failure_threshold: None,
            distinct_calls: None,
            failure_rate_threshold: None,
            slow_call_duration: None,
            slow_call_rate_threshold: None,
            window: None,
            minimum_calls: None,
            success_threshold: None,
            wait_duration: None,
            wait_duration_max: None,
            ignore: None,
            record: None,
        }
    }

    /// This many failures in a row open it.
    #[must_use]
    pub const fn failure_threshold(mut self, failures: u32) -> Self {
        assert!(failures > 0, "`failure_threshold` must be at least 1");
        self.failure_threshold = Some(failures);
        self
    }

    /// The failures in a row that open it come from at least so many calls; 1 turns the rule off.
    #[must_use]
    pub const fn distinct_calls(mut self, calls: u32) -> Self {
        assert!(calls > 0, "`distinct_calls` must be at least 1");
        assert!(
            calls <= BreakerSettings::MAX_DISTINCT_CALLS,
            "`distinct_calls` must be at most 100"
        );
        self.distinct_calls = Some(calls);
        self
    }

    /// This share of failures in the window opens it, instead of failures in a row.
    #[must_use]
    pub const fn failure_rate_threshold(mut self, rate: f64) -> Self {
        assert!(
            rate > 0.0 && rate <= 1.0,
            "`failure_rate_threshold` is a share above 0 and at most 1: half of them is 0.5"
        );
        self.failure_rate_threshold = Some(rate);
        self
    }

    /// An attempt that takes so long is slow, whether it succeeds or not.
    #[must_use]
    pub const fn slow_call_duration(mut self, duration: Duration) -> Self {
        assert!(
            !duration.is_zero(),
            "`slow_call_duration` must not be zero: every attempt takes that long"
        );
        self.slow_call_duration = Some(duration);
        self
    }

    /// This share of slow attempts in the window opens it.
    #[must_use]
    pub const fn slow_call_rate_threshold(mut self, rate: f64) -> Self {
        assert!(
            rate > 0.0 && rate <= 1.0,
            "`slow_call_rate_threshold` is a share above 0 and at most 1: half of them is 0.5"
        );
        self.slow_call_rate_threshold = Some(rate);
        self
    }

    /// The outcomes that the shares are taken of.
    #[must_use]
    pub const fn window(mut self, window: Window) -> Self {
        match window {
            Window::Count(calls) => assert!(
                calls > 0 && calls <= BreakerSettings::MAX_WINDOW,
                "`window` must be at least 1 and at most 100000 outcomes"
            ),
            Window::Time(span) => assert!(
                span.as_nanos() >= BreakerSettings::MIN_SPAN.as_nanos(),
                "`window` must be at least 1 ms"
            ),
        }
        self.window = Some(window);
        self
    }

    /// With fewer outcomes in the window there is no share.
    #[must_use]
    pub const fn minimum_calls(mut self, calls: u32) -> Self {
        assert!(calls > 0, "`minimum_calls` must be at least 1");
        self.minimum_calls = Some(calls);
        self
    }

    /// This many successful probes close it.
    #[must_use]
    pub const fn success_threshold(mut self, successes: u32) -> Self {
        assert!(successes > 0, "`success_threshold` must be at least 1");
        self.success_threshold = Some(successes);
        self
    }

    /// How long it stays open before it lets a probe through.
    #[must_use]
    pub const fn wait_duration(mut self, wait: Duration) -> Self {
        assert!(!wait.is_zero(), "`wait_duration` must not be zero");
        self.wait_duration = Some(wait);
        self
    }

    /// That time doubles up to this one, for as long as probes fail.
    #[must_use]
    pub const fn wait_duration_max(mut self, wait: Duration) -> Self {
        assert!(!wait.is_zero(), "`wait_duration` must not be zero");
        self.wait_duration_max = Some(wait);
        self
    }

    /// Failures of these categories do not count for the breaker. Without this, all do whose fault
    /// is not the caller's.
    #[must_use]
    pub const fn ignore(mut self, categories: &'static [Category]) -> Self {
        self.ignore = Some(categories);
        self
    }

    /// Failures of these categories count for the breaker, also where their fault is the caller's.
    #[must_use]
    pub const fn record(mut self, categories: &'static [Category]) -> Self {
        self.record = Some(categories);
        self
    }

    /// What makes no sense together, in words.
    pub(crate) const fn contradiction(&self) -> Option<&'static str> {
        if self.slow_call_rate_threshold.is_some() && self.slow_call_duration.is_none() {
            return Some("`slow_call_rate_threshold` needs `slow_call_duration`: what is slow?");
        }
        let rates = self.failure_rate_threshold.is_some() || self.slow_call_duration.is_some();
        if !rates && self.window.is_some() {
            return Some("`window` needs `failure_rate_threshold` or `slow_call_duration`");
        }
        if !rates && self.minimum_calls.is_some() {
            return Some("`minimum_calls` needs `failure_rate_threshold` or `slow_call_duration`");
        }
        self.clash()
    }

    /// Two numbers that cannot hold together, whatever else is written elsewhere.
    pub(crate) const fn clash(&self) -> Option<&'static str> {
        if self.failure_rate_threshold.is_some() && self.failure_threshold.is_some() {
            return Some(
                "`failure_threshold` is about failures in a row, `failure_rate_threshold` about \
                 their share: write one of them",
            );
        }
        if self.failure_rate_threshold.is_some() && self.distinct_calls.is_some() {
            return Some(
                "`distinct_calls` is about failures in a row: beside `failure_rate_threshold` \
                 write `minimum_calls`",
            );
        }
        if let (Some(minimum), Some(Window::Count(size))) = (self.minimum_calls, self.window)
            && minimum > size
        {
            return Some("`minimum_calls` is above `window`, which never holds so many");
        }
        if let (Some(minimum), None) = (self.minimum_calls, self.window)
            && minimum > BreakerSettings::DEFAULT_WINDOW
        {
            return Some("`minimum_calls` is above 100, the default `window`: write a larger one");
        }
        if let (Some(wait), Some(max)) = (self.wait_duration, self.wait_duration_max)
            && wait.as_nanos() > max.as_nanos()
        {
            return Some("`wait_duration` begins above its end");
        }
        if let (Some(ignore), Some(record)) = (self.ignore, self.record)
            && share(ignore, record)
        {
            return Some("a category is in both `ignore` and `record`: write it in one of them");
        }
        None
    }
}

/// Whether some category is in both lists.
const fn share(some: &[Category], others: &[Category]) -> bool {
    let mut i = 0;
    while i < some.len() {
        let mut j = 0;
        while j < others.len() {
            if some[i].is(others[j]) {
                return true;
            }
            j += 1;
        }
        i += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const BILLING: Category = Category::custom("billing");

    #[test]
    fn contradictions_are_told() {
        let new = BreakerOptions::new;
        let second = Duration::from_secs(1);
        let rate = new().failure_rate_threshold(0.5);
        let contradictory = [
            (rate.failure_threshold(5), "write one of them"),
            (rate.distinct_calls(2), "write `minimum_calls`"),
            (
                rate.window(Window::Count(10)).minimum_calls(11),
                "never holds so many",
            ),
            (rate.minimum_calls(101), "write a larger one"),
            (
                new().slow_call_rate_threshold(0.5),
                "needs `slow_call_duration`",
            ),
            (new().window(Window::Count(10)), "`window` needs"),
            (new().minimum_calls(10), "`minimum_calls` needs"),
            (
                new().wait_duration(2 * second).wait_duration_max(second),
                "begins above its end",
            ),
            (
                new()
                    .ignore(&[Category::TIMEOUT, BILLING])
                    .record(&[Category::AUTH, BILLING]),
                "in both `ignore` and `record`",
            ),
        ];
        for (options, words) in contradictory {
            let told = options.contradiction().unwrap_or_default();
            assert!(told.contains(words), "{words}: {told}");
        }
        let consistent = [
            new(),
            rate.window(Window::Count(10)).minimum_calls(10),
            rate.window(Window::Time(second)).minimum_calls(1_000),
            new().failure_threshold(5).slow_call_duration(second),
            new().ignore(&[Category::TIMEOUT]).record(&[Category::AUTH]),
        ];
        for options in consistent {
            assert_eq!(options.contradiction(), None);
        }
    }

    #[test]
    #[should_panic(expected = "half of them is 0.5")]
    fn r3_a_rate_that_is_no_number_is_rejected() {
        let _ = BreakerOptions::new().failure_rate_threshold(f64::NAN);
    }
}
