//! The listener that counts.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::breaker::BreakerState;
use crate::event::{CallOutcome, Event};
use crate::shards::Shards;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, lock};
use crate::{Category, Classify, Severity};

/// What a runtime has counted since it began or was reset.
///
/// `calls` is the sum of `succeeded`, `failed`, `rejected`, `cancelled` and `panicked`.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// Calls that ended.
    pub calls: u64,
    /// Calls that succeeded, at whichever attempt.
    pub succeeded: u64,
    /// Calls that succeeded after at least one failed attempt.
    pub recovered: u64,
    /// Calls that ended with an error of the body, or timed out.
    pub failed: u64,
    /// Calls that the runtime refused.
    pub rejected: u64,
    /// Calls whose future was dropped before it was ready.
    pub cancelled: u64,
    /// Calls whose body panicked.
    pub panicked: u64,
    /// Runs of bodies.
    pub attempts: u64,
    /// Attempts after the first of their call.
    pub retries: u64,
    /// Times that a breaker opened.
    pub breaker_opens: u64,
    /// Failed attempts and refusals by category and severity, most frequent first.
    pub errors: Vec<ErrorCount>,
    /// Every breaker, by name.
    pub breakers: Vec<BreakerSummary>,
}

/// How many errors there were of one category and severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorCount {
    /// The category.
    pub category: Category,
    /// The severity.
    pub severity: Severity,
    /// How many.
    pub count: u64,
}

/// Where a breaker is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerSummary {
    /// The service.
    pub service: String,
    /// The state.
    pub state: BreakerState,
    /// Failures in a row, or in the window; where it is open or half-open, the failures or slow
    /// calls that opened it.
    pub failures: u32,
    /// The time until a call may be let through as a probe, where it is open.
    pub retry_in: Option<Duration>,
}

impl Summary {
    /// All failed attempts and refusals.
    pub fn total_errors(&self) -> u64 {
        self.errors.iter().map(|error| error.count).sum()
    }

    /// Of the calls that failed at least once, the share that succeeded in the end, in percent;
    /// `None` where no call failed.
    #[expect(clippy::cast_precision_loss, reason = "a percentage of counts")]
    pub fn recovery_rate(&self) -> Option<f64> {
        let troubled = self.recovered + self.failed;
        (troubled > 0).then(|| self.recovered as f64 * 100.0 / troubled as f64)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "calls {} (succeeded {}, of these recovered {}; failed {}, rejected {}, cancelled {}, \
             panicked {})",
            self.calls,
            self.succeeded,
            self.recovered,
            self.failed,
            self.rejected,
            self.cancelled,
            self.panicked
        )?;
        writeln!(f, "attempts {} (retries {})", self.attempts, self.retries)?;
        write!(f, "breaker opens {}", self.breaker_opens)?;
        for ErrorCount {
            category,
            severity,
            count,
        } in &self.errors
        {
            write!(f, "\nerrors {category}:{severity} {count}")?;
        }
        for BreakerSummary {
            service,
            state,
            failures,
            ..
        } in &self.breakers
        {
            write!(f, "\nbreaker {service} {state} ({failures} failures)")?;
        }
        Ok(())
    }
}

/// The counts of a runtime. A successful call adds to one counter of its thread's shard.
#[derive(Debug)]
pub(crate) struct Stats {
    shards: Shards<Shard>,
    breaker_opens: AtomicU64,
    errors: Mutex<BTreeMap<(Category, Severity), u64>>,
}

/// One cache line of counters.
#[derive(Debug, Default)]
struct Shard {
    /// Succeeded at the first attempt: by far the most calls, counted with one addition.
    straight: AtomicU64,
    recovered: AtomicU64,
    failed: AtomicU64,
    rejected: AtomicU64,
    cancelled: AtomicU64,
    panicked: AtomicU64,
    /// Attempts of all calls but the straight ones.
    attempts: AtomicU64,
    retries: AtomicU64,
}

impl Stats {
    pub(crate) fn new() -> Self {
        Self {
            shards: Shards::default(),
            breaker_opens: AtomicU64::new(0),
            errors: Mutex::new(BTreeMap::new()),
        }
    }

    #[inline]
    pub(crate) fn record(&self, event: &Event<'_>) {
        match *event {
            Event::CallFinished {
                outcome: CallOutcome::Succeeded,
                attempts: 1,
                ..
            } => {
                add(&self.shards.mine().straight, 1);
            }
            Event::CallFinished {
                outcome, attempts, ..
            } => self.finished(outcome, attempts),
            Event::AttemptFailed(failure) => {
                self.error(failure.classification.category(), failure.severity);
            }
            Event::Rejected { error, .. } => {
                let classification = error.classify();
                self.error(classification.category(), classification.severity(1));
            }
            Event::BreakerMoved {
                to: BreakerState::Open,
                ..
            } => {
                add(&self.breaker_opens, 1);
            }
            Event::BreakerMoved { .. }
            | Event::RetryScheduled { .. }
            | Event::BudgetSpent { .. }
            | Event::FallbackUsed { .. }
            | Event::SettingsReloaded { .. } => {}
        }
    }

    /// Everything but the breakers.
    pub(crate) fn summary(&self) -> Summary {
        let sum = |counter: fn(&Shard) -> &AtomicU64| -> u64 {
            self.shards
                .iter()
                .map(|shard| counter(shard).load(Ordering::Relaxed))
                .sum()
        };
        let straight = sum(|shard| &shard.straight);
        let recovered = sum(|shard| &shard.recovered);
        let mut summary = Summary {
            succeeded: straight + recovered,
            recovered,
            failed: sum(|shard| &shard.failed),
            rejected: sum(|shard| &shard.rejected),
            cancelled: sum(|shard| &shard.cancelled),
            panicked: sum(|shard| &shard.panicked),
            attempts: straight + sum(|shard| &shard.attempts),
            retries: sum(|shard| &shard.retries),
            breaker_opens: self.breaker_opens.load(Ordering::Relaxed),
            errors: self.errors(),
            ..Summary::default()
        };
        summary.calls = summary.succeeded
            + summary.failed
            + summary.rejected
            + summary.cancelled
            + summary.panicked;
        summary
    }

    /// Sets every count to zero. What happens meanwhile counts before or after.
    pub(crate) fn reset(&self) {
        for shard in self.shards.iter() {
            for counter in shard.counters() {
                counter.store(0, Ordering::Relaxed);
            }
        }
        self.breaker_opens.store(0, Ordering::Relaxed);
        lock(&self.errors).clear();
    }

    #[cold]
    fn finished(&self, outcome: CallOutcome, attempts: u32) {
        let shard = self.shards.mine();
        let counter = match outcome {
            CallOutcome::Succeeded => &shard.recovered,
            CallOutcome::Failed => &shard.failed,
            CallOutcome::Rejected => &shard.rejected,
            CallOutcome::Cancelled => &shard.cancelled,
            CallOutcome::Panicked => &shard.panicked,
        };
        add(counter, 1);
        add(&shard.attempts, attempts.into());
        add(&shard.retries, attempts.saturating_sub(1).into());
    }

    #[cold]
    fn error(&self, category: Category, severity: Severity) {
        *lock(&self.errors).entry((category, severity)).or_default() += 1;
    }

    fn errors(&self) -> Vec<ErrorCount> {
        let mut errors: Vec<_> = lock(&self.errors)
            .iter()
            .map(|(&(category, severity), &count)| ErrorCount {
                category,
                severity,
                count,
            })
            .collect();
        errors.sort_by_key(|error| std::cmp::Reverse(error.count));
        errors
    }
}

impl Shard {
    fn counters(&self) -> [&AtomicU64; 8] {
        let Self {
            straight,
            recovered,
            failed,
            rejected,
            cancelled,
            panicked,
            attempts,
            retries,
        } = self;
        [
            straight, recovered, failed, rejected, cancelled, panicked, attempts, retries,
        ]
    }
}

#[inline]
fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
