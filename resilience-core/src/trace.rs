//! The listener that writes `tracing` events.
//!
//! Failed attempts and delays are `DEBUG`, a call that finally failed is one `WARN` (`ERROR` where
//! its severity is high or critical), a breaker that opens is a `WARN`. A refusal is `DEBUG`: the
//! breaker that refuses has had its `WARN`, and an outage is no reason to flood the log; so is a call
//! that fails because one inside it was refused. Integers are `i64`, the only ones that OpenTelemetry
//! keeps as numbers.

use tracing::{debug, error, info, trace, warn};

use crate::Severity;
use crate::breaker::{BreakerState, OpenedBy};
use crate::event::{AttemptFailed, Event, Reload};

#[inline]
pub(crate) fn record(event: &Event<'_>) {
    // One comparison where nobody listens, on the path of every call.
    if tracing::level_filters::LevelFilter::current() > tracing::level_filters::LevelFilter::OFF {
        write(event);
    }
}

#[cold]
#[expect(clippy::too_many_lines, reason = "an arm for each event")]
fn write(event: &Event<'_>) {
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
        } => debug!(
            name: "resilience.retry",
            operation = site.operation(),
            service = site.service(),
            attempt = i64::from(*next_attempt),
            delay_seconds = delay.as_secs_f64(),
            "retry scheduled"
        ),
        Event::BudgetSpent { site } => debug!(
            name: "resilience.budget.spent",
            operation = site.operation(),
            service = site.service(),
            "retry budget spent"
        ),
        Event::Rejected {
            site,
            error,
            fields,
        } => debug!(
            name: "resilience.rejected",
            operation = site.operation(),
            service = site.service(),
            kind = error.kind_name(),
            message = %error,
            fields = fields.map(tracing::field::display),
            "rejected"
        ),
        Event::FallbackUsed {
            site,
            number,
            succeeded,
        } => debug!(
            name: "resilience.fallback",
            operation = site.operation(),
            service = site.service(),
            number = i64::from(*number),
            succeeded = *succeeded,
            "fallback used"
        ),
        Event::BreakerMoved {
            service,
            from,
            to,
            failures,
            opened_by,
        } => match to {
            BreakerState::Open => warn!(
                name: "resilience.breaker.opened",
                service,
                from = from.as_str(),
                failures = i64::from(*failures),
                opened_by = opened_by.map(OpenedBy::as_str),
                "circuit opened"
            ),
            BreakerState::HalfOpen => {
                info!(name: "resilience.breaker.half_opened", service, "circuit half-open");
            }
            BreakerState::Closed => {
                info!(name: "resilience.breaker.closed", service, "circuit closed");
            }
            // Something protects no longer, or refuses for good: that should not be overlooked.
            BreakerState::ForcedOpen | BreakerState::ForcedClosed | BreakerState::Disabled => {
                warn!(
                    name: "resilience.breaker.forced",
                    service,
                    from = from.as_str(),
                    to = to.as_str(),
                    "circuit moved by hand"
                );
            }
        },
        Event::SettingsReloaded { result, message } => settings_reloaded(*result, message),
        Event::CallFinished {
            site,
            outcome,
            attempts,
        } => trace!(
            name: "resilience.call.finished",
            operation = site.operation(),
            service = site.service(),
            outcome = outcome.as_str(),
            attempts = i64::from(*attempts),
            "call finished"
        ),
    }
}

#[cold]
fn settings_reloaded(result: Reload, message: &str) {
    match result {
        Reload::Applied => info!(name: "resilience.config.applied", "{message}"),
        Reload::Rejected => warn!(name: "resilience.config.rejected", "{message}"),
        Reload::Unchanged => debug!(name: "resilience.config.unchanged", "{message}"),
    }
}

macro_rules! attempt_failed {
    ($level:ident, $name:literal, $failure:expr, $text:literal) => {{
        let AttemptFailed { site, attempt, of, classification, severity, error_type, message, fields, .. } =
            $failure;
        $level!(
            name: $name,
            operation = site.operation(),
            service = site.service(),
            attempt = i64::from(*attempt),
            of = i64::from(*of),
            category = classification.category().as_str(),
            severity = severity.as_str(),
            retry = classification.retry().as_str(),
            reason = classification.reason(),
            error.type = *error_type,
            error = *message,
            fields = fields.map(tracing::field::display),
            $text
        )
    }};
}
use attempt_failed;
