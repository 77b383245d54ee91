//! One attribute makes an async function survive its dependencies.

pub use resilience_core::{Category, Classification, Classify, Effect, Fault, Retry, Severity};
