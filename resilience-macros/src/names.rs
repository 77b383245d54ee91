//! The words that the attributes know.

/// A list of options: the name of each, and how it is written.
pub(crate) type List = &'static [(&'static str, &'static str)];

/// The options of each attribute, and of each list in one. `tests/options` asks each of them for a
/// proof that it does something.
pub(crate) const OPTIONS: &[(&str, &[List])] = &[
    ("resilient", &[COMMON, RESILIENT]),
    ("fail_fast", &[COMMON, FAIL_FAST]),
    ("classify", &[CLASSIFY]),
    ("backoff", &[BACKOFF]),
    ("breaker", &[BREAKER]),
    ("rate_limit", &[RATE_LIMIT]),
    ("bulkhead", &[BULKHEAD]),
    ("budget", &[BUDGET]),
];

const COMMON: List = &[
    ("category", "category = \"network\""),
    ("service", "service = \"llm_provider\""),
    ("operation", "operation = \"index_document\""),
    ("enabled", "enabled = false"),
    ("timeout", "timeout = \"30s\""),
    ("breaker", "breaker(failure_threshold = 5)"),
    ("rate_limit", "rate_limit = \"100/60s\""),
    ("bulkhead", "bulkhead(concurrency = 10)"),
    ("key", "key = tenant"),
    ("fallback", "fallback = other"),
    ("classify", "classify = my_classifier"),
    ("reject_with", "reject_with = MyError::from"),
    ("fields", "fields(collection, path = %path)"),
    ("boxed", "boxed"),
    ("crate", "crate = ::resilience"),
];

const RESILIENT: List = &[
    ("retries", "retries = 3"),
    ("backoff", "backoff(initial = \"1s\")"),
    ("deadline", "deadline = \"2m\""),
    ("budget", "budget(ratio = 0.2)"),
    ("nested", "nested = \"retry\""),
    ("idempotent", "idempotent = false"),
    ("retry_if", "retry_if = |error| .."),
    ("retry_if_ok", "retry_if_ok = |value| .."),
    ("before_retry", "before_retry = |error| .."),
];

const FAIL_FAST: List = &[
    (
        "require",
        "require(!prompt.is_empty(), field = \"prompt\", \"must not be empty\")",
    ),
    ("resource", "resource(llm_tokens = max_tokens)"),
];

const CLASSIFY: List = &[
    ("transparent", "transparent"),
    ("category", "category = \"network\""),
    ("severity", "severity = \"high\""),
    ("retryable", "retryable"),
    ("retry_after", "retry_after = \"5s\""),
    ("user", "user = \"Please try again later.\""),
    ("crate", "crate = ::resilience"),
];

const BACKOFF: List = &[
    ("initial", "initial = \"1s\""),
    ("max", "max = \"30s\""),
    ("factor", "factor = 2"),
    ("jitter", "jitter = \"full\""),
];

const BREAKER: List = &[
    ("failure_threshold", "failure_threshold = 5"),
    ("distinct_calls", "distinct_calls = 2"),
    ("failure_rate_threshold", "failure_rate_threshold = 0.5"),
    ("slow_call_duration", "slow_call_duration = \"2s\""),
    ("slow_call_rate_threshold", "slow_call_rate_threshold = 0.5"),
    ("window", "window = 100"),
    ("minimum_calls", "minimum_calls = 10"),
    ("success_threshold", "success_threshold = 1"),
    ("wait_duration", "wait_duration = \"30s\""),
    ("ignore", "ignore(\"rate_limit\")"),
    ("record", "record(\"auth\")"),
];

const RATE_LIMIT: List = &[
    ("limit", "limit = \"100/60s\""),
    ("burst", "burst = 100"),
    ("max_wait", "max_wait = \"5s\""),
    ("exact", "exact = true"),
];

const BULKHEAD: List = &[
    ("concurrency", "concurrency = 10"),
    ("queue", "queue = 100"),
];

const BUDGET: List = &[
    ("ratio", "ratio = 0.2"),
    ("min_per_second", "min_per_second = 10"),
];

/// The kinds of rejection, as in `resilience::Error::kind_name`.
pub(crate) const REJECTIONS: &[&str] = &[
    "circuit_open",
    "rate_limited",
    "bulkhead_full",
    "resource_exhausted",
    "requirements",
];

pub(crate) const SEVERITIES: &[&str] = &["low", "medium", "high", "critical"];

/// The names of the built-in categories, as in `Category::BUILT_IN`.
pub(crate) const CATEGORIES: &[&str] = &[
    "network",
    "service",
    "weaviate",
    "rate_limit",
    "timeout",
    "filesystem",
    "encoding",
    "validation",
    "memory",
    "auth",
    "not_found",
    "conflict",
    "cancelled",
    "unknown",
];

/// The names of the options in a list.
pub(crate) fn options(of: &str) -> Vec<&'static str> {
    list(of).map(|(name, _)| name).collect()
}

/// How an option is written.
pub(crate) fn form(of: &str, option: &str) -> Option<&'static str> {
    let (_, form) = list(of).find(|(name, _)| *name == option)?;
    Some(form)
}

fn list(of: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let lists = OPTIONS.iter().filter(move |(name, _)| *name == of);
    lists.flat_map(|(_, lists)| lists.iter().copied().flatten().copied())
}
