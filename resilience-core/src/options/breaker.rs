//! `breaker(..)`.

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

    /// This many failures in a row open it; 5 unless said.
    #[must_use]
    pub const fn failure_threshold(mut self, failures: u32) -> Self {
        self.failure_threshold = Some(failures);
        self
    }

    /// The failures in a row that open it come from at least so many calls, 100 at most; 2 unless said.
    /// 1 turns the rule off.
    #[must_use]
    pub const fn distinct_calls(mut self, calls: u32) -> Self {
        self.distinct_calls = Some(calls);
        self
    }

    /// This share of failures in the window opens it, instead of failures in a row: above 0, at most 1.
    #[must_use]
    pub const fn failure_rate_threshold(mut self, rate: f64) -> Self {
        self.failure_rate_threshold = Some(rate);
        self
    }

    /// An attempt that takes so long is slow, whether it succeeds or not.
    #[must_use]
    pub const fn slow_call_duration(mut self, duration: Duration) -> Self {
        self.slow_call_duration = Some(duration);
        self
    }

    /// This share of slow attempts in the window opens it: above 0, at most 1, which it is unless said.
    #[must_use]
    pub const fn slow_call_rate_threshold(mut self, rate: f64) -> Self {
        self.slow_call_rate_threshold = Some(rate);
        self
    }

    /// The outcomes that the shares are taken of: the last 100 unless said.
    #[must_use]
    pub const fn window(mut self, window: Window) -> Self {
        self.window = Some(window);
        self
    }

    /// With fewer outcomes in the window there is no share; 20 unless said, or as many as the window holds
    /// where that is fewer.
    #[must_use]
    pub const fn minimum_calls(mut self, calls: u32) -> Self {
        self.minimum_calls = Some(calls);
        self
    }

    /// This many successful probes close it; 1 unless said.
    #[must_use]
    pub const fn success_threshold(mut self, successes: u32) -> Self {
        self.success_threshold = Some(successes);
        self
    }

    /// How long it stays open before it lets a probe through; 30 s unless said.
    #[must_use]
    pub const fn wait_duration(mut self, wait: Duration) -> Self {
        self.wait_duration = Some(wait);
        self
    }

    /// That time doubles up to this one, for as long as probes fail. Unless said, it stays the same.
    #[must_use]
    pub const fn wait_duration_max(mut self, wait: Duration) -> Self {
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

    /// The first rule that is broken, in words.
    pub(crate) const fn broken(&self) -> Option<&'static str> {
        if let Some(0) = self.failure_threshold {
            return Some("`failure_threshold` must be at least 1");
        }
        match self.distinct_calls {
            Some(0) => return Some("`distinct_calls` must be at least 1"),
            Some(calls) if calls > BreakerSettings::MAX_DISTINCT_CALLS => {
                return Some("`distinct_calls` must be at most 100");
            }
            _ => {}
        }
        if is_no_share(self.failure_rate_threshold) {
            return Some(
                "`failure_rate_threshold` is a share above 0 and at most 1: half of them is 0.5",
            );
        }
        if is_zero(self.slow_call_duration) {
            return Some("`slow_call_duration` must not be zero: every attempt takes that long");
        }
        if is_no_share(self.slow_call_rate_threshold) {
            return Some(
                "`slow_call_rate_threshold` is a share above 0 and at most 1: half of them is 0.5",
            );
        }
        match self.window {
            Some(Window::Count(calls)) if calls == 0 || calls > BreakerSettings::MAX_WINDOW => {
                return Some("`window` must be at least 1 and at most 100000 outcomes");
            }
            Some(Window::Time(span)) if span.as_nanos() < BreakerSettings::MIN_SPAN.as_nanos() => {
                return Some("`window` must be at least 1 ms");
            }
            _ => {}
        }
        if let Some(0) = self.minimum_calls {
            return Some("`minimum_calls` must be at least 1");
        }
        if let Some(0) = self.success_threshold {
            return Some("`success_threshold` must be at least 1");
        }
        if is_zero(self.wait_duration) || is_zero(self.wait_duration_max) {
            return Some("`wait_duration` must not be zero");
        }
        self.contradiction()
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
        if let (Some(failures), Some(calls)) = (self.failure_threshold, self.distinct_calls)
            && calls > failures
        {
            return Some(
                "`distinct_calls` is above `failure_threshold`: so few failures never come from so \
                 many calls",
            );
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

const fn is_zero(duration: Option<Duration>) -> bool {
    matches!(duration, Some(duration) if duration.is_zero())
}

const fn is_no_share(rate: Option<f64>) -> bool {
    matches!(rate, Some(rate) if !(rate > 0.0 && rate <= 1.0))
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
                new().failure_threshold(1).distinct_calls(2),
                "above `failure_threshold`",
            ),
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
    fn r3_each_number_has_its_rule() {
        let new = BreakerOptions::new;
        let zero = Duration::ZERO;
        let wrong = [
            (new().failure_threshold(0), "`failure_threshold` must"),
            (new().distinct_calls(0), "`distinct_calls` must"),
            (new().distinct_calls(101), "at most 100"),
            (
                new().failure_rate_threshold(f64::NAN),
                "half of them is 0.5",
            ),
            (new().failure_rate_threshold(0.0), "half of them is 0.5"),
            (new().slow_call_duration(zero), "every attempt"),
            (
                new().slow_call_rate_threshold(1.5),
                "`slow_call_rate_threshold` is",
            ),
            (new().window(Window::Count(0)), "at most 100000"),
            (new().window(Window::Count(100_001)), "at most 100000"),
            (new().window(Window::Time(zero)), "at least 1 ms"),
            (new().minimum_calls(0), "`minimum_calls` must"),
            (new().success_threshold(0), "`success_threshold` must"),
            (new().wait_duration(zero), "`wait_duration` must"),
            (new().wait_duration_max(zero), "`wait_duration` must"),
        ];
        for (options, words) in wrong {
            let told = options.broken().unwrap_or_default();
            assert!(told.contains(words), "{words}: {told}");
        }
        assert_eq!(
            new().failure_threshold(1).success_threshold(1).broken(),
            None
        );
    }
}
