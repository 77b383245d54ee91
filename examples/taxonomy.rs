//! One enum for all failures of a program that runs agents on AI models: each variant says what kind
//! of failure it is, and has one text for developers and one for people.
//!
//! ```sh
//! cargo run --example taxonomy
//! ```

use std::error::Error;
use std::io;

use resilience::{Category, Classify, Retry, Severity, classify};

#[derive(Debug, thiserror::Error, Classify)]
enum MissionControlError {
    // What kind of failure it is, the source knows best; how bad it is, this variant.
    #[error("Agent '{agent}' critical failure: {reason}")]
    #[classify(severity = "critical", user = "The agent '{agent}' has failed.")]
    AgentCriticalFailure {
        agent: String,
        reason: String,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },

    #[error("LLM provider '{provider}' unavailable: {details}")]
    #[classify(
        category = "service",
        user = "The AI service '{provider}' is not available."
    )]
    LLMProviderUnavailable { provider: String, details: String },

    #[error("Storage backend '{backend}' failed during {operation}: {details}")]
    #[classify(
        category = "filesystem",
        retryable = may_pass(source.as_deref()),
        user = "The storage '{backend}' did not do what it was asked to."
    )]
    StorageFailure {
        backend: String,
        operation: String,
        details: String,
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },

    // Calling again at once is what the breaker is there to prevent.
    #[error("Circuit breaker OPEN for service '{service}' (failed {failures} times)")]
    #[classify(
        category = "service",
        retryable = false,
        user = "The service '{service}' has failed {failures} times and is not called for now."
    )]
    CircuitBreakerOpen { service: String, failures: u32 },

    #[error("Resource exhausted: {resource} at {current}/{limit}")]
    #[classify(
        category = "rate_limit",
        user = "The limit for '{resource}' has been reached: {current} of {limit}."
    )]
    ResourceExhausted {
        resource: String,
        current: u64,
        limit: u64,
    },

    #[error("Configuration error in '{field}': {message}")]
    #[classify(category = "validation", user = "The setting '{field}' is not valid.")]
    ConfigurationError { field: String, message: String },

    #[error("Operation '{operation}' timed out after {timeout_secs}s")]
    #[classify(
        category = "timeout",
        user = "'{operation}' did not finish within {timeout_secs} seconds."
    )]
    OperationTimeout {
        operation: String,
        timeout_secs: u64,
    },
}

/// A full disk stays full, a file that another process holds does not.
fn may_pass(source: Option<&(dyn Error + Send + Sync + 'static)>) -> bool {
    source.is_none_or(|source| classify::error(source).retry() != Retry::No)
}

/// What a failure should be: its category, whether to try again, and both texts.
struct Expected {
    category: Category,
    retry: Retry,
    technical: &'static str,
    user: &'static str,
}

fn main() {
    for error in every_kind() {
        let expected = expected(&error);
        let found = error.classify();
        assert_eq!(found.category(), expected.category, "{error}");
        assert_eq!(found.retry(), expected.retry, "{error}");
        assert_eq!(resilience::technical(&error), expected.technical);
        assert_eq!(resilience::user_message(&error), expected.user);
        println!(
            "{}, {}, retry: {}\n    {}\n    {}",
            found.category().as_str(),
            found.severity(1).as_str(),
            found.retry().as_str(),
            expected.technical,
            expected.user,
        );

        // The same inside of whatever the program puts around it.
        let wrapped = anyhow::Error::new(error).context("running mission 7");
        assert_eq!(classify::error(wrapped.as_ref()), found);
        assert_eq!(resilience::user_message(wrapped.as_ref()), expected.user);
        assert_eq!(
            resilience::technical(wrapped.as_ref()),
            format!("running mission 7: {}", expected.technical),
        );
    }
}

fn every_kind() -> Vec<MissionControlError> {
    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    let full = anyhow::Error::from(io::Error::from(io::ErrorKind::StorageFull))
        .context("appending to the log");
    vec![
        MissionControlError::AgentCriticalFailure {
            agent: "scout".into(),
            reason: "no way to its tools".into(),
            source: refused.into(),
        },
        MissionControlError::LLMProviderUnavailable {
            provider: "north".into(),
            details: "HTTP 503".into(),
        },
        MissionControlError::StorageFailure {
            backend: "events".into(),
            operation: "append".into(),
            details: "3 records".into(),
            source: Some(full.into()),
        },
        MissionControlError::CircuitBreakerOpen {
            service: "search".into(),
            failures: 5,
        },
        MissionControlError::ResourceExhausted {
            resource: "agents".into(),
            current: 8,
            limit: 8,
        },
        MissionControlError::ConfigurationError {
            field: "agents.max".into(),
            message: "-1 is not a number of agents".into(),
        },
        MissionControlError::OperationTimeout {
            operation: "Planning".into(),
            timeout_secs: 30,
        },
    ]
}

/// Matched by field, as a program does that treats some agents, settings or operations differently.
fn expected(error: &MissionControlError) -> Expected {
    match error {
        MissionControlError::AgentCriticalFailure { agent, .. } if agent == "scout" => {
            // The network may come back, but nobody tries again by itself after a critical failure.
            assert_eq!(error.classify().severity(1), Severity::Critical);
            Expected {
                category: Category::NETWORK,
                retry: Retry::Yes,
                technical: "Agent 'scout' critical failure: no way to its tools: connection refused",
                user: "The agent 'scout' has failed.",
            }
        }
        MissionControlError::LLMProviderUnavailable { provider, .. } if provider == "north" => {
            Expected {
                category: Category::SERVICE,
                retry: Retry::Yes,
                technical: "LLM provider 'north' unavailable: HTTP 503",
                user: "The AI service 'north' is not available.",
            }
        }
        MissionControlError::StorageFailure {
            operation,
            source: Some(_),
            ..
        } if operation == "append" => Expected {
            category: Category::FILESYSTEM,
            retry: Retry::No,
            technical: "Storage backend 'events' failed during append: 3 records: \
                        appending to the log: no storage space",
            user: "The storage 'events' did not do what it was asked to.",
        },
        MissionControlError::CircuitBreakerOpen { failures: 5, .. } => Expected {
            category: Category::SERVICE,
            retry: Retry::No,
            technical: "Circuit breaker OPEN for service 'search' (failed 5 times)",
            user: "The service 'search' has failed 5 times and is not called for now.",
        },
        MissionControlError::ResourceExhausted { current, limit, .. } if current >= limit => {
            Expected {
                category: Category::RATE_LIMIT,
                retry: Retry::Yes,
                technical: "Resource exhausted: agents at 8/8",
                user: "The limit for 'agents' has been reached: 8 of 8.",
            }
        }
        MissionControlError::ConfigurationError { field, .. } if field == "agents.max" => {
            Expected {
                category: Category::VALIDATION,
                retry: Retry::No,
                technical: "Configuration error in 'agents.max': -1 is not a number of agents",
                user: "The setting 'agents.max' is not valid.",
            }
        }
        MissionControlError::OperationTimeout {
            timeout_secs: 30, ..
        } => Expected {
            category: Category::TIMEOUT,
            retry: Retry::Yes,
            technical: "Operation 'Planning' timed out after 30s",
            user: "'Planning' did not finish within 30 seconds.",
        },
        other => unreachable!("every_kind makes no {other:?}"),
    }
}
