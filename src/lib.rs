#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub use resilience_core::classify::{technical, user_message};
pub use resilience_core::{
    AttemptFailed, BackoffOptions, BreakerHandle, BreakerOptions, BreakerState, BreakerSummary,
    BudgetOptions, BulkheadOptions, CallFailure, CallOutcome, Category, Classification, Classify,
    Context, ContextData, Count, Current, Effect, Error, ErrorCount, ErrorKind, Event, EventSite,
    Fault, FieldValue, Fields, Inapplicable, Inspection, Jitter, Latency, Level, LimitSummary,
    Listener, Loader, Nested, OpenedBy, Options, Origin, Place, Policy, PolicyBuilder, PolicyCall,
    Problem, Problems, RateLimitOptions, RecentError, Reload, Requirement, ResourceSummary, Retry,
    Runtime, RuntimeBuilder, ServiceSummary, Setting, Settings, Severity, SiteInfo, SiteInspection,
    Source, Summary, Switch, TimeLimit, TimedOut, Window, WorstCase, apply, blocking, breaker,
    breakers, classify, current, drain, inspect, problems, propagate, recent_errors, redact,
    register_classify, reload, reset, reset_breakers, sites, summary, testing,
};

#[cfg(feature = "watch")]
pub use resilience_core::Watch;

#[cfg(feature = "macros")]
pub use resilience_macros::{Classify, fail_fast, resilient};

#[doc(hidden)]
pub use resilience_core::__private_0_1_0;

// The examples of the attributes are compiled here, where the crate that they use is known.
#[cfg(all(doctest, feature = "macros"))]
mod examples {
    #[doc = include_str!("../resilience-macros/docs/resilient.md")]
    mod resilient {}
    #[doc = include_str!("../resilience-macros/docs/fail_fast.md")]
    mod fail_fast {}
    #[doc = include_str!("../resilience-macros/docs/classify.md")]
    mod classify {}
    #[doc = include_str!("../docs/blocking.md")]
    mod blocking {}
    #[doc = include_str!("../docs/breaker.md")]
    mod breaker {}
    #[doc = include_str!("../docs/bulkhead.md")]
    mod bulkhead {}
    #[doc = include_str!("../docs/classification.md")]
    mod classification {}
    #[doc = include_str!("../docs/fallback.md")]
    mod fallback {}
    #[doc = include_str!("../docs/rate-limit.md")]
    mod rate_limit {}
    #[doc = include_str!("../docs/resources.md")]
    mod resources {}
    #[doc = include_str!("../docs/retry-budget.md")]
    mod retry_budget {}
    #[doc = include_str!("../docs/retry.md")]
    mod retry {}
    #[doc = include_str!("../docs/telemetry.md")]
    mod telemetry {}
    #[doc = include_str!("../docs/timeout.md")]
    mod timeout {}
    #[cfg(feature = "toml")]
    #[doc = include_str!("../docs/settings.md")]
    mod settings {}
}
