#![doc = include_str!("../README.md")]

pub use resilience_core::classify::user_message;
pub use resilience_core::{
    BackoffOptions, BreakerHandle, BreakerOptions, BreakerState, BreakerSummary, Category,
    Classification, Classify, Effect, Error, ErrorCount, ErrorKind, Fault, FieldValue, Fields,
    Jitter, OpenedBy, Options, Place, Problem, RecentError, Requirement, Retry, Runtime,
    RuntimeBuilder, Severity, SiteInfo, Summary, Switch, TimeLimit, TimedOut, Window, breaker,
    breakers, classify, problems, recent_errors, register_classify, reset_breakers, sites, summary,
};

#[cfg(feature = "macros")]
pub use resilience_macros::{fail_fast, resilient};

#[doc(hidden)]
pub use resilience_core::__private;
