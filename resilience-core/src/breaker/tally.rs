//! What a closed breaker counts, and the rules by which it opens.
//!
//! There are two questions, and each opens it: do too many attempts fail (so many in a row, or a
//! share of those in the window), and are too many of them slow (a share of those in the window).

use std::time::Duration;

use super::state::{OpenedBy, Reason};
use super::window::{CountWindow, Counts, Outcome, TimeWindow};
use crate::clock::Moment;
use crate::options::Window;
use crate::settings::BreakerSettings;

/// The outcomes since the breaker closed, as far as its settings look at them.
#[derive(Debug)]
pub(super) struct Tally {
    streak: Streak,
    /// Where a rate is asked for.
    window: Option<Outcomes>,
}

/// The failures in a row, and the calls that they came from.
#[derive(Debug, Default)]
struct Streak {
    failures: u32,
    /// Each once, and no more than any settings could ask for.
    calls: Vec<CallId>,
}

#[derive(Debug)]
enum Outcomes {
    Count(CountWindow),
    Time(TimeWindow),
}

/// One call, to tell the attempts of one from those of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallId(pub(crate) u64);

/// How an attempt ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    /// The call, where it failed.
    pub(super) failed: Option<CallId>,
    /// How long it took, where that was measured.
    pub(super) elapsed: Option<Duration>,
}

impl Tally {
    pub(super) fn new(settings: &BreakerSettings) -> Self {
        Self {
            streak: Streak::default(),
            window: Outcomes::new(settings),
        }
    }

    /// Counts the end of an attempt, and says if that is a reason to open.
    pub(super) fn add(
        &mut self,
        sample: Sample,
        settings: &BreakerSettings,
        now: Moment,
    ) -> Option<Reason> {
        match sample.failed {
            Some(call) if settings.failure_rate_threshold.is_none() => self.streak.add(call),
            _ => self.streak = Streak::default(),
        }
        if let Some(window) = &mut self.window {
            let outcome = Outcome {
                failed: sample.failed.is_some(),
                slow: sample.is_slow(settings),
            };
            window.add(outcome, now);
        }
        self.verdict(settings, now)
    }

    /// The failures that speak against the service now.
    pub(super) fn failures(&self, settings: &BreakerSettings, now: Moment) -> u32 {
        match &self.window {
            Some(window) if settings.failure_rate_threshold.is_some() => {
                saturating(window.counts(now).failed)
            }
            _ => self.streak.failures,
        }
    }

    /// Whether a success that is not slow would change nothing that a decision depends on.
    pub(super) fn is_clean(&self) -> bool {
        self.streak.failures == 0
            && match &self.window {
                None => true,
                Some(Outcomes::Count(window)) => window.is_clean(),
                // It forgets with time, so that every success matters.
                Some(Outcomes::Time(_)) => false,
            }
    }

    /// Whether nothing is counted, as in a new one.
    pub(super) fn is_empty(&self, now: Moment) -> bool {
        self.streak.failures == 0
            && self
                .window
                .as_ref()
                .is_none_or(|window| window.counts(now).total == 0)
    }

    /// Takes new numbers: another size of window keeps the newest outcomes, another kind begins
    /// anew.
    pub(super) fn adapt(&mut self, settings: &BreakerSettings, now: Moment) {
        if settings.failure_rate_threshold.is_some() {
            self.streak = Streak::default();
        }
        match (&mut self.window, settings.window) {
            (Some(_), _) if !settings.has_window() => self.window = None,
            (Some(Outcomes::Count(window)), Window::Count(size)) => window.resize(size),
            (Some(Outcomes::Time(window)), Window::Time(span)) => window.resize(span, now),
            _ => self.window = Outcomes::new(settings),
        }
    }

    fn verdict(&self, settings: &BreakerSettings, now: Moment) -> Option<Reason> {
        let counts = self.window.as_ref().map(|window| window.counts(now));
        // Below the minimum there is no rate.
        let counts = counts.filter(|counts| counts.total >= settings.minimum_calls.into());
        let failures = match settings.failure_rate_threshold {
            Some(rate) => counts
                .filter(|counts| reaches(counts.failed, counts.total, rate))
                .map(|counts| saturating(counts.failed)),
            None => self
                .streak
                .is_over(settings)
                .then_some(self.streak.failures),
        };
        let slow = counts
            .filter(|_| settings.slow_call_duration.is_some())
            .filter(|counts| reaches(counts.slow, counts.total, settings.slow_call_rate_threshold))
            .map(|counts| saturating(counts.slow));
        let (by, count) = match (failures, slow) {
            (Some(failures), _) => (OpenedBy::Failures, failures),
            (None, Some(slow)) => (OpenedBy::SlowCalls, slow),
            (None, None) => return None,
        };
        Some(Reason { by, count })
    }
}

impl Sample {
    pub(super) fn is_slow(&self, settings: &BreakerSettings) -> bool {
        match (self.elapsed, settings.slow_call_duration) {
            (Some(elapsed), Some(limit)) => elapsed >= limit,
            _ => false,
        }
    }
}

impl Streak {
    fn add(&mut self, call: CallId) {
        self.failures = self.failures.saturating_add(1);
        if self.calls.len() < BreakerSettings::MAX_DISTINCT_CALLS as usize
            && !self.calls.contains(&call)
        {
            self.calls.push(call);
        }
    }

    fn is_over(&self, settings: &BreakerSettings) -> bool {
        self.failures >= settings.failure_threshold
            && self.calls.len() >= settings.distinct_calls as usize
    }
}

impl Outcomes {
    fn new(settings: &BreakerSettings) -> Option<Self> {
        settings.has_window().then(|| match settings.window {
            Window::Count(size) => Self::Count(CountWindow::new(size)),
            Window::Time(span) => Self::Time(TimeWindow::new(span)),
        })
    }

    fn add(&mut self, outcome: Outcome, now: Moment) {
        match self {
            Self::Count(window) => window.add(outcome),
            Self::Time(window) => window.add(outcome, now),
        }
    }

    fn counts(&self, now: Moment) -> Counts {
        match self {
            Self::Count(window) => window.counts(),
            Self::Time(window) => window.counts(now),
        }
    }
}

/// Whether `part` of `total` reaches the threshold. Dividing, and not multiplying: 55 of 100 is the
/// nearest number to 0.55, and so is what somebody who wrote `0.55` meant; 0.55 * 100 is above 55.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts stay far below 2^53, where it begins"
)]
pub(super) fn reaches(part: u64, total: u64, threshold: f64) -> bool {
    total > 0 && part as f64 / total as f64 >= threshold
}

fn saturating(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
