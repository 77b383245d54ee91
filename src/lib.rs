#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub use resilience_core::classify::user_message;
pub use resilience_core::{
    AttemptFailed, BackoffOptions, BreakerHandle, BreakerOptions, BreakerState, BreakerSummary,
    CallFailure, CallOutcome, Category, Classification, Classify, Context, ContextData, Count,
    Current, Effect, Error, ErrorCount, ErrorKind, Event, EventSite, Fault, FieldValue, Fields,
    Jitter, Latency, Listener, OpenedBy, Options, Place, Problem, RecentError, Reload, Requirement,
    Retry, Runtime, RuntimeBuilder, ServiceSummary, Severity, SiteInfo, Summary, Switch, TimeLimit,
    TimedOut, Window, breaker, breakers, classify, current, problems, propagate, recent_errors,
    register_classify, reset, reset_breakers, sites, summary, testing,
};

#[cfg(feature = "macros")]
pub use resilience_macros::{fail_fast, resilient};

#[doc(hidden)]
pub use resilience_core::__private;
