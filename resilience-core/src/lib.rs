//! The runtime of the `resilience` crate: what an annotated function's expansion calls.
//!
//! Applications depend on `resilience`, which re-exports what is here. The state machines are told
//! the time and know nothing of tasks: settings are plain data, `driver` alone awaits, `clock`
//! alone reads the clock, `event` alone tells listeners, and `scope` is the only ambient state.

#![forbid(unsafe_code)]

mod backoff;
mod breaker;
mod call;
mod category;
mod classification;
pub mod classify;
mod clock;
mod context;
#[cfg(feature = "serde")]
mod data;
mod driver;
mod error;
mod event;
mod fields;
mod how;
mod latency;
mod options;
mod outcome;
mod path;
mod recent;
mod redact;
mod reuse;
mod runtime;
mod scope;
mod settings;
mod severity;
mod site;
mod stats;
mod sync;
mod task;
pub mod testing;
mod trace;

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
pub use crate::options::{BackoffOptions, BreakerOptions, Jitter, Options, Switch, Window};
pub use crate::recent::RecentError;
pub use crate::runtime::{Runtime, RuntimeBuilder};
pub use crate::severity::Severity;
pub use crate::site::{Place, Problem, SiteInfo, problems, sites};
pub use crate::stats::{BreakerSummary, Count, ErrorCount, ServiceSummary, Summary};
pub use crate::task::{Current, current, propagate};

/// What the current runtime has counted.
pub fn summary() -> Summary {
    Runtime::current().summary()
}

/// The breakers of the current runtime, of all services that have been called, by name.
pub fn breakers() -> Vec<BreakerHandle> {
    Runtime::current().breakers()
}

/// The breaker of a service in the current runtime; `None` where no annotated function names the
/// service.
pub fn breaker(service: &str) -> Option<BreakerHandle> {
    Runtime::current().breaker(service)
}

/// [Resets](BreakerHandle::reset) every breaker of the current runtime.
pub fn reset_breakers() {
    Runtime::current().reset_breakers();
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

/// For the expansion of the attributes, of the same version, and for nobody else.
#[doc(hidden)]
pub mod __private {
    pub use inventory;

    pub use crate::driver::{Attempt, Call, Step, Unmet, Watch, begin};
    pub use crate::how::{How, Probe, Rejection, probe, reject, reject_generic, reject_in};
    pub use crate::outcome::{Outcome, ResultOf, Shape};
    pub use crate::reuse::{Reuse, reuse, reuse_generic};
    pub use crate::site::{Registered, Site};
    pub use crate::{
        BackoffOptions, BreakerOptions, Category, Error, Fields, Jitter, Options, Window,
    };
}
