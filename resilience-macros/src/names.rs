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
            "rate_limit",
            "bulkhead",
            "budget",
            "nested",
            "idempotent",
            "key",
            "fallback",
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
            "rate_limit",
            "bulkhead",
            "require",
            "resource",
            "key",
            "fallback",
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
    "distinct_calls",
    "failure_rate_threshold",
    "slow_call_duration",
    "slow_call_rate_threshold",
    "window",
    "minimum_calls",
    "success_threshold",
    "wait_duration",
];

pub(crate) const RATE_LIMIT: &[&str] = &["limit", "burst", "max_wait", "exact"];

pub(crate) const BULKHEAD: &[&str] = &["concurrency", "queue"];

pub(crate) const BUDGET: &[&str] = &["ratio", "min_per_second"];

/// The kinds of rejection, as in `resilience::Error::kind_name`.
pub(crate) const REJECTIONS: &[&str] = &[
    "circuit_open",
    "rate_limited",
    "bulkhead_full",
    "resource_exhausted",
    "requirements",
];

pub(crate) const NESTED: &[&str] = &["stop", "retry"];

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
}
