//! The names of tables, and what to write for the words of others.

use std::fmt;

use crate::problem::Problem;
use crate::settings::nearest::nearest;
use crate::settings::value::Raw;

/// The tables of a file.
pub(crate) const SECTIONS: &[&str] = &[
    "defaults",
    "categories",
    "services",
    "sites",
    "resources",
    "classify",
    "telemetry",
];

/// What belongs to the attribute alone.
pub(crate) const OF_THE_ATTRIBUTE: &[&str] = &[
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
const WORDS: &[(&str, &str)] = &[
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

/// What is wrong with a name that is none of these: the nearest of them helps, or else all.
pub(crate) fn unknown(name: &str, names: &[&str]) -> Problem {
    let problem = Problem::with("unknown key".into());
    match nearest(name, names) {
        Some(nearest) => problem.nearest(Some(nearest)),
        None => problem.expected(one_of(names)),
    }
}

/// "`this`, `that` or `another`"
pub(crate) fn one_of(names: &[&str]) -> String {
    let mut names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.dedup();
    let last = names.pop().unwrap_or_default();
    if names.is_empty() {
        return last;
    }
    format!("{} or {last}", names.join(", "))
}

/// What to write for this word and its value. All attempts are one more than the retries.
pub(crate) fn word(word: &str, value: &Raw) -> Option<String> {
    let (_, ours) = WORDS.iter().find(|(theirs, _)| *theirs == word)?;
    let attempts = word.ends_with("attempts");
    let number = value
        .whole()
        .filter(|number| *ours == "retries" && *number >= i128::from(attempts));
    Some(match number {
        Some(number) => format!("{ours} = {}", number - i128::from(attempts)),
        None => (*ours).to_owned(),
    })
}

/// A name as a segment of a path, in quotes where TOML needs them.
pub(crate) struct Segment<'a>(pub(crate) &'a str);

impl fmt::Display for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if !self.0.is_empty() && self.0.chars().all(bare) {
            f.write_str(self.0)
        } else {
            write!(f, "{:?}", self.0)
        }
    }
}
