//! What happens to calls, told to whoever listens. [`emit`] is the only way out.

use std::fmt;
use std::iter::successors;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::time::Duration;

use crate::breaker::{BreakerState, Moved, OpenedBy};
use crate::clock::Moment;
use crate::context::Context;
use crate::error::ServiceName;
use crate::fields::Fields;
use crate::redact::redacted;
use crate::runtime::{Shared, SiteState};
use crate::site::Place;
use crate::stats::Counts;
use crate::{Category, Classification, Error, Severity, trace};

/// Hears what happens to the calls of a runtime.
///
/// It is called in the task of the call, outside of every lock, and at once: what takes time belongs
/// into a queue. A listener that panics harms no call; the panic ends with it.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use resilience_core::{Event, Listener, Runtime};
///
/// #[derive(Default)]
/// struct Retries(AtomicU64);
///
/// impl Listener for Retries {
///     fn on_event(&self, event: &Event<'_>) {
///         if matches!(event, Event::RetryScheduled { .. }) {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
///
/// let runtime = Runtime::builder().listener(Retries::default()).build();
/// ```
pub trait Listener: Send + Sync + 'static {
    /// Something happened.
    fn on_event(&self, event: &Event<'_>);
}

/// Something that happened. `Display` says it in a line.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// An attempt failed.
    AttemptFailed(AttemptFailed<'a>),
    /// There will be another attempt.
    #[non_exhaustive]
    RetryScheduled {
        /// Of which function.
        site: EventSite<'a>,
        /// The number of the attempt to come.
        next_attempt: u32,
        /// How long until then.
        delay: Duration,
        /// What the task is about.
        context: &'a Context,
    },
    /// The runtime answered instead of the body.
    #[non_exhaustive]
    Rejected {
        /// Of which function.
        site: EventSite<'a>,
        /// The answer.
        error: &'a Error,
        /// What it is, in short.
        failure: CallFailure,
        /// What `fields(..)` names.
        fields: Option<&'a Fields>,
        /// What the task is about.
        context: &'a Context,
    },
    /// A breaker went from one state to another.
    #[non_exhaustive]
    BreakerMoved {
        /// Whose breaker.
        service: &'a str,
        /// Where it was.
        from: BreakerState,
        /// Where it is.
        to: BreakerState,
        /// The failures, or slow calls, that opened it.
        failures: u32,
        /// What opened it, where it is open or half-open now.
        opened_by: Option<OpenedBy>,
    },
    /// A call ended.
    #[non_exhaustive]
    CallFinished {
        /// Of which function.
        site: EventSite<'a>,
        /// How.
        outcome: CallOutcome,
        /// Attempts made.
        attempts: u32,
        /// How long it took, with the delays between its attempts. Exact where there is a listener
        /// or a subscriber at `DEBUG`; elsewhere the time from when it first waited.
        duration: Duration,
        /// How long its last attempt took, to the same precision.
        last_attempt: Duration,
        /// Why it did not succeed, where it failed, was rejected, or panicked.
        failure: Option<CallFailure>,
        /// What the task is about.
        context: &'a Context,
    },
    /// A fallback ran, because the call had failed. [`CallFinished`](Self::CallFinished) came before
    /// it and tells of the call without its fallback.
    #[non_exhaustive]
    FallbackUsed {
        /// Of which function.
        site: EventSite<'a>,
        /// Which one of them, from 1.
        number: u32,
        /// Whether the caller gets what it returned instead of an error.
        succeeded: bool,
        /// What the task is about.
        context: &'a Context,
    },
    /// There would be another attempt, but the retry budget of the service is spent.
    #[non_exhaustive]
    BudgetSpent {
        /// Of which function.
        site: EventSite<'a>,
        /// What the task is about.
        context: &'a Context,
    },
    /// Settings were read anew.
    #[non_exhaustive]
    SettingsReloaded {
        /// What came of it.
        result: Reload,
        /// What is wrong, a line each, or how many keys hold now.
        message: &'a str,
    },
}

/// What came of reading settings anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reload {
    /// They hold now.
    Applied,
    /// Something is wrong with them: the old ones go on.
    Rejected,
    /// They say what they said before.
    Unchanged,
}

impl Reload {
    /// The name, as in telemetry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Rejected => "rejected",
            Self::Unchanged => "unchanged",
        }
    }
}

/// Why a call did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallFailure {
    /// The category.
    pub category: Category,
    /// The severity.
    pub severity: Severity,
    /// The kind of error, out of a bounded set.
    pub error_type: &'static str,
    /// It comes from a refusal of the runtime, of this call or of one inside.
    pub refused: bool,
}

/// A failed attempt.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AttemptFailed<'a> {
    /// Of which function.
    pub site: EventSite<'a>,
    /// Which attempt of the call, from 1.
    pub attempt: u32,
    /// Attempts that errors of this category get.
    pub of: u32,
    /// There will be no further attempt: this is what the caller gets.
    pub last: bool,
    /// It comes from a refusal of the runtime, of this call or of one inside.
    pub refused: bool,
    /// What it is.
    pub classification: &'a Classification,
    /// How bad it is, at this attempt.
    pub severity: Severity,
    /// The kind of error, out of a bounded set.
    pub error_type: &'static str,
    /// The technical text with its chain, cut after 1 KiB, without the secrets that can be told by
    /// where they stand.
    pub message: &'a str,
    /// How long the attempt took. Exact where there is a listener or a subscriber at `DEBUG`;
    /// elsewhere the time from when it first waited.
    pub duration: Duration,
    /// What `fields(..)` names.
    pub fields: Option<&'a Fields>,
    /// What the task is about.
    pub context: &'a Context,
}

/// The annotated function that an event is about.
#[derive(Clone, Copy)]
pub struct EventSite<'a>(pub(crate) &'a SiteState);

impl<'a> EventSite<'a> {
    /// What `operation = ".."` says, else the path.
    pub fn operation(self) -> &'static str {
        self.0.operation()
    }

    /// The name under which it shares a breaker.
    pub fn service(self) -> &'a str {
        self.0.service()
    }

    pub(crate) fn service_name(self) -> &'static ServiceName {
        self.0.service.guards.service()
    }

    /// What its attribute gives as the category.
    pub fn category(self) -> Option<Category> {
        self.0.settings.category
    }

    pub(crate) fn counts(self) -> &'a Counts {
        &self.0.service.counts
    }

    /// Where the attribute stands.
    pub fn place(self) -> Place {
        self.0.place()
    }
}

impl fmt::Debug for EventSite<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.operation(), self.place())
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallOutcome {
    /// The caller got what the body returned, at whichever attempt.
    Succeeded,
    /// The caller got an error of the body, or of a time limit.
    Failed,
    /// The runtime refused it.
    Rejected,
    /// Its future was dropped.
    Cancelled,
    /// The body panicked.
    Panicked,
}

impl CallOutcome {
    /// The name, as in telemetry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Panicked => "panicked",
        }
    }
}

impl<'a> Event<'a> {
    fn moved(service: &'a str, moved: Moved) -> Self {
        let Moved {
            from,
            to,
            failures,
            opened_by,
        } = moved;
        Self::BreakerMoved {
            service,
            from,
            to,
            failures,
            opened_by,
        }
    }
}

/// Tells an event to the listeners. Never called under a lock.
#[inline]
pub(crate) fn emit(shared: &Shared, event: &Event<'_>) {
    if is_heard(shared) {
        tell(shared, event);
    }
}

/// The same for an attempt that failed `now`, which is counted and kept.
#[inline]
pub(crate) fn emit_failed(shared: &Shared, failed: &AttemptFailed<'_>, now: Moment) {
    shared.recent.attempt_failed(failed, now);
    if shared.listening.statistics {
        shared.stats.attempt_failed(failed);
    }
    if is_heard(shared) {
        tell(shared, &Event::AttemptFailed(*failed));
    }
}

/// The same for a refusal.
#[inline]
pub(crate) fn emit_rejected(shared: &Shared, rejected: &Event<'_>, now: Moment) {
    shared.recent.rejected(rejected, now);
    if shared.listening.statistics {
        shared.stats.rejected(rejected);
    }
    emit(shared, rejected);
}

/// The same for the end of a call.
#[inline]
pub(crate) fn emit_finished(shared: &Shared, finished: &Event<'_>, now: Option<Moment>) {
    if let Some(now) = now {
        shared.recent.finished(finished, now);
    }
    if shared.listening.statistics {
        shared.stats.finished(finished);
    }
    emit(shared, finished);
}

/// The same for a breaker that has moved.
pub(crate) fn emit_moved(shared: &Shared, service: &str, moved: Moved) {
    if shared.listening.statistics {
        shared.stats.moved(moved);
    }
    emit(shared, &Event::moved(service, moved));
}

/// Whether anybody hears of what is neither counted nor kept.
#[inline]
pub(crate) fn is_heard(shared: &Shared) -> bool {
    trace::is_heard() || !shared.listeners.is_empty()
}

/// The listeners from outside, and `tracing`.
#[cold]
#[inline(never)]
fn tell(shared: &Shared, event: &Event<'_>) {
    if shared.listening.tracing && trace::is_heard() && shared.live.logs(event) {
        trace::record(event);
    }
    for listener in shared.listeners.iter() {
        // What it leaves behind is its own affair: we look at nothing of it.
        let told = catch_unwind(AssertUnwindSafe(|| listener.on_event(event)));
        if let Err(panicked_with) = told {
            // That may panic in its turn, and what comes of it too: there it ends.
            let dropped = catch_unwind(AssertUnwindSafe(|| drop(panicked_with)));
            std::mem::forget(dropped);
        }
    }
}

/// The end of a call that succeeded at its first attempt, which only the counts hear of: no event
/// is built where nobody would see it.
#[inline]
pub(crate) fn succeeded_unseen(site: &SiteState) {
    site.service.budget.count_straight();
}

/// The end of a call that an open breaker refused while nobody watched it, and of which nothing but
/// its function is known.
#[inline]
pub(crate) fn refused_unseen(site: &SiteState, answer: &Error, now: Moment) {
    site.service.budget.count_refused();
    site.shared.recent.refused(site, answer, now);
}

/// Whether anybody sees more than the end of a call: then its time is taken, and it has spans.
#[inline]
pub(crate) fn watched(shared: &Shared) -> bool {
    !shared.listeners.is_empty() || (shared.listening.tracing && trace::is_wanted())
}

/// The listeners of a runtime: a list that only ever grows at its end, so that telling them takes no
/// lock.
#[derive(Default)]
pub(crate) struct Listeners {
    first: OnceLock<Box<Node>>,
}

struct Node {
    listener: Box<dyn Listener>,
    next: OnceLock<Box<Self>>,
}

impl Listeners {
    pub(crate) fn add(&self, listener: Box<dyn Listener>) {
        let mut node = Box::new(Node {
            listener,
            next: OnceLock::new(),
        });
        let mut end = &self.first;
        // Whoever else adds at this moment has taken the place: ours is behind it.
        while let Err(refused) = end.set(node) {
            node = refused;
            match end.get() {
                Some(taken) => end = &taken.next,
                None => return,
            }
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.get().is_none()
    }

    #[inline]
    fn iter(&self) -> impl Iterator<Item = &dyn Listener> {
        successors(self.first.get(), |node| node.next.get()).map(|node| &*node.listener)
    }
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AttemptFailed(failed) => {
                let AttemptFailed {
                    site,
                    attempt,
                    of,
                    severity,
                    message,
                    ..
                } = failed;
                let category = failed.classification.category();
                let operation = site.operation();
                write!(f, "{operation}: attempt {attempt}/{of} failed, ")?;
                write!(f, "{category}:{severity}: {message}")
            }
            Self::RetryScheduled {
                site,
                next_attempt,
                delay,
                ..
            } => {
                write!(
                    f,
                    "{}: attempt {next_attempt} in {delay:?}",
                    site.operation()
                )
            }
            Self::Rejected { site, error, .. } => {
                // What a requirement says is written by others.
                let error = redacted(error.to_string());
                write!(f, "{}: rejected, {error}", site.operation())
            }
            Self::BreakerMoved {
                service, from, to, ..
            } => {
                write!(f, "breaker {service}: {from} to {to}")
            }
            Self::CallFinished {
                site,
                outcome,
                attempts,
                ..
            } => {
                let (operation, outcome) = (site.operation(), outcome.as_str());
                write!(f, "{operation}: {outcome} after {attempts} attempts")
            }
            Self::BudgetSpent { site, .. } => {
                let (operation, service) = (site.operation(), site.service());
                write!(f, "{operation}: retry budget of {service} spent")
            }
            Self::FallbackUsed {
                site,
                number,
                succeeded,
                ..
            } => {
                let outcome = if *succeeded { "succeeded" } else { "failed" };
                write!(f, "{}: fallback {number} {outcome}", site.operation())
            }
            Self::SettingsReloaded { result, message } => {
                write!(f, "settings {}: {message}", result.as_str())
            }
        }
    }
}
