//! The names of tables, and what to write for the words of others.

/// The tables of a file.
pub(crate) const SECTIONS: [&str; 7] = [
    "defaults",
    "categories",
    "services",
    "sites",
    "resources",
    "classify",
    "telemetry",
];

/// What belongs to the attribute alone.
pub(crate) const OF_THE_ATTRIBUTE: [&str; 16] = [
    "category",
    "service",
    "operation",
    "key",
    "classify",
    "retry_if",
    "retry_if_ok",
    "before_retry",
    "fallback",
    "reject_with",
    "fields",
    "require",
    "resource",
    "boxed",
    "crate",
    "skip",
];

/// Words that others have for a key, and ours.
const WORDS: [(&str, &str); 20] = [
    ("attempts", "retries"),
    ("max_attempts", "retries"),
    ("max_retries", "retries"),
    ("retry", "retries"),
    ("retry_attempts", "retries"),
    ("timeout_secs", "timeout"),
    ("timeout_ms", "timeout"),
    ("deadline_secs", "deadline"),
    ("circuit_breaker", "breaker"),
    ("delay", "backoff"),
    ("base_delay", "backoff.initial"),
    ("initial_delay", "backoff.initial"),
    ("max_delay", "backoff.max"),
    ("factor", "backoff.factor"),
    ("jitter", "backoff.jitter"),
    ("failure_threshold", "breaker.failure_threshold"),
    ("wait_duration", "breaker.wait_duration"),
    ("max_concurrent", "bulkhead.concurrency"),
    ("retry_budget", "budget"),
    ("disabled", "enabled"),
];

/// What to write for this word.
pub(crate) fn word(word: &str) -> Option<&'static str> {
    WORDS
        .iter()
        .find(|(theirs, _)| *theirs == word)
        .map(|(_, ours)| *ours)
}
