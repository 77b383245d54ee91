//! What happens to calls, told to whoever listens. [`emit`] is the only way out.

use std::time::Duration;

use crate::breaker::Moved;
use crate::fields::Fields;
use crate::runtime::{Shared, SiteState};
use crate::{Classification, Error, Severity, trace};

/// Something that happened.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event<'a> {
    AttemptFailed(Failure<'a>),
    RetryScheduled {
        site: &'a SiteState,
        next_attempt: u32,
        delay: Duration,
    },
    Rejected {
        site: &'a SiteState,
        error: &'a Error,
        fields: Option<&'a Fields>,
    },
    BreakerMoved {
        service: &'a str,
        moved: Moved,
    },
    CallFinished {
        site: &'a SiteState,
        outcome: CallOutcome,
        attempts: u32,
    },
}

/// A failed attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failure<'a> {
    pub(crate) site: &'a SiteState,
    pub(crate) attempt: u32,
    /// Attempts that errors of this category get.
    pub(crate) of: u32,
    /// There will be no further attempt: this is what the caller gets.
    pub(crate) last: bool,
    /// It comes from a refusal of the runtime, of this call or of one inside.
    pub(crate) refused: bool,
    pub(crate) classification: &'a Classification,
    pub(crate) severity: Severity,
    pub(crate) error_type: &'a str,
    pub(crate) message: &'a str,
    pub(crate) fields: Option<&'a Fields>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallOutcome {
    Succeeded,
    Failed,
    /// The runtime refused it.
    Rejected,
    /// Its future was dropped.
    Cancelled,
    /// The body panicked.
    Panicked,
}

/// Tells an event to the listeners. Never called under a lock.
#[inline]
pub(crate) fn emit(shared: &Shared, event: Event<'_>) {
    trace::record(&event);
    shared.stats.record(&event);
    shared.recent.record(shared, &event);
}
