//! The words of other crates, and of other languages, for our options and categories.

/// The list and the option that `word` stands for in this list, `""` for the attribute itself.
pub(crate) fn for_option(list: &str, word: &str) -> Option<(&'static str, &'static str)> {
    let (list, option, _) = WORDS
        .iter()
        .find(|(of, _, words)| *of == list && among(word, words))?;
    Some((list, option))
}

/// The built-in category that `word` stands for.
pub(crate) fn category(word: &str) -> Option<&'static str> {
    CATEGORIES
        .iter()
        .find(|(_, words)| among(word, words))
        .map(|(category, _)| *category)
}

fn among(word: &str, words: &str) -> bool {
    words.split(' ').any(|other| other == word)
}

/// What a name ends in that says the unit of its value.
pub(crate) const UNITS: &[(&str, &str)] = &[
    ("_ms", "ms"),
    ("_millis", "ms"),
    ("_milliseconds", "ms"),
    ("_s", "s"),
    ("_sec", "s"),
    ("_secs", "s"),
    ("_seconds", "s"),
    ("_minutes", "m"),
];

/// Words for the number of all attempts, the first one among them.
pub(crate) const TOTALS: &[&str] = &[
    "attempts",
    "max_attempts",
    "total_attempts",
    "tries",
    "max_tries",
    "stop_after",
    "stop_after_attempt",
];

/// By list, the words for each of its options.
const WORDS: &[(&str, &str, &str)] = &[
    (
        "",
        "retries",
        "retry max_retry max_retries retry_count num_retries max_times times",
    ),
    (
        "",
        "backoff",
        "exponential exponential_backoff strategy backoff_type",
    ),
    (
        "",
        "timeout",
        "attempt_timeout per_attempt_timeout time_limit time_limiter",
    ),
    (
        "",
        "deadline",
        "total_timeout overall_timeout max_duration max_elapsed max_elapsed_time \
         stop_after_delay total_delay",
    ),
    ("", "breaker", "circuit_breaker circuit cb"),
    (
        "",
        "rate_limit",
        "limit rate throttle ratelimit rate_limiter limit_for_period per_second quota",
    ),
    ("", "bulkhead", "semaphore load_shed"),
    ("", "budget", "retry_budget"),
    ("", "enabled", "enable"),
    ("", "idempotent", "idempotency"),
    (
        "",
        "retry_if",
        "when retry_on retry_when retry_if_err retry_exceptions predicate condition if \
         should_handle handle abort_on abort_if ignore_exceptions",
    ),
    ("", "retry_if_ok", "retry_on_result retry_if_result"),
    (
        "",
        "before_retry",
        "on_retry before_sleep notify after_retry",
    ),
    ("", "operation", "op"),
    ("", "service", "dependency"),
    ("", "category", "kind"),
    ("", "reject_with", "map_err on_rejected on_rejection error"),
    ("", "require", "requires requirement validate check"),
    ("", "resource", "resources lease"),
    (
        "",
        "fallback",
        "or_else fallback_to fallback_method fallback_fn recover default on_failure",
    ),
    ("", "key", "keyed partition partition_by group_by"),
    ("", "crate", "krate"),
    ("", "boxed", "box boxing"),
    (
        "backoff",
        "initial",
        "base delay min start wait interval initial_delay initial_backoff initial_interval \
         base_delay min_delay min_backoff",
    ),
    (
        "backoff",
        "max",
        "cap limit maximum max_delay max_backoff max_interval",
    ),
    (
        "backoff",
        "factor",
        "multiplier exponent exp_base rate backoff_multiplier",
    ),
    (
        "backoff",
        "jitter",
        "randomization_factor randomize use_jitter",
    ),
    (
        "breaker",
        "failure_threshold",
        "threshold failures max_failures consecutive_failures fail_max \
         exceptions_allowed_before_breaking",
    ),
    ("breaker", "distinct_calls", "calls"),
    (
        "breaker",
        "failure_rate_threshold",
        "failure_rate error_rate rate failure_ratio",
    ),
    (
        "breaker",
        "slow_call_duration",
        "slow slow_duration slow_call_threshold slow_call_duration_threshold",
    ),
    (
        "breaker",
        "slow_call_rate_threshold",
        "slow_rate slow_call_rate",
    ),
    (
        "breaker",
        "window",
        "window_size sliding_window sliding_window_size sampling_duration \
         request_volume_threshold",
    ),
    (
        "breaker",
        "minimum_calls",
        "min_calls minimum_number_of_calls minimum_throughput",
    ),
    (
        "breaker",
        "success_threshold",
        "successes half_open_requests half_open_max_calls permitted_calls \
         permitted_number_of_calls_in_half_open_state",
    ),
    (
        "breaker",
        "wait_duration",
        "open open_for timeout reset_timeout recovery_timeout cooldown wait delay break_for \
         break_duration duration_of_break wait_duration_in_open wait_duration_in_open_state",
    ),
    (
        "breaker",
        "ignore",
        "ignored ignore_exceptions skip_on exclude excluded_exceptions not_on",
    ),
    (
        "breaker",
        "record",
        "recorded record_exceptions fail_on include expected_exception on",
    ),
    (
        "rate_limit",
        "limit",
        "rate permits calls limit_for_period requests quota",
    ),
    ("rate_limit", "burst", "capacity burst_size bucket"),
    (
        "rate_limit",
        "max_wait",
        "timeout wait timeout_duration max_delay",
    ),
    (
        "bulkhead",
        "concurrency",
        "max_concurrent max_concurrent_calls max_concurrency concurrency_limit permits \
         permit_limit limit max slots",
    ),
    (
        "bulkhead",
        "queue",
        "waiting waiting_task_queue queue_size queue_limit max_queue",
    ),
    ("budget", "ratio", "percent retry_ratio share retry_percent"),
    (
        "budget",
        "min_per_second",
        "floor min minimum min_retries_per_sec reserve",
    ),
    (
        "classify",
        "retryable",
        "retry retriable transient temporary",
    ),
    ("classify", "user", "message user_message msg"),
    ("classify", "category", "kind"),
    ("classify", "severity", "level"),
    ("classify", "retry_after", "after wait"),
    ("classify", "transparent", "forward source from"),
];

/// Words that name a built-in category elsewhere.
const CATEGORIES: &[(&str, &str)] = &[
    ("network", "http net connection dns"),
    ("filesystem", "io fs file disk"),
    ("rate_limit", "throttle throttled throttling rate_limited"),
    ("timeout", "timed_out"),
    ("encoding", "utf8"),
    ("validation", "invalid input"),
    ("memory", "oom"),
    ("auth", "unauthorized forbidden permission"),
    ("not_found", "missing"),
    ("service", "upstream server remote"),
    ("unknown", "other"),
    ("cancelled", "canceled"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::options;

    #[test]
    fn every_word_is_for_an_option_and_is_none_itself() {
        for (list, option, words) in WORDS {
            let known = match *list {
                "" => [options("resilient"), options("fail_fast")].concat(),
                list => options(list),
            };
            assert!(known.contains(option), "{list} {option}");
            let option_itself = words.split(' ').find(|word| known.contains(word));
            assert_eq!(option_itself, None, "{list}");
        }
    }
}
