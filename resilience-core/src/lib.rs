//! The runtime of the `resilience` crate: what an annotated function's expansion calls.
//!
//! Applications depend on `resilience`, which re-exports what is here. The state machines are told
//! the time and know nothing of tasks: settings are plain data, `driver` alone awaits, `clock`
//! alone reads the clock, `event` alone tells listeners, and `scope` is the only ambient state.

#![forbid(unsafe_code)]

mod backoff;
mod blocking;
mod breaker;
mod budget;
mod bulkhead;
mod call;
mod category;
mod classification;
pub mod classify;
mod clock;
mod context;
#[cfg(feature = "serde")]
mod data;
mod derive;
mod drain;
mod driver;
mod error;
mod event;
mod fallback;
mod fields;
mod guards;
mod how;
mod keyed;
mod latency;
mod line;
mod operator;
mod options;
mod outcome;
mod path;
mod policy;
mod probe;
mod problem;
mod rate_limit;
mod recent;
mod redact;
mod resource;
mod reuse;
mod runtime;
mod scope;
mod settings;
mod severity;
mod shards;
mod site;
mod sorted;
mod stats;
mod sync;
mod task;
pub mod testing;
mod trace;

pub use crate::blocking::blocking;
pub use crate::breaker::{BreakerHandle, BreakerState, OpenedBy};
pub use crate::category::Category;
pub use crate::classification::{Classification, Effect, Fault, Retry};
pub use crate::classify::Classify;
pub use crate::context::{Context, ContextData};
pub use crate::error::{Error, ErrorKind, Requirement, TimeLimit, TimedOut};
pub use crate::event::{
    AttemptFailed, CallFailure, CallOutcome, Event, EventSite, Listener, Reload,
};
pub use crate::fields::{FieldValue, Fields};
pub use crate::latency::Latency;
pub use crate::operator::{LimitSummary, ResourceSummary};
pub use crate::options::{
    BackoffOptions, BreakerOptions, BudgetOptions, BulkheadOptions, Jitter, Nested, Options,
    RateLimitOptions, Switch, Window,
};
pub use crate::policy::{Policy, PolicyBuilder, PolicyCall};
pub use crate::problem::{Problem, Problems};
pub use crate::recent::RecentError;
pub use crate::redact::redact;
pub use crate::runtime::{Runtime, RuntimeBuilder};
#[cfg(feature = "watch")]
pub use crate::settings::Watch;
pub use crate::settings::origin::{Level, Origin, Source};
pub use crate::settings::{
    Inapplicable, Inspection, Loader, Setting, Settings, SiteInspection, WorstCase,
};
pub use crate::severity::Severity;
pub use crate::site::{Place, SiteInfo, sites};
pub use crate::stats::{BreakerSummary, Count, ErrorCount, ServiceSummary, Summary};
pub use crate::task::{Current, current, propagate};

/// What the current runtime has counted.
pub fn summary() -> Summary {
    Runtime::current().summary()
}

/// The settings of every annotated function and policy in the current runtime, each with its
/// origin.
pub fn inspect() -> Inspection {
    Runtime::current().inspect()
}

/// What is wrong between the sites of the program, and with the resources of the current runtime:
/// see [`Runtime::problems`].
pub fn problems() -> Vec<Problem> {
    Runtime::current().problems()
}

/// Makes these settings those of all calls of the current runtime that begin from now on.
pub fn apply(settings: &Settings) {
    Runtime::current().apply(settings);
}

/// Reads the settings of the current runtime again; see [`Runtime::reload`].
pub async fn reload() -> Result<bool, Problems> {
    Runtime::current().reload().await
}

/// The breakers of the current runtime, of all services that have been called, by name.
pub fn breakers() -> Vec<BreakerHandle> {
    Runtime::current().breakers()
}

/// The breaker of a service in the current runtime; `None` where no annotated function and no
/// policy names the service.
pub fn breaker(service: &str) -> Option<BreakerHandle> {
    Runtime::current().breaker(service)
}

/// [Resets](BreakerHandle::reset) every breaker of the current runtime.
pub fn reset_breakers() {
    Runtime::current().reset_breakers();
}

/// Lets the calls of the current runtime come to their end: see [`Runtime::drain`].
pub fn drain(deadline: std::time::Duration) -> impl Future<Output = usize> + Send + use<> {
    Runtime::current().drain(deadline)
}

/// The `count` most recent errors of the current runtime, oldest first.
pub fn recent_errors(count: usize) -> Vec<RecentError> {
    Runtime::current().recent_errors(count)
}

/// Sets all counts of the current runtime to zero and forgets its recent errors. Breakers stay as
/// they are.
pub fn reset() {
    Runtime::current().reset();
}

/// For the expansion of the attributes, of the same version, and for nobody else. The name says the
/// version, so that attributes of another one do not find it, instead of misunderstanding it.
#[doc(hidden)]
pub mod __private_0_1_0 {
    pub use inventory;

    pub use crate::classify::Registration;
    pub use crate::derive::{RetryAfter, retry_after};
    pub use crate::driver::{Attempt, Call, Step, Unmet, Watch, begin};
    pub use crate::fallback::{Answer, AnswerOf, Answered, Later, Now, On, Waited, When};
    pub use crate::fields::{Recorded, recorded};
    pub use crate::how::{How, Rejection, reject, reject_generic, reject_in};
    pub use crate::outcome::{Outcome, ResultOf, Shape, never};
    pub use crate::probe::{Finder, Look, carrier, probe, probe_at};
    pub use crate::resource::{Amount, amount};
    pub use crate::reuse::{Keep, Reuse, keep, reuse, reuse_generic};
    pub use crate::site::{Registered, Site};
    pub use crate::{
        BackoffOptions, BreakerOptions, BudgetOptions, BulkheadOptions, Category, Classification,
        Classify, Error, Fields, Jitter, Nested, Options, RateLimitOptions, Retry, Severity,
        Window,
    };
}
