//! One attribute makes an async function survive its dependencies.

pub use resilience_core::classify;
pub use resilience_core::classify::user_message;
pub use resilience_core::register_classify;
pub use resilience_core::{Category, Classification, Classify, Effect, Fault, Retry, Severity};
