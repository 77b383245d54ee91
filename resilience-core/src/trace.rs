//! The listener that writes `tracing` spans and events, all of the target `resilience`.
//!
//! Every call is a span `resilience.call`, every attempt a child `resilience.attempt` that is entered
//! for each poll of the body. Both are `DEBUG`: a log at `INFO` costs a successful call nothing.
//!
//! Failed attempts and delays are `DEBUG`, a call that finally failed is one `WARN` (`ERROR` where
//! its severity is high or critical), a breaker that opens is a `WARN`. A refusal is `DEBUG`: the
//! breaker that refuses has had its `WARN`, and an outage is no reason to flood the log; so is a call
//! that fails because one inside it was refused. Integers are `i64`, the only ones that OpenTelemetry
//! keeps as numbers.

use tracing::field::{Empty, display};
use tracing::level_filters::LevelFilter;
use tracing::span::EnteredSpan;
use tracing::{Span, debug, debug_span, error, info, trace, warn};

use crate::breaker::{BreakerState, OpenedBy};
use crate::context::{Context, ContextData};
use crate::event::{AttemptFailed, CallFailure, CallOutcome, Event, EventSite, Reload};
use crate::fields::Fields;
use crate::{Category, Severity, scope};

/// Whether a subscriber may want spans: one comparison, on the path of every call.
#[inline]
pub(crate) fn is_wanted() -> bool {
    LevelFilter::current() >= LevelFilter::DEBUG
}

/// The spans of a call, where a subscriber wants them.
#[derive(Debug)]
pub(crate) struct Spans {
    call: Span,
    /// Of the attempt that runs.
    attempt: Option<Span>,
}

/// Somebody is inside a span, until this is dropped.
pub(crate) type Entered = EnteredSpan;

impl Spans {
    /// Opens the span of a call.
    #[cold]
    pub(crate) fn open(site: EventSite<'_>, fields: Option<&Fields>) -> Option<Self> {
        let context = scope::context();
        let place = site.place();
        let call = debug_span!(
            target: TARGET,
            "resilience.call",
            otel.name = site.operation(),
            otel.status_code = Empty,
            otel.status_description = Empty,
            resilience.operation = site.operation(),
            resilience.service = site.service(),
            resilience.category = site.category().map(Category::as_str),
            resilience.outcome = Empty,
            resilience.attempts = Empty,
            resilience.severity = Empty,
            resilience.agent = context.agent.as_deref(),
            resilience.file = context.file.as_deref(),
            resilience.line = line(&context),
            resilience.metadata = metadata(&context),
            resilience.fields = fields.map(display),
            error.type = Empty,
            session.id = context.session_id.as_deref(),
            user.id = context.user_id.as_deref(),
            code.file.path = place.file,
            code.line.number = i64::from(place.line),
        );
        (!call.is_disabled()).then_some(Self {
            call,
            attempt: None,
        })
    }

    /// Opens the span of an attempt.
    pub(crate) fn attempt(&mut self, number: u32) {
        let span = debug_span!(
            target: TARGET,
            parent: &self.call,
            "resilience.attempt",
            otel.status_code = Empty,
            otel.status_description = Empty,
            resilience.attempt = i64::from(number),
            resilience.category = Empty,
            resilience.severity = Empty,
            resilience.retry = Empty,
            error.type = Empty,
        );
        self.attempt = (!span.is_disabled()).then_some(span);
    }

    /// Enters the innermost span for one poll.
    pub(crate) fn enter(&self) {
        self.innermost()
            .with_subscriber(|(id, subscriber)| subscriber.enter(id));
    }

    /// Leaves it again.
    pub(crate) fn exit(&self) {
        self.innermost()
            .with_subscriber(|(id, subscriber)| subscriber.exit(id));
    }

    /// Enters the innermost span for as long as the answer lives.
    pub(crate) fn entered(&self) -> Entered {
        self.innermost().clone().entered()
    }

    /// Ends the span of a failed attempt.
    pub(crate) fn attempt_failed(&mut self, failure: CallFailure, retry: bool) {
        if let Some(span) = self.attempt.take() {
            record_failure(&span, failure);
            span.record("resilience.retry", retry);
        }
    }

    /// Ends the span of the call.
    pub(crate) fn finish(self, outcome: CallOutcome, attempts: u32, failure: Option<CallFailure>) {
        let Self { call, attempt } = self;
        // Where it panicked: another failure has ended it before.
        if let (Some(attempt), Some(failure)) = (&attempt, failure) {
            record_failure(attempt, failure);
        }
        drop(attempt);
        call.record("resilience.outcome", outcome_name(outcome, attempts));
        call.record("resilience.attempts", i64::from(attempts));
        if let Some(failure) = failure {
            record_failure(&call, failure);
        }
    }

    fn innermost(&self) -> &Span {
        self.attempt.as_ref().unwrap_or(&self.call)
    }
}

fn record_failure(span: &Span, failure: CallFailure) {
    span.record("otel.status_code", "ERROR");
    span.record("otel.status_description", failure.error_type);
    span.record("error.type", failure.error_type);
    span.record("resilience.category", failure.category.as_str());
    span.record("resilience.severity", failure.severity.as_str());
}

/// A call that succeeded late is told from one that succeeded at once.
fn outcome_name(outcome: CallOutcome, attempts: u32) -> &'static str {
    match outcome {
        CallOutcome::Succeeded if attempts > 1 => "recovered",
        outcome => outcome.as_str(),
    }
}

/// Whether a subscriber may want anything at all: one comparison.
#[inline]
pub(crate) fn is_heard() -> bool {
    LevelFilter::current() > LevelFilter::OFF
}

pub(crate) fn record(event: &Event<'_>) {
    match event {
        Event::AttemptFailed(failure) if !failure.last => {
            attempt_failed!(
                debug,
                "resilience.attempt.failed",
                failure,
                "attempt failed"
            );
        }
        Event::AttemptFailed(failure) if failure.refused => {
            attempt_failed!(debug, "resilience.call.failed", failure, "call failed");
        }
        Event::AttemptFailed(failure) if failure.severity >= Severity::High => {
            attempt_failed!(error, "resilience.call.failed", failure, "call failed");
        }
        Event::AttemptFailed(failure) => {
            attempt_failed!(warn, "resilience.call.failed", failure, "call failed");
        }
        Event::RetryScheduled {
            site,
            next_attempt,
            delay,
            context,
        } => about!(
            debug,
            "resilience.retry",
            site,
            context,
            "retry scheduled",
            resilience.attempt = i64::from(*next_attempt),
            resilience.delay = delay.as_secs_f64(),
        ),
        Event::Rejected {
            site,
            error,
            failure,
            fields,
            context,
        } => about!(debug, "resilience.rejected", site, context, "rejected",
            error.type = failure.error_type,
            exception.message = &*crate::redact::redacted(error.to_string()),
            resilience.fields = fields.map(display),
        ),
        Event::BreakerMoved {
            service,
            from,
            to,
            failures,
            opened_by,
        } => breaker_moved(service, (*from, *to), *failures, *opened_by),
        Event::CallFinished { .. } => call_finished(event),
        Event::FallbackUsed {
            site,
            number,
            succeeded,
            context,
        } => about!(
            debug,
            "resilience.fallback",
            site,
            context,
            "fallback used",
            resilience.fallback = i64::from(*number),
            resilience.succeeded = *succeeded,
        ),
        Event::BudgetSpent { site, context } => {
            about!(
                debug,
                "resilience.budget.spent",
                site,
                context,
                "retry budget spent",
            );
        }
        Event::SettingsReloaded { result, message } => settings_reloaded(*result, message),
    }
}

fn call_finished(event: &Event<'_>) {
    match event {
        Event::CallFinished {
            site,
            outcome: CallOutcome::Panicked,
            attempts,
            failure,
            context,
            ..
        } => about!(error, "resilience.call.panicked", site, context, "call panicked",
            resilience.attempt = i64::from(*attempts),
            resilience.severity = failure.map(|failure| failure.severity.as_str()),
            error.type = failure.map(|failure| failure.error_type),
        ),
        Event::CallFinished {
            site,
            outcome,
            attempts,
            duration,
            context,
            ..
        } => about!(
            trace,
            "resilience.call.finished",
            site,
            context,
            "call finished",
            resilience.outcome = outcome_name(*outcome, *attempts),
            resilience.attempts = i64::from(*attempts),
            resilience.duration = duration.as_secs_f64(),
        ),
        _ => {}
    }
}

fn breaker_moved(
    service: &str,
    (from, to): (BreakerState, BreakerState),
    failures: u32,
    opened_by: Option<OpenedBy>,
) {
    match to {
        BreakerState::Open => warn!(
            name: "resilience.breaker.opened",
            target: TARGET,
            { resilience.service = service, resilience.from = from.as_str(), resilience.failures = i64::from(failures), resilience.opened_by = opened_by.map(OpenedBy::as_str) },
            "circuit opened"
        ),
        BreakerState::HalfOpen => info!(
            name: "resilience.breaker.half_opened",
            target: TARGET,
            { resilience.service = service },
            "circuit half-open"
        ),
        BreakerState::Closed => info!(
            name: "resilience.breaker.closed",
            target: TARGET,
            { resilience.service = service },
            "circuit closed"
        ),
        // Something protects no longer, or refuses for good: that should not be overlooked.
        BreakerState::ForcedOpen | BreakerState::ForcedClosed | BreakerState::Disabled => warn!(
            name: "resilience.breaker.forced",
            target: TARGET,
            { resilience.service = service, resilience.from = from.as_str(), resilience.to = to.as_str() },
            "circuit moved by hand"
        ),
    }
}

#[cold]
fn settings_reloaded(result: Reload, message: &str) {
    match result {
        Reload::Applied => info!(
            name: "resilience.config.applied", target: TARGET, "settings applied: {message}"
        ),
        Reload::Rejected => warn!(
            name: "resilience.config.rejected", target: TARGET, "settings rejected: {message}"
        ),
        Reload::Unchanged => debug!(
            name: "resilience.config.unchanged", target: TARGET, "settings unchanged: {message}"
        ),
    }
}

/// An event about a call, with the site and the context.
macro_rules! about {
    (
        $level:ident, $name:literal, $site:expr, $context:expr, $text:literal,
        $($($field:ident).+ = $value:expr,)*
    ) => {
        $level!(
            name: $name,
            target: TARGET,
            {
                resilience.operation = $site.operation(),
                resilience.service = $site.service(),
                $($($field).+ = $value,)*
                resilience.agent = $context.agent.as_deref(),
                resilience.file = $context.file.as_deref(),
                resilience.line = line($context),
                resilience.metadata = metadata($context),
                session.id = $context.session_id.as_deref(),
                user.id = $context.user_id.as_deref(),
            },
            $text
        )
    };
}
use about;

macro_rules! attempt_failed {
    ($level:ident, $name:literal, $failure:expr, $text:literal) => {{
        let AttemptFailed { site, attempt, of, classification, severity, error_type, message, fields, context, .. } =
            $failure;
        about!($level, $name, site, context, $text,
            resilience.attempt = i64::from(*attempt),
            resilience.of = i64::from(*of),
            resilience.category = classification.category().as_str(),
            resilience.severity = severity.as_str(),
            resilience.retry = classification.retry().as_str(),
            resilience.reason = Some(classification.reason()).filter(|reason| !reason.is_empty()),
            error.type = *error_type,
            exception.message = *message,
            resilience.fields = fields.map(display),
        )
    }};
}
use attempt_failed;

fn line(context: &ContextData) -> Option<i64> {
    context.line.and_then(|line| line.try_into().ok())
}

fn metadata(context: &Context) -> Option<tracing::field::DisplayValue<&Fields>> {
    (!context.metadata.is_empty()).then(|| display(&context.metadata))
}

const TARGET: &str = "resilience";
