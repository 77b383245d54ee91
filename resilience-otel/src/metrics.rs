//! The listener that makes metrics of events. Names and attributes are a small fixed set; no path,
//! user or message is among them.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter};
use resilience_core::{
    BreakerState, CallFailure, CallOutcome, Event, EventSite, Listener, Runtime,
};

/// The instruments of one runtime.
#[derive(Debug)]
pub(crate) struct Metrics {
    call_duration: Histogram<f64>,
    call_retries: Histogram<u64>,
    attempt_duration: Histogram<f64>,
    retry_delay: Histogram<f64>,
    errors: Counter<u64>,
    transitions: Counter<u64>,
    fallbacks: Counter<u64>,
    budget_spent: Counter<u64>,
    reloads: Counter<u64>,
}

impl Metrics {
    pub(crate) fn new(meter: &Meter) -> Self {
        let seconds = |name: &'static str, description: &'static str| {
            meter
                .f64_histogram(name)
                .with_unit("s")
                .with_description(description)
                .with_boundaries(SECONDS.to_vec())
                .build()
        };
        let counter = |name: &'static str, unit: &'static str, description: &'static str| {
            meter
                .u64_counter(name)
                .with_unit(unit)
                .with_description(description)
                .build()
        };
        Self {
            call_duration: seconds(
                "resilience.call.duration",
                "How long calls took, with the delays between their attempts.",
            ),
            call_retries: meter
                .u64_histogram("resilience.call.retries")
                .with_unit("{retry}")
                .with_description("Retries of calls that had any.")
                .with_boundaries(vec![1.0, 2.0, 3.0, 4.0, 5.0, 10.0])
                .build(),
            attempt_duration: seconds("resilience.attempt.duration", "How long attempts took."),
            retry_delay: seconds("resilience.call.retry_delay", "Delays before retries."),
            errors: counter(
                "resilience.errors",
                "{error}",
                "Failed attempts, refusals and panics.",
            ),
            transitions: counter(
                "resilience.circuit_breaker.transitions",
                "{transition}",
                "Changes of a breaker's state, by the state entered.",
            ),
            fallbacks: counter(
                "resilience.fallbacks",
                "{fallback}",
                "Fallbacks that were run.",
            ),
            budget_spent: counter(
                "resilience.retry_budget.spent",
                "{refusal}",
                "Retries that the budget did not allow.",
            ),
            reloads: counter(
                "resilience.config.reloads",
                "{reload}",
                "Settings read anew, by what came of it.",
            ),
        }
    }

    /// Shows where the breakers of a runtime are: of each breaker one series a state, valued 1 for
    /// the one that it is in.
    pub(crate) fn show_breakers(meter: &Meter, runtime: Runtime) {
        meter
            .i64_observable_up_down_counter("resilience.circuit_breaker.status")
            .with_unit("{breaker}")
            .with_description("1 for the state that a breaker is in, 0 for the others.")
            .with_callback(move |observer| {
                for breaker in runtime.breakers() {
                    let now = breaker.state();
                    for state in STATES {
                        observer.observe(
                            i64::from(now == state),
                            &[
                                KeyValue::new(BREAKER_NAME, breaker.service().to_owned()),
                                KeyValue::new(BREAKER_STATE, state.as_str()),
                            ],
                        );
                    }
                }
            })
            .build();
    }

    fn error(
        &self,
        site: EventSite<'_>,
        category: &'static str,
        severity: &'static str,
        kind: &str,
    ) {
        let mut attributes = about(site);
        attributes.push(KeyValue::new(CATEGORY, category));
        attributes.push(KeyValue::new(SEVERITY, severity));
        attributes.push(KeyValue::new(ERROR_TYPE, kind.to_owned()));
        self.errors.add(1, &attributes);
    }

    fn attempt(&self, site: EventSite<'_>, duration: Duration, failed: Option<(&str, bool)>) {
        let mut attributes = about(site);
        if let Some((kind, retried)) = failed {
            attributes.push(KeyValue::new(ERROR_TYPE, kind.to_owned()));
            attributes.push(KeyValue::new("resilience.retried", retried));
        }
        self.attempt_duration
            .record(duration.as_secs_f64(), &attributes);
    }

    fn call(
        &self,
        site: EventSite<'_>,
        outcome: &'static str,
        attempts: u32,
        duration: Duration,
        failure: Option<CallFailure>,
    ) {
        let mut attributes = about(site);
        if attempts > 1 {
            self.call_retries
                .record(u64::from(attempts - 1), &attributes);
        }
        attributes.push(KeyValue::new("resilience.outcome", outcome));
        if let Some(failure) = failure {
            attributes.push(KeyValue::new(ERROR_TYPE, failure.error_type.to_owned()));
            attributes.push(KeyValue::new(CATEGORY, failure.category.as_str()));
        }
        self.call_duration
            .record(duration.as_secs_f64(), &attributes);
    }
}

impl Listener for Metrics {
    fn on_event(&self, event: &Event<'_>) {
        match *event {
            Event::AttemptFailed(failed) => {
                let category = failed.classification.category().as_str();
                self.error(
                    failed.site,
                    category,
                    failed.severity.as_str(),
                    failed.error_type,
                );
                self.attempt(
                    failed.site,
                    failed.duration,
                    Some((failed.error_type, !failed.last)),
                );
            }
            Event::RetryScheduled { site, delay, .. } => {
                self.retry_delay.record(delay.as_secs_f64(), &about(site));
            }
            Event::Rejected { site, failure, .. } => self.error(
                site,
                failure.category.as_str(),
                failure.severity.as_str(),
                failure.error_type,
            ),
            Event::BreakerMoved { service, to, .. } => self.transitions.add(
                1,
                &[
                    KeyValue::new(BREAKER_NAME, service.to_owned()),
                    KeyValue::new(BREAKER_STATE, to.as_str()),
                ],
            ),
            Event::CallFinished {
                site,
                outcome,
                attempts,
                duration,
                last_attempt,
                failure,
                ..
            } => {
                // The end of a failed attempt has been told before.
                match (outcome, failure) {
                    (CallOutcome::Succeeded, _) => self.attempt(site, last_attempt, None),
                    (CallOutcome::Panicked, Some(failure)) => {
                        let kind = failure.error_type;
                        self.attempt(site, last_attempt, Some((kind, false)));
                        let severity = failure.severity.as_str();
                        self.error(site, failure.category.as_str(), severity, kind);
                    }
                    _ => {}
                }
                let outcome = name(outcome, attempts, failure);
                self.call(site, outcome, attempts, duration, failure);
            }
            Event::FallbackUsed {
                site, succeeded, ..
            } => {
                let mut attributes = about(site);
                attributes.push(KeyValue::new("resilience.succeeded", succeeded));
                self.fallbacks.add(1, &attributes);
            }
            Event::BudgetSpent { site, .. } => self.budget_spent.add(1, &about(site)),
            Event::SettingsReloaded { result, .. } => {
                let result = KeyValue::new("resilience.result", result.as_str());
                self.reloads.add(1, &[result]);
            }
            _ => {}
        }
    }
}

fn about(site: EventSite<'_>) -> Vec<KeyValue> {
    let mut attributes = Vec::with_capacity(6);
    attributes.push(KeyValue::new("resilience.operation", site.operation()));
    attributes.push(KeyValue::new(
        "resilience.service",
        site.service().to_owned(),
    ));
    attributes
}

/// How a call ended, in one word.
fn name(outcome: CallOutcome, attempts: u32, failure: Option<CallFailure>) -> &'static str {
    match outcome {
        CallOutcome::Succeeded if attempts > 1 => "recovered",
        CallOutcome::Failed if failure.is_some_and(|failure| failure.error_type == "timed_out") => {
            "timed_out"
        }
        outcome => outcome.as_str(),
    }
}

const BREAKER_NAME: &str = "resilience.circuit_breaker.name";
const BREAKER_STATE: &str = "resilience.circuit_breaker.state";
const CATEGORY: &str = "resilience.category";
const SEVERITY: &str = "resilience.severity";
const ERROR_TYPE: &str = "error.type";

const STATES: [BreakerState; 6] = [
    BreakerState::Closed,
    BreakerState::Open,
    BreakerState::HalfOpen,
    BreakerState::ForcedOpen,
    BreakerState::ForcedClosed,
    BreakerState::Disabled,
];

/// The buckets of the conventions, and on to what retries may take.
const SECONDS: [f64; 18] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0,
    120.0, 300.0,
];
