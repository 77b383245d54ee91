//! The names of the options, and what to write for the words of other crates.

use crate::args::Attribute;

/// The options of one attribute.
pub(crate) fn options(attribute: Attribute) -> &'static [&'static str] {
    match attribute {
        Attribute::Resilient => &[
            "category",
            "service",
            "operation",
            "retries",
            "backoff",
            "timeout",
            "deadline",
            "breaker",
            "retry_if",
            "retry_if_ok",
            "classify",
            "before_retry",
            "reject_with",
            "fields",
            "boxed",
            "crate",
        ],
        Attribute::FailFast => &[
            "category",
            "service",
            "operation",
            "timeout",
            "breaker",
            "require",
            "classify",
            "reject_with",
            "fields",
            "boxed",
            "crate",
        ],
    }
}

pub(crate) const BACKOFF: &[&str] = &["initial", "max", "factor", "jitter"];

pub(crate) const BREAKER: &[&str] = &[
    "failure_threshold",
    "success_threshold",
    "wait_duration",
    "distinct_calls",
];

pub(crate) const JITTER: &[&str] = &["proportional", "full", "decorrelated", "none"];

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

/// Words that name a built-in category elsewhere.
const CATEGORY_WORDS: &[(&str, &str)] = &[
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

/// The built-in category that somebody who wrote `word` most likely means.
pub(crate) fn category(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase().replace(['-', ' '], "_");
    CATEGORY_WORDS
        .iter()
        .find(|(other, _)| *other == word)
        .map(|(_, ours)| *ours)
        .or_else(|| nearest(&word, CATEGORIES))
}

/// Options that are designed and not built: nothing is accepted and ignored.
pub(crate) const PLANNED: &[&str] = &[
    "rate_limit",
    "bulkhead",
    "budget",
    "fallback",
    "idempotent",
    "key",
    "nested",
    "resource",
    "enabled",
];

/// What to write for a word that is an option in another crate, or in another place of ours.
/// `number` is the value where it is a whole number.
pub(crate) fn redirect(word: &str, number: Option<u64>) -> Option<String> {
    let text = match word {
        "attempts" | "max_attempts" | "total_attempts" | "tries" | "max_tries" | "stop_after" => {
            let retries = match number {
                Some(n @ 1..) => format!("retries = {}", n - 1),
                _ => "retries = n".to_owned(),
            };
            format!("write `{retries}`: `retries` counts the attempts after the first")
        }
        "max_retries" | "max_retry" | "retry" | "retry_count" | "num_retries" | "max_times"
        | "times" => match number {
            Some(n) => format!("write `retries = {n}`"),
            None => "write `retries = n`, the number of attempts after the first".to_owned(),
        },
        "failure_threshold" | "success_threshold" | "distinct_calls" => {
            let number = number.map_or_else(|| "n".to_owned(), |n| n.to_string());
            format!("it belongs to the breaker: write `breaker({word} = {number})`")
        }
        "wait_duration" | "open_for" | "reset_timeout" | "recovery_timeout" | "break_for" => {
            "it belongs to the breaker: write `breaker(wait_duration = \"30s\")`".to_owned()
        }
        "circuit_breaker" | "circuit" | "cb" => {
            "write `breaker(failure_threshold = 5)`, or `breaker = off`".to_owned()
        }
        "initial" | "initial_delay" | "initial_backoff" | "initial_interval" | "base_delay"
        | "min_delay" | "min_backoff" | "delay" | "interval" | "wait" => {
            "it belongs to the backoff: write `backoff(initial = \"1s\")`".to_owned()
        }
        "max" | "max_delay" | "max_backoff" | "max_interval" | "max_wait" => {
            "it belongs to the backoff: write `backoff(max = \"30s\")`".to_owned()
        }
        "factor" | "multiplier" => "it belongs to the backoff: write `backoff(factor = 2)`".into(),
        "jitter" => "it belongs to the backoff: write `backoff(jitter = \"full\")`".into(),
        "exponential" | "strategy" => {
            "delays always grow: write `backoff(initial = \"1s\", factor = 2)`".to_owned()
        }
        "timeout_ms" | "timeout_millis" => unit("timeout", number, "ms", 500),
        "timeout_s" | "timeout_sec" | "timeout_secs" | "timeout_seconds" => {
            unit("timeout", number, "s", 30)
        }
        "deadline_ms" | "deadline_millis" => unit("deadline", number, "ms", 500),
        "deadline_s" | "deadline_secs" | "deadline_seconds" => unit("deadline", number, "s", 120),
        "total_timeout" | "overall_timeout" | "max_duration" | "max_elapsed"
        | "max_elapsed_time" | "stop_after_delay" | "total_delay" => {
            "write `deadline = \"2m\"`: the time for all attempts and the delays between them"
                .into()
        }
        "attempt_timeout" | "per_attempt_timeout" | "time_limit" => {
            "write `timeout = \"30s\"`: the time for one attempt".to_owned()
        }
        "when" | "retry_on" | "retry_when" | "retry_if_err" | "predicate" | "condition" | "if" => {
            "write `retry_if = |error| ..`".to_owned()
        }
        "on_retry" | "before_sleep" | "notify" | "after_retry" => {
            "write `before_retry = |error| ..`".to_owned()
        }
        "name" => "write `operation = \"..\"`, or `service = \"..\"` to share a breaker".to_owned(),
        "op" => "write `operation = \"..\"`".to_owned(),
        "kind" => "write `category = \"..\"`".to_owned(),
        "map_err" | "on_rejected" | "on_rejection" | "error" => {
            "write `reject_with = path`, a function from `resilience::Error`".to_owned()
        }
        "requires" | "validate" | "check" => {
            "write `require(condition, field = \"name\", \"message\")`".to_owned()
        }
        "krate" => "write `crate = path`".to_owned(),
        "box" | "boxing" => "write `boxed`".to_owned(),
        _ => return None,
    };
    Some(text)
}

fn unit(option: &str, number: Option<u64>, unit: &str, example: u64) -> String {
    format!("write `{option} = \"{}{unit}\"`", number.unwrap_or(example))
}

/// As [`redirect`], inside `backoff(..)`.
pub(crate) fn redirect_backoff(word: &str) -> Option<&'static str> {
    Some(match word {
        "base" | "delay" | "min" | "start" | "initial_delay" | "base_delay" | "min_delay"
        | "interval" => "initial",
        "cap" | "max_delay" | "limit" | "maximum" | "max_interval" => "max",
        "multiplier" | "exponent" | "exp_base" | "rate" => "factor",
        "randomization_factor" | "randomize" => "jitter",
        _ => return None,
    })
}

/// As [`redirect`], inside `breaker(..)`.
pub(crate) fn redirect_breaker(word: &str) -> Option<&'static str> {
    Some(match word {
        "threshold" | "failures" | "max_failures" | "consecutive_failures" | "fail_max" => {
            "failure_threshold"
        }
        "successes" | "half_open_requests" | "half_open_max_calls" | "permitted_calls" => {
            "success_threshold"
        }
        "open_for" | "open" | "timeout" | "reset_timeout" | "recovery_timeout" | "cooldown"
        | "wait" | "break_for" | "delay" => "wait_duration",
        "calls" | "min_calls" => "distinct_calls",
        _ => return None,
    })
}

/// The name out of `list` that `word` is most likely a misspelling of.
pub(crate) fn nearest(word: &str, list: &[&'static str]) -> Option<&'static str> {
    list.iter()
        .map(|name| (distance(word, name), *name))
        .filter(|(distance, name)| *distance <= name.len().max(word.len()).div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// The number of inserted, deleted, replaced and swapped characters between two words.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // Rows for the prefixes of `a` that are two, one and no character shorter.
    let mut before_last = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let replaced = last[j] + usize::from(a[i] != b[j]);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                let swapped: &Vec<usize> = &before_last;
                best = best.min(swapped[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// "`a`, `b` and `c`".
pub(crate) fn enumerate(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("`{one}`"),
        [most @ .., last] => {
            let most: Vec<_> = most.iter().map(|name| format!("`{name}`")).collect();
            format!("{} and `{last}`", most.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspellings_find_their_name() {
        let options = options(Attribute::Resilient);
        for (word, name) in [
            ("retires", "retries"),
            ("retrys", "retries"),
            ("catgory", "category"),
            ("time_out", "timeout"),
            ("deadlin", "deadline"),
            ("breakr", "breaker"),
        ] {
            assert_eq!(nearest(word, options), Some(name), "{word}");
        }
        assert_eq!(nearest("colour", options), None);
    }

    #[test]
    fn categories_are_found_by_meaning_and_by_spelling() {
        assert_eq!(category("Weaviat"), Some("weaviate"));
        assert_eq!(category("rate-limit"), Some("rate_limit"));
        assert_eq!(category("http"), Some("network"));
        assert_eq!(category("billing"), None);
    }

    #[test]
    fn totals_become_retries() {
        let text = redirect("attempts", Some(5)).unwrap_or_default();
        assert!(text.starts_with("write `retries = 4`"), "{text}");
    }
}
