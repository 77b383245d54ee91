#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub use resilience_core::classify::user_message;
pub use resilience_core::{
    BackoffOptions, BreakerOptions, BreakerState, BreakerSummary, Category, Classification,
    Classify, Current, Effect, Error, ErrorCount, ErrorKind, Fault, FieldValue, Fields, Jitter,
    Options, Place, Problem, RecentError, Requirement, Retry, Runtime, RuntimeBuilder, Severity,
    SiteInfo, Summary, Switch, TimeLimit, TimedOut, classify, current, problems, propagate,
    recent_errors, register_classify, sites, summary,
};

#[cfg(feature = "macros")]
pub use resilience_macros::{Classify, fail_fast, resilient};

#[doc(hidden)]
pub use resilience_core::__private;
