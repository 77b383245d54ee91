//! One attribute makes an async function survive its dependencies.

#[doc(hidden)]
pub use resilience_core::__private;
pub use resilience_core::{
    BackoffOptions, BreakerOptions, BreakerState, BreakerSummary, Category, Classification,
    Classify, Effect, Error, ErrorCount, ErrorKind, Fault, FieldValue, Fields, Jitter, Options,
    Place, Problem, RecentError, Requirement, Retry, Runtime, RuntimeBuilder, Severity, SiteInfo,
    Summary, Switch, TimeLimit, TimedOut, problems, recent_errors, sites, summary,
};
#[cfg(feature = "macros")]
pub use resilience_macros::{fail_fast, resilient};
