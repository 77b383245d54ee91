//! The words of other crates, and of other languages, for our options.

use quote::ToTokens as _;
use syn::{Expr, Lit};

use crate::forms::{is_off, means_off};
use crate::grammar::{RawValue, peel};
use crate::names;

/// What somebody who wrote a word of another crate most likely means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meant {
    /// The list that the option stands in, `""` for the attribute itself.
    pub(crate) list: &'static str,
    pub(crate) option: &'static str,
    value: Value,
}

/// How the value of the word becomes that of the option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    Same,
    /// It is a number of this unit.
    Of(&'static str),
    /// It counts the first attempt as well.
    Total,
}

/// The lists in an attribute, in the order in which a word is looked for in them.
const LISTS: &[&str] = &["backoff", "breaker", "bulkhead", "rate_limit", "budget"];

/// What `word` means in this list, `""` for the attribute itself.
pub(crate) fn meant(list: &str, word: &str) -> Option<Meant> {
    let meant = |(list, option), value| Meant {
        list,
        option,
        value,
    };
    if list.is_empty() && TOTALS.contains(&word) {
        return Some(meant(("", "retries"), Value::Total));
    }
    let find = |word| match list {
        "" => in_attribute(word),
        list => exactly(list, word).or_else(|| elsewhere(list, word)),
    };
    let same = find(word).map(|found| meant(found, Value::Same));
    same.or_else(|| {
        let with_unit = |(end, unit)| Some((word.strip_suffix(end)?, unit));
        let (word, unit) = UNITS.iter().copied().find_map(with_unit)?;
        let of_unit = meant(find(word)?, Value::Of(unit));
        of_unit.is_duration().then_some(of_unit)
    })
}

type Found = (&'static str, &'static str);

/// An option of the attribute itself, or of a list in it.
fn in_attribute(word: &str) -> Option<Found> {
    exactly("resilient", word)
        .or_else(|| exactly("fail_fast", word))
        .map(|(_, option)| ("", option))
        .or_else(|| elsewhere("", word))
        .or_else(|| LISTS.iter().find_map(|list| exactly(list, word)))
        .or_else(|| LISTS.iter().find_map(|list| elsewhere(list, word)))
}

fn exactly(list: &str, word: &str) -> Option<Found> {
    let (list, _) = names::OPTIONS.iter().find(|(name, _)| *name == list)?;
    let option = names::options(list)
        .into_iter()
        .find(|option| *option == word)?;
    Some((list, option))
}

fn elsewhere(list: &str, word: &str) -> Option<Found> {
    let (list, option, _) = WORDS
        .iter()
        .find(|(of, _, words)| *of == list && words.contains(&word))?;
    Some((list, option))
}

impl Meant {
    /// How it is written, with an example of a value.
    fn form(self) -> &'static str {
        let form = match self.list {
            "" => names::form("resilient", self.option)
                .or_else(|| names::form("fail_fast", self.option)),
            list => names::form(list, self.option),
        };
        form.unwrap_or(self.option)
    }

    fn is_duration(self) -> bool {
        self.form().ends_with("s\"") || self.form().ends_with("m\"")
    }

    /// How to write it, with the value that stands there, where that can be had.
    pub(crate) fn written(self, value: &RawValue) -> String {
        let form = self.form();
        if let RawValue::Expr(expr) = value
            && form.ends_with(')')
            && (is_off(expr) || means_off(expr))
        {
            return format!("{} = off", self.option);
        }
        let literal = match value {
            RawValue::Expr(expr) => match peel(expr) {
                Expr::Lit(lit) => Some(&lit.lit),
                _ => None,
            },
            _ => None,
        };
        let value = literal.and_then(|lit| self.value(form, lit));
        match (form.split_once(" = "), value) {
            (Some((name, _)), Some(value)) => format!("{name} = {value}"),
            _ => form.to_owned(),
        }
    }

    /// The literal as a value of the option, if it is of its kind.
    fn value(self, form: &str, lit: &Lit) -> Option<String> {
        let (_, example) = form.split_once(" = ").filter(|_| !form.ends_with(')'))?;
        let is_text = example.starts_with('"');
        let is_whole = example.bytes().all(|b| b.is_ascii_digit());
        match (self.value, lit) {
            (Value::Of(unit), Lit::Int(int)) => Some(format!("\"{}{unit}\"", int.base10_digits())),
            (Value::Total, Lit::Int(int)) => {
                let number = int.base10_parse::<u64>().ok()?.checked_sub(1)?;
                Some(number.to_string())
            }
            (Value::Same, Lit::Str(text)) if is_text || self.option == "window" => {
                Some(text.to_token_stream().to_string())
            }
            (Value::Same, Lit::Int(int)) if is_whole => Some(int.base10_digits().to_owned()),
            _ => None,
        }
    }
}

/// The built-in category that somebody who wrote `word` most likely means.
pub(crate) fn category(word: &str) -> Option<&'static str> {
    CATEGORIES
        .iter()
        .find(|(other, _)| *other == word)
        .map(|(_, ours)| *ours)
}

const UNITS: &[(&str, &str)] = &[
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
const TOTALS: &[&str] = &[
    "attempts",
    "max_attempts",
    "total_attempts",
    "tries",
    "max_tries",
    "stop_after",
    "stop_after_attempt",
];

/// By list, the words for each of its options.
const WORDS: &[(&str, &str, &[&str])] = &[
    (
        "",
        "retries",
        &[
            "retry",
            "max_retry",
            "max_retries",
            "retry_count",
            "num_retries",
            "max_times",
            "times",
        ],
    ),
    (
        "",
        "backoff",
        &[
            "exponential",
            "exponential_backoff",
            "strategy",
            "backoff_type",
        ],
    ),
    (
        "",
        "timeout",
        &[
            "attempt_timeout",
            "per_attempt_timeout",
            "time_limit",
            "time_limiter",
        ],
    ),
    (
        "",
        "deadline",
        &[
            "total_timeout",
            "overall_timeout",
            "max_duration",
            "max_elapsed",
            "max_elapsed_time",
            "stop_after_delay",
            "total_delay",
        ],
    ),
    ("", "breaker", &["circuit_breaker", "circuit", "cb"]),
    (
        "",
        "rate_limit",
        &[
            "limit",
            "rate",
            "throttle",
            "ratelimit",
            "rate_limiter",
            "limit_for_period",
            "per_second",
            "quota",
        ],
    ),
    ("", "bulkhead", &["semaphore", "load_shed"]),
    ("", "budget", &["retry_budget"]),
    ("", "idempotent", &["idempotency"]),
    (
        "",
        "retry_if",
        &[
            "when",
            "retry_on",
            "retry_when",
            "retry_if_err",
            "retry_exceptions",
            "predicate",
            "condition",
            "if",
            "should_handle",
            "handle",
            "abort_on",
            "abort_if",
            "ignore_exceptions",
        ],
    ),
    ("", "retry_if_ok", &["retry_on_result", "retry_if_result"]),
    (
        "",
        "before_retry",
        &["on_retry", "before_sleep", "notify", "after_retry"],
    ),
    ("", "operation", &["op"]),
    ("", "service", &["dependency"]),
    ("", "category", &["kind"]),
    (
        "",
        "reject_with",
        &["map_err", "on_rejected", "on_rejection", "error"],
    ),
    (
        "",
        "require",
        &["requires", "requirement", "validate", "check"],
    ),
    ("", "resource", &["resources", "lease"]),
    (
        "",
        "fallback",
        &[
            "or_else",
            "fallback_to",
            "fallback_method",
            "fallback_fn",
            "recover",
            "default",
            "on_failure",
        ],
    ),
    (
        "",
        "key",
        &["keyed", "partition", "partition_by", "group_by"],
    ),
    ("", "crate", &["krate"]),
    ("", "boxed", &["box", "boxing"]),
    (
        "backoff",
        "initial",
        &[
            "base",
            "delay",
            "min",
            "start",
            "wait",
            "interval",
            "initial_delay",
            "initial_backoff",
            "initial_interval",
            "base_delay",
            "min_delay",
            "min_backoff",
        ],
    ),
    (
        "backoff",
        "max",
        &[
            "cap",
            "limit",
            "maximum",
            "max_delay",
            "max_backoff",
            "max_interval",
        ],
    ),
    (
        "backoff",
        "factor",
        &[
            "multiplier",
            "exponent",
            "exp_base",
            "rate",
            "backoff_multiplier",
        ],
    ),
    (
        "backoff",
        "jitter",
        &["randomization_factor", "randomize", "use_jitter"],
    ),
    (
        "breaker",
        "failure_threshold",
        &[
            "threshold",
            "failures",
            "max_failures",
            "consecutive_failures",
            "fail_max",
            "exceptions_allowed_before_breaking",
        ],
    ),
    ("breaker", "distinct_calls", &["calls"]),
    (
        "breaker",
        "failure_rate_threshold",
        &["failure_rate", "error_rate", "rate", "failure_ratio"],
    ),
    (
        "breaker",
        "slow_call_duration",
        &[
            "slow",
            "slow_duration",
            "slow_call_threshold",
            "slow_call_duration_threshold",
        ],
    ),
    (
        "breaker",
        "slow_call_rate_threshold",
        &["slow_rate", "slow_call_rate"],
    ),
    (
        "breaker",
        "window",
        &[
            "window_size",
            "sliding_window",
            "sliding_window_size",
            "sampling_duration",
            "request_volume_threshold",
        ],
    ),
    (
        "breaker",
        "minimum_calls",
        &["min_calls", "minimum_number_of_calls", "minimum_throughput"],
    ),
    (
        "breaker",
        "success_threshold",
        &[
            "successes",
            "half_open_requests",
            "half_open_max_calls",
            "permitted_calls",
            "permitted_number_of_calls_in_half_open_state",
        ],
    ),
    (
        "breaker",
        "wait_duration",
        &[
            "open",
            "open_for",
            "timeout",
            "reset_timeout",
            "recovery_timeout",
            "cooldown",
            "wait",
            "delay",
            "break_for",
            "break_duration",
            "duration_of_break",
            "wait_duration_in_open",
            "wait_duration_in_open_state",
        ],
    ),
    (
        "rate_limit",
        "limit",
        &[
            "rate",
            "permits",
            "calls",
            "limit_for_period",
            "requests",
            "quota",
        ],
    ),
    ("rate_limit", "burst", &["capacity", "burst_size", "bucket"]),
    (
        "rate_limit",
        "max_wait",
        &["timeout", "wait", "timeout_duration", "max_delay"],
    ),
    (
        "bulkhead",
        "concurrency",
        &[
            "max_concurrent",
            "max_concurrent_calls",
            "max_concurrency",
            "concurrency_limit",
            "permits",
            "permit_limit",
            "limit",
            "max",
            "slots",
        ],
    ),
    (
        "bulkhead",
        "queue",
        &[
            "waiting",
            "waiting_task_queue",
            "queue_size",
            "queue_limit",
            "max_queue",
        ],
    ),
    (
        "budget",
        "ratio",
        &["percent", "retry_ratio", "share", "retry_percent"],
    ),
    (
        "budget",
        "min_per_second",
        &["floor", "min", "minimum", "min_retries_per_sec", "reserve"],
    ),
    (
        "classify",
        "retryable",
        &["retry", "retriable", "transient", "temporary"],
    ),
    ("classify", "user", &["message", "user_message", "msg"]),
    ("classify", "category", &["kind"]),
    ("classify", "severity", &["level"]),
    ("classify", "retry_after", &["after", "wait"]),
    ("classify", "transparent", &["forward", "source", "from"]),
];

/// Words that name a built-in category elsewhere.
const CATEGORIES: &[(&str, &str)] = &[
    ("http", "network"),
    ("net", "network"),
    ("connection", "network"),
    ("dns", "network"),
    ("io", "filesystem"),
    ("fs", "filesystem"),
    ("file", "filesystem"),
    ("disk", "filesystem"),
    ("throttle", "rate_limit"),
    ("throttled", "rate_limit"),
    ("throttling", "rate_limit"),
    ("rate_limited", "rate_limit"),
    ("timed_out", "timeout"),
    ("utf8", "encoding"),
    ("invalid", "validation"),
    ("input", "validation"),
    ("oom", "memory"),
    ("unauthorized", "auth"),
    ("forbidden", "auth"),
    ("permission", "auth"),
    ("missing", "not_found"),
    ("upstream", "service"),
    ("server", "service"),
    ("remote", "service"),
    ("other", "unknown"),
    ("canceled", "cancelled"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_leads_to_an_option() {
        for (list, option, words) in WORDS {
            let known = |word: &str| match *list {
                "" => exactly("resilient", word).or_else(|| exactly("fail_fast", word)),
                list => exactly(list, word),
            };
            assert!(known(option).is_some(), "{list} {option}");
            let option_itself = words.iter().find(|word| known(word).is_some());
            assert_eq!(option_itself, None, "{list}");
        }
    }

    #[test]
    fn a_word_of_a_list_is_found_outside_of_it() {
        for (word, list, option) in [
            ("max_retries", "", "retries"),
            ("initial", "backoff", "initial"),
            ("delay", "backoff", "initial"),
            ("max_delay_ms", "backoff", "max"),
            ("wait_duration", "breaker", "wait_duration"),
            ("sliding_window_size", "breaker", "window"),
            ("limit", "", "rate_limit"),
            ("permits", "bulkhead", "concurrency"),
        ] {
            let meant = meant("", word).expect(word);
            assert_eq!((meant.list, meant.option), (list, option), "{word}");
        }
    }

    #[test]
    fn the_value_is_kept_where_it_fits() {
        let written = |list, word, value: &str| {
            let value = RawValue::Expr(Box::new(syn::parse_str(value).expect("an expression")));
            meant(list, word).expect(word).written(&value)
        };
        assert_eq!(written("", "attempts", "5"), "retries = 4");
        assert_eq!(written("", "attempts", "0"), "retries = 3");
        assert_eq!(written("", "max_retries", "7"), "retries = 7");
        assert_eq!(written("", "timeout_ms", "500"), "timeout = \"500ms\"");
        assert_eq!(written("", "initial_delay", "\"2s\""), "initial = \"2s\"");
        assert_eq!(written("", "initial_delay", "200"), "initial = \"1s\"");
        assert_eq!(written("", "circuit_breaker", "false"), "breaker = off");
        assert_eq!(written("", "window_size", "\"9s\""), "window = \"9s\"");
        assert_eq!(meant("breaker", "failure_threshold_ms"), None);
        assert_eq!(written("budget", "percent", "20"), "ratio = 0.2");
        assert_eq!(
            written("breaker", "threshold", "9"),
            "failure_threshold = 9"
        );
    }
}
