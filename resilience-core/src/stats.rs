//! The listener that counts.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::breaker::BreakerState;
use crate::event::{CallOutcome, Event};
use crate::latency::{Histogram, Latency};
use crate::shards::Shards;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, lock};
use crate::{Category, Severity};

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
    /// Calls that failed at least once and then succeeded, failed for good, or panicked.
    pub recovery_attempts: u64,
    /// Times that a breaker opened.
    pub breaker_opens: u64,
    /// Failed attempts and refusals by category and severity, most frequent first; a panic is one
    /// of high severity.
    pub errors: Vec<ErrorCount>,
    /// The same by service.
    pub errors_by_service: Vec<Count>,
    /// The same by the agent of the [`Context`](crate::Context), where one is set.
    pub errors_by_agent: Vec<Count>,
    /// The same by the kind of error.
    pub errors_by_type: Vec<Count>,
    /// Refusals by kind, such as `circuit_open`.
    pub rejections: Vec<Count>,
    /// How long calls took that succeeded or failed.
    pub latency: Latency,
    /// Every service that has been called, by name.
    pub services: Vec<ServiceSummary>,
    /// Every breaker, by name.
    pub breakers: Vec<BreakerSummary>,
}

/// What has been counted of the calls of one service. The fields are those of [`Summary`].
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ServiceSummary {
    /// The service.
    pub service: String,
    /// Calls that ended.
    pub calls: u64,
    /// Calls that succeeded.
    pub succeeded: u64,
    /// Calls that succeeded after at least one failed attempt.
    pub recovered: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Calls that the runtime refused.
    pub rejected: u64,
    /// Calls whose future was dropped.
    pub cancelled: u64,
    /// Calls whose body panicked.
    pub panicked: u64,
    /// Runs of bodies.
    pub attempts: u64,
    /// Attempts after the first of their call.
    pub retries: u64,
    /// Calls that failed at least once and then succeeded, failed for good, or panicked.
    pub recovery_attempts: u64,
    /// How long calls took that succeeded or failed.
    pub latency: Latency,
}

/// How many there were under one name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Count {
    /// The name; [`Count::OTHERS`] for all those that came after the first thousand names.
    pub name: String,
    /// How many.
    pub count: u64,
}

impl Count {
    /// What is counted once there are a thousand names.
    pub const OTHERS: &str = "(others)";
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
    /// All failed attempts, refusals and panics.
    pub fn total_errors(&self) -> u64 {
        self.errors.iter().map(|error| error.count).sum()
    }

    /// Of the calls that failed at least once, the share that succeeded in the end, in percent;
    /// `None` where no call failed.
    pub fn recovery_rate(&self) -> Option<f64> {
        share(self.recovered, self.recovery_attempts).map(|rate| rate * 100.0)
    }

    /// Errors for each run of a body; `None` where there was none.
    pub fn errors_per_attempt(&self) -> Option<f64> {
        share(self.total_errors(), self.attempts)
    }

    /// Errors for each call; `None` where there was none.
    pub fn errors_per_call(&self) -> Option<f64> {
        share(self.total_errors(), self.calls)
    }

    /// Adds what a service has counted.
    pub(crate) fn add(&mut self, service: ServiceSummary) {
        self.calls += service.calls;
        self.succeeded += service.succeeded;
        self.recovered += service.recovered;
        self.failed += service.failed;
        self.rejected += service.rejected;
        self.cancelled += service.cancelled;
        self.panicked += service.panicked;
        self.attempts += service.attempts;
        self.retries += service.retries;
        self.recovery_attempts += service.recovery_attempts;
        self.latency.add(&service.latency);
        if service.calls > 0 {
            self.services.push(service);
        }
    }

    pub(crate) fn sort(&mut self) {
        self.services.sort_by(|a, b| a.service.cmp(&b.service));
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share of counts")]
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
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
        if let Some(rate) = self.recovery_rate() {
            let (recovered, tried) = (self.recovered, self.recovery_attempts);
            writeln!(f, "recovery rate {rate:.1} % ({recovered} of {tried})")?;
        }
        if self.latency.count() > 0 {
            writeln!(f, "latency {}", self.latency)?;
        }
        write!(f, "breaker opens {}", self.breaker_opens)?;
        for ErrorCount {
            category,
            severity,
            count,
        } in &self.errors
        {
            write!(f, "\nerrors {category}:{severity} {count}")?;
        }
        for (of, counts) in [
            ("errors of type", &self.errors_by_type),
            ("errors of service", &self.errors_by_service),
            ("errors of agent", &self.errors_by_agent),
            ("rejections", &self.rejections),
        ] {
            for Count { name, count } in counts {
                write!(f, "\n{of} {name} {count}")?;
            }
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

/// What a runtime counts beside the calls of its services: errors, which are rare enough for a lock.
#[derive(Debug)]
pub(crate) struct Stats {
    breaker_opens: AtomicU64,
    errors: Mutex<Errors>,
}

#[derive(Debug, Default)]
struct Errors {
    by_kind: BTreeMap<(Category, Severity), u64>,
    by_service: Names,
    by_agent: Names,
    by_type: Names,
    rejections: Names,
}

/// Counts by name, of no more than [`MOST_NAMES`] names.
#[derive(Debug, Default)]
struct Names(BTreeMap<Box<str>, u64>);

/// One error, by all that it is counted by.
struct Failure<'a> {
    category: Category,
    severity: Severity,
    service: &'a str,
    agent: Option<&'a str>,
    error_type: &'a str,
    rejection: bool,
}

impl Stats {
    pub(crate) fn new() -> Self {
        Self {
            breaker_opens: AtomicU64::new(0),
            errors: Mutex::default(),
        }
    }

    #[cold]
    pub(crate) fn record(&self, event: &Event<'_>) {
        match *event {
            Event::CallFinished {
                site,
                outcome,
                attempts,
                duration,
                failure,
                context,
                ..
            } => {
                site.counts().finished(outcome, attempts, duration);
                if let (CallOutcome::Panicked, Some(failure)) = (outcome, failure) {
                    self.error(&Failure {
                        category: failure.category,
                        severity: failure.severity,
                        service: site.service(),
                        agent: context.agent.as_deref(),
                        error_type: failure.error_type,
                        rejection: false,
                    });
                }
            }
            Event::AttemptFailed(failure) => self.error(&Failure {
                category: failure.classification.category(),
                severity: failure.severity,
                service: failure.site.service(),
                agent: failure.context.agent.as_deref(),
                error_type: failure.error_type,
                rejection: false,
            }),
            Event::Rejected {
                site,
                failure,
                context,
                ..
            } => {
                self.error(&Failure {
                    category: failure.category,
                    severity: failure.severity,
                    service: site.service(),
                    agent: context.agent.as_deref(),
                    error_type: failure.error_type,
                    rejection: true,
                });
            }
            Event::BreakerMoved {
                to: BreakerState::Open,
                ..
            } => {
                add(&self.breaker_opens, 1);
            }
            _ => {}
        }
    }

    /// Everything but the calls and the breakers.
    pub(crate) fn summary(&self) -> Summary {
        let errors = lock(&self.errors);
        let mut by_kind: Vec<_> = errors
            .by_kind
            .iter()
            .map(|(&(category, severity), &count)| ErrorCount {
                category,
                severity,
                count,
            })
            .collect();
        by_kind.sort_by_key(|error| std::cmp::Reverse(error.count));
        Summary {
            breaker_opens: self.breaker_opens.load(Ordering::Relaxed),
            errors: by_kind,
            errors_by_service: errors.by_service.counts(),
            errors_by_agent: errors.by_agent.counts(),
            errors_by_type: errors.by_type.counts(),
            rejections: errors.rejections.counts(),
            ..Summary::default()
        }
    }

    pub(crate) fn reset(&self) {
        self.breaker_opens.store(0, Ordering::Relaxed);
        *lock(&self.errors) = Errors::default();
    }

    fn error(&self, error: &Failure<'_>) {
        let mut errors = lock(&self.errors);
        *errors
            .by_kind
            .entry((error.category, error.severity))
            .or_default() += 1;
        errors.by_service.count(error.service);
        errors.by_type.count(error.error_type);
        if let Some(agent) = error.agent {
            errors.by_agent.count(agent);
        }
        if error.rejection {
            errors.rejections.count(error.error_type);
        }
    }
}

impl Names {
    fn count(&mut self, name: &str) {
        if let Some(count) = self.0.get_mut(name) {
            *count += 1;
            return;
        }
        let name = if self.0.len() < MOST_NAMES {
            name
        } else {
            Count::OTHERS
        };
        *self.0.entry(name.into()).or_default() += 1;
    }

    /// Most frequent first.
    fn counts(&self) -> Vec<Count> {
        let mut counts: Vec<_> = self
            .0
            .iter()
            .map(|(name, &count)| Count {
                name: name.to_string(),
                count,
            })
            .collect();
        counts.sort_by_key(|count| std::cmp::Reverse(count.count));
        counts
    }
}

/// The calls of a service, but for those that succeed at once: the retry budget counts these.
#[derive(Debug)]
pub(crate) struct Counts {
    shards: Shards<Shard>,
    /// Of the straight calls, those that had been counted at the last reset.
    forgotten: AtomicU64,
    /// Of the calls that waited: fewer shards do.
    latency: [Histogram; LATENCY_SHARDS],
}

/// The counters of the threads of one shard.
#[derive(Debug, Default)]
struct Shard {
    /// Succeeded at the first attempt, and took time.
    first: AtomicU64,
    recovered: AtomicU64,
    failed: AtomicU64,
    rejected: AtomicU64,
    cancelled: AtomicU64,
    panicked: AtomicU64,
    /// Attempts of all calls but the straight ones.
    attempts: AtomicU64,
    retries: AtomicU64,
    recovery_attempts: AtomicU64,
}

impl Counts {
    pub(crate) fn new() -> Self {
        Self {
            shards: Shards::default(),
            forgotten: AtomicU64::new(0),
            latency: Default::default(),
        }
    }

    fn finished(&self, outcome: CallOutcome, attempts: u32, duration: Duration) {
        let (number, shard) = self.shards.mine_at();
        let counter = match outcome {
            CallOutcome::Succeeded if attempts <= 1 => &shard.first,
            CallOutcome::Succeeded => &shard.recovered,
            CallOutcome::Failed => &shard.failed,
            CallOutcome::Rejected => &shard.rejected,
            CallOutcome::Cancelled => &shard.cancelled,
            CallOutcome::Panicked => &shard.panicked,
        };
        add(counter, 1);
        add(&shard.attempts, attempts.into());
        add(&shard.retries, attempts.saturating_sub(1).into());
        let troubled = match outcome {
            CallOutcome::Succeeded => attempts > 1,
            CallOutcome::Failed | CallOutcome::Panicked => true,
            CallOutcome::Rejected => attempts > 0,
            CallOutcome::Cancelled => false,
        };
        if troubled {
            add(&shard.recovery_attempts, 1);
        }
        if matches!(outcome, CallOutcome::Succeeded | CallOutcome::Failed) {
            self.latency[number % LATENCY_SHARDS].record(duration);
        }
    }

    /// Everything together, given how many calls were straight since the beginning.
    pub(crate) fn summary(&self, service: &str, straight: u64) -> ServiceSummary {
        // A reset that came after `straight` was read may have seen more of them.
        let straight = straight.saturating_sub(self.forgotten.load(Ordering::Relaxed));
        let sum = |counter: fn(&Shard) -> &AtomicU64| -> u64 {
            self.shards
                .iter()
                .map(|shard| counter(shard).load(Ordering::Relaxed))
                .sum()
        };
        let recovered = sum(|shard| &shard.recovered);
        let mut summary = ServiceSummary {
            service: service.to_owned(),
            calls: 0,
            succeeded: straight + sum(|shard| &shard.first) + recovered,
            recovered,
            failed: sum(|shard| &shard.failed),
            rejected: sum(|shard| &shard.rejected),
            cancelled: sum(|shard| &shard.cancelled),
            panicked: sum(|shard| &shard.panicked),
            attempts: straight + sum(|shard| &shard.attempts),
            retries: sum(|shard| &shard.retries),
            recovery_attempts: sum(|shard| &shard.recovery_attempts),
            latency: Latency::of(straight, &self.latency),
        };
        summary.calls = summary.succeeded
            + summary.failed
            + summary.rejected
            + summary.cancelled
            + summary.panicked;
        summary
    }

    /// Sets every count to zero. What happens meanwhile counts before or after.
    pub(crate) fn reset(&self, straight: u64) {
        self.forgotten.store(straight, Ordering::Relaxed);
        for shard in self.shards.iter() {
            for counter in shard.counters() {
                counter.store(0, Ordering::Relaxed);
            }
        }
        for histogram in &self.latency {
            histogram.reset();
        }
    }
}

impl Shard {
    fn counters(&self) -> [&AtomicU64; 9] {
        let Self {
            first,
            recovered,
            failed,
            rejected,
            cancelled,
            panicked,
            attempts,
            retries,
            recovery_attempts,
        } = self;
        [
            first,
            recovered,
            failed,
            rejected,
            cancelled,
            panicked,
            attempts,
            retries,
            recovery_attempts,
        ]
    }
}

#[inline]
fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

const LATENCY_SHARDS: usize = 4;
const MOST_NAMES: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_while_a_summary_is_made_leaves_no_less_than_nothing() {
        let counts = Counts::new();
        let read = 7;
        counts.reset(9);
        assert_eq!(counts.summary("k", read).calls, 0);
        assert_eq!(counts.summary("k", 10).calls, 1);
    }

    #[test]
    fn there_is_a_limit_to_names() {
        let mut names = Names::default();
        for i in 0..2 * MOST_NAMES {
            names.count(&format!("agent {i}"));
        }
        let counts = names.counts();
        assert_eq!(counts.len(), MOST_NAMES + 1);
        assert_eq!(
            (counts[0].name.as_str(), counts[0].count),
            (Count::OTHERS, 1000)
        );
    }
}
