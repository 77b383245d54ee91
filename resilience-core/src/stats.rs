//! The listener that counts.

use std::fmt;
use std::time::Duration;

use self::errors::{Errors, Kind, Sums, rank};
use crate::breaker::{BreakerState, Moved};
use crate::context::Context;
use crate::event::{AttemptFailed, CallOutcome, Event, EventSite};
use crate::latency::{Histogram, Latency};
use crate::shards::Shards;
use crate::sorted::Sorted;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, lock};
use crate::{Category, Severity};

pub(crate) mod errors;

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

    fn new(name: &str, count: u64) -> Self {
        let name = name.to_owned();
        Self { name, count }
    }
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

/// What a runtime counts beside what its services do.
#[derive(Debug)]
pub(crate) struct Stats {
    breaker_opens: AtomicU64,
    by_agent: Mutex<Names>,
}

/// Counts by name, of no more than [`MOST_NAMES`] names.
#[derive(Debug, Default)]
struct Names(Sorted<Box<str>, u64>);

impl Stats {
    pub(crate) fn new() -> Self {
        Self {
            breaker_opens: AtomicU64::new(0),
            by_agent: Mutex::default(),
        }
    }

    #[inline]
    pub(crate) fn attempt_failed(&self, failed: &AttemptFailed<'_>) {
        let kind = Kind {
            category: failed.classification.category(),
            severity: failed.severity,
            error_type: failed.error_type,
            is_rejection: false,
        };
        self.error(failed.site, &kind, failed.context);
    }

    pub(crate) fn rejected(&self, event: &Event<'_>) {
        if let &Event::Rejected {
            site,
            failure,
            context,
            ..
        } = event
        {
            self.error(site, &Kind::of(failure, true), context);
        }
    }

    #[inline]
    pub(crate) fn finished(&self, event: &Event<'_>) {
        let &Event::CallFinished {
            site,
            outcome,
            attempts,
            duration,
            failure,
            context,
            ..
        } = event
        else {
            return;
        };
        site.counts().finished(outcome, attempts, duration);
        if let (CallOutcome::Panicked, Some(failure)) = (outcome, failure) {
            self.error(site, &Kind::of(failure, false), context);
        }
    }

    pub(crate) fn moved(&self, moved: Moved) {
        if moved.to == BreakerState::Open {
            add(&self.breaker_opens, 1);
        }
    }

    /// Everything but what its services do, and the breakers.
    pub(crate) fn summary(&self) -> Summary {
        Summary {
            breaker_opens: self.breaker_opens.load(Ordering::Relaxed),
            errors_by_agent: lock(&self.by_agent).counts(),
            ..Summary::default()
        }
    }

    pub(crate) fn reset(&self) {
        self.breaker_opens.store(0, Ordering::Relaxed);
        *lock(&self.by_agent) = Names::default();
    }

    #[inline]
    fn error(&self, site: EventSite<'_>, kind: &Kind, context: &Context) {
        site.counts().errors.count(kind);
        if !context.is_empty() {
            self.error_of_agent(context);
        }
    }

    #[cold]
    fn error_of_agent(&self, context: &Context) {
        if let Some(agent) = &context.agent {
            lock(&self.by_agent).count(agent);
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
        *self.0.entry(name.into()) += 1;
    }

    /// Most frequent first.
    fn counts(&self) -> Vec<Count> {
        let mut counts = Vec::new();
        for (name, count) in &self.0 {
            rank(&mut counts, Count::new(name, *count));
        }
        counts
    }
}

/// The calls of a service, but for those that are over at once: the retry budget counts these.
#[derive(Debug)]
pub(crate) struct Counts {
    shards: Shards<Shard>,
    errors: Errors,
    /// Of the calls that were over at once, those that had been counted at the last reset.
    forgotten: [AtomicU64; 2],
    /// Of the calls that waited: fewer shards do.
    latency: [Histogram; LATENCY_SHARDS],
}

/// The calls that were over at once, since the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct AtOnce {
    /// At the first attempt, without waiting.
    pub(crate) succeeded: u64,
    /// By an open breaker.
    pub(crate) refused: u64,
}

/// The counters of the threads of one shard: of all calls but those that were over at once.
#[derive(Debug, Default)]
struct Shard {
    /// Succeeded at the first attempt, and took time.
    first: AtomicU64,
    recovered: AtomicU64,
    failed: AtomicU64,
    /// Before the first attempt, and later.
    rejected: [AtomicU64; 2],
    /// Likewise.
    cancelled: [AtomicU64; 2],
    panicked: AtomicU64,
    retries: AtomicU64,
}

impl Counts {
    pub(crate) fn new() -> Self {
        Self {
            shards: Shards::default(),
            errors: Errors::default(),
            forgotten: Default::default(),
            latency: Default::default(),
        }
    }

    fn finished(&self, outcome: CallOutcome, attempts: u32, duration: Duration) {
        let (number, shard) = self.shards.mine_at();
        let began = usize::from(attempts > 0);
        let counter = match outcome {
            CallOutcome::Succeeded if attempts <= 1 => &shard.first,
            CallOutcome::Succeeded => &shard.recovered,
            CallOutcome::Failed => &shard.failed,
            CallOutcome::Rejected => &shard.rejected[began],
            CallOutcome::Cancelled => &shard.cancelled[began],
            CallOutcome::Panicked => &shard.panicked,
        };
        add(counter, 1);
        if attempts > 1 {
            add(&shard.retries, (attempts - 1).into());
        }
        if matches!(outcome, CallOutcome::Succeeded | CallOutcome::Failed) {
            self.latency[number % LATENCY_SHARDS].record(duration);
        }
    }

    /// Those of the calls that were over at once which no reset has forgotten.
    fn remembered(&self, at_once: AtOnce) -> AtOnce {
        let [succeeded, refused] = &self.forgotten;
        // A reset that came after they were read may have seen more of them.
        let since = |count: u64, forgotten: &AtomicU64| {
            count.saturating_sub(forgotten.load(Ordering::Relaxed))
        };
        AtOnce {
            succeeded: since(at_once.succeeded, succeeded),
            refused: since(at_once.refused, refused),
        }
    }

    /// Adds the errors to those of all services.
    pub(crate) fn add_errors(&self, service: &'static str, at_once: AtOnce, sums: &mut Sums) {
        self.errors
            .each(|kind, count| sums.add(service, kind, count));
        let refused = self.remembered(at_once).refused;
        if refused > 0 {
            sums.add(service, Kind::CIRCUIT_OPEN, refused);
        }
    }

    /// Everything together but the errors.
    pub(crate) fn summary(&self, service: &str, at_once: AtOnce) -> ServiceSummary {
        let at_once = self.remembered(at_once);
        let straight = at_once.succeeded;
        let sum = |counter: fn(&Shard) -> &AtomicU64| -> u64 {
            self.shards
                .iter()
                .map(|shard| counter(shard).load(Ordering::Relaxed))
                .sum()
        };
        let first = straight + sum(|shard| &shard.first);
        let recovered = sum(|shard| &shard.recovered);
        let failed = sum(|shard| &shard.failed);
        let panicked = sum(|shard| &shard.panicked);
        let rejected = at_once.refused + sum(|shard| &shard.rejected[0]);
        let rejected_later = sum(|shard| &shard.rejected[1]);
        let cancelled = sum(|shard| &shard.cancelled[0]);
        let cancelled_later = sum(|shard| &shard.cancelled[1]);
        let retries = sum(|shard| &shard.retries);
        let recovery_attempts = recovered + failed + panicked + rejected_later;
        let began = first + recovery_attempts + cancelled_later;
        ServiceSummary {
            service: service.to_owned(),
            calls: began + rejected + cancelled,
            succeeded: first + recovered,
            recovered,
            failed,
            rejected: rejected + rejected_later,
            cancelled: cancelled + cancelled_later,
            panicked,
            attempts: began + retries,
            retries,
            recovery_attempts,
            latency: Latency::of(straight, &self.latency),
        }
    }

    /// Sets every count to zero. What happens meanwhile counts before or after.
    pub(crate) fn reset(&self, at_once: AtOnce) {
        let [succeeded, refused] = &self.forgotten;
        succeeded.store(at_once.succeeded, Ordering::Relaxed);
        refused.store(at_once.refused, Ordering::Relaxed);
        self.errors.reset();
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
            rejected: [rejected, rejected_later],
            cancelled: [cancelled, cancelled_later],
            panicked,
            retries,
        } = self;
        [
            first,
            recovered,
            failed,
            rejected,
            rejected_later,
            cancelled,
            cancelled_later,
            panicked,
            retries,
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
        let read = |succeeded, refused| AtOnce { succeeded, refused };
        counts.reset(read(9, 5));
        assert_eq!(counts.summary("k", read(7, 4)).calls, 0);
        assert_eq!(counts.summary("k", read(10, 7)).calls, 3);
    }

    #[test]
    fn every_end_counts_for_what_it_is() {
        use CallOutcome::{Cancelled, Failed, Panicked, Rejected, Succeeded};
        let counts = Counts::new();
        for (outcome, attempts) in [
            (Succeeded, 1),
            (Succeeded, 3),
            (Failed, 1),
            (Failed, 4),
            (Rejected, 0),
            (Rejected, 2),
            (Cancelled, 0),
            (Cancelled, 2),
            (Panicked, 2),
        ] {
            counts.finished(outcome, attempts, Duration::ZERO);
        }
        let at_once = AtOnce {
            succeeded: 10,
            refused: 5,
        };
        let summary = counts.summary("k", at_once);
        let ends = [
            summary.succeeded,
            summary.recovered,
            summary.failed,
            summary.rejected,
            summary.cancelled,
            summary.panicked,
        ];
        assert_eq!((summary.calls, ends), (24, [12, 1, 2, 7, 2, 1]));
        assert_eq!((summary.attempts, summary.retries), (25, 8));
        // The one that recovered, the two that failed, the one refused later, the one that panicked.
        assert_eq!(summary.recovery_attempts, 5);
        assert_eq!(summary.latency.count(), 14);
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
