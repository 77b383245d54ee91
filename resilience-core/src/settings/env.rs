//! Environment variables, as trees like those of files.

use crate::problem::Problem;
use crate::settings::key::Key;
use crate::settings::names::{SECTIONS, unknown};
use crate::settings::node::Node;
use crate::settings::origin::Source;
use crate::settings::read::Reader;
use crate::settings::value::Raw;
use crate::sorted::Sorted;

/// Names the file.
pub(crate) const CONFIG: &str = "RESILIENCE_CONFIG";
/// `sites."a::b".retries=2; ..`
const SET: &str = "RESILIENCE_SET";
/// `RESILIENCE__SERVICES__WEAVIATE__RETRIES`
const KEY: &str = "RESILIENCE__";

/// Variables, by name.
pub(crate) type Variables = Vec<(String, String)>;

/// Whether a variable is one of this crate's.
pub(crate) fn is_ours(name: &str) -> bool {
    let prefix = name.get(.."RESILIENCE_".len());
    prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case("RESILIENCE_"))
}

/// The variables of this process. What is no text has a mark in it that no value takes, so that it is
/// told where it is read.
pub(crate) fn of_process() -> Variables {
    std::env::vars_os()
        .map(|(name, value)| {
            let text = |it: std::ffi::OsString| it.to_string_lossy().into_owned();
            (text(name), text(value))
        })
        .collect()
}

/// Reads the variables that name keys, then those of `RESILIENCE_SET`.
pub(crate) fn read_keys(variables: &Variables, reader: &mut Reader<'_>) {
    let mut sorted = Vec::new();
    for (_, positions) in &Sorted::positions(variables.iter().map(|(name, _)| &**name)) {
        sorted.extend(positions.iter().map(|at| &variables[*at]));
    }
    for (name, value) in &sorted {
        let source = Source::Variable(name.as_str().into());
        let prefix = name.get(..KEY.len());
        if !prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(KEY)) {
            continue;
        }
        match path_of(&name[KEY.len()..], reader) {
            Ok(path) => {
                let value = Raw::Bare(value.trim().to_owned());
                read_value(&path, value, &source, reader);
            }
            Err(problem) => reader.problems.push(problem.at(source)),
        }
    }
    for (name, value) in sorted {
        if name.eq_ignore_ascii_case(SET) {
            let source = Source::Variable(name.as_str().into());
            read_set(value, &source, reader);
        }
    }
}

/// A value at the end of a path, unless no key can be so deep: a tree of it would be too deep as well.
fn read_value(path: &[String], value: Raw, source: &Source, reader: &mut Reader<'_>) {
    if path.len() <= DEEPEST {
        reader.document(&Node::at_path(path, value, source));
    } else {
        let message = format!(
            "names a path of {} segments, and no key has so many",
            path.len()
        );
        reader
            .problems
            .push(Problem::with(message).at(source.clone()));
    }
}

/// The path that a variable's name means.
fn path_of(name: &str, reader: &Reader<'_>) -> Result<Vec<String>, Box<Problem>> {
    let segments: Vec<String> = name
        .split("__")
        .map(|segment| segment.to_ascii_lowercase().replace('-', "_"))
        .collect();
    let (section, rest) = match &segments[..] {
        [section, rest @ ..] => (section.as_str(), rest),
        [] => ("", &[][..]),
    };
    match section {
        "defaults" | "telemetry" => Ok(segments),
        // Whatever follows is one name.
        "resources" => {
            let known = reader.document.resources.iter();
            let known: Vec<_> = known.map(|(name, _)| &**name).collect();
            Ok(vec![
                section.to_owned(),
                known_name(&rest.join("__"), &known),
            ])
        }
        "services" | "sites" | "categories" => {
            // A name may have `__` in it, a key has not: the longest key decides.
            let longest = rest.len().saturating_sub(KEY_SEGMENTS).max(1);
            let split = (longest..rest.len()).find(|at| is_key(&rest[*at..]));
            let at = split.unwrap_or(1).min(rest.len());
            let (name, key) = rest.split_at(at);
            let name = resolve_name(section, &name.join("__"), reader);
            let mut path = vec![section.to_owned(), name];
            path.extend(key.iter().cloned());
            Ok(path)
        }
        section => Err(Box::new(Problem {
            key: Some(name.to_ascii_lowercase()),
            ..unknown(section, SECTIONS)
        })),
    }
}

fn is_key(segments: &[String]) -> bool {
    Key::of_path(&segments.join(".")).is_some()
}

/// The name as it is spelt where it is known.
fn resolve_name(section: &str, name: &str, reader: &Reader<'_>) -> String {
    let (known, document) = (reader.known, &*reader.document);
    match section {
        "services" => {
            let written = document.written.services.iter();
            let mut services: Vec<_> = written.map(|(name, _)| &**name).collect();
            services.extend(known.services());
            known_name(name, &services)
        }
        "sites" => known_name(name, &known.site_names()),
        _ => known_name(name, &known.category_names()),
    }
}

fn known_name(name: &str, known: &[&str]) -> String {
    let fold = |text: &str| text.to_ascii_lowercase().replace('-', "_");
    let known = known.iter().find(|known| fold(known) == name);
    known.map_or(name, |known| known).to_owned()
}

/// `path = value; path = value`
fn read_set(text: &str, source: &Source, reader: &mut Reader<'_>) {
    for part in split_unquoted(text, ';') {
        let part = part.trim();
        if part.is_empty() {
            continue;
        }
        let wrong = |expected: &str| {
            Problem::new(part.to_owned(), "cannot be read")
                .at(source.clone())
                .expected(expected)
        };
        let mut sides = split_unquoted(part, '=').into_iter();
        let (Some(path), Some(value), None) = (sides.next(), sides.next(), sides.next()) else {
            reader
                .problems
                .push(wrong("`path = value`, with `;` between them"));
            continue;
        };
        let path: Option<Vec<_>> = split_unquoted(path, '.').into_iter().map(segment).collect();
        let Some(path) = path else {
            reader
                .problems
                .push(wrong(r#"a path as in `sites."a::b".retries`"#));
            continue;
        };
        let value = value.trim();
        let value = unquoted(value).unwrap_or(value);
        read_value(&path, Raw::Bare(value.to_owned()), source, reader);
    }
}

fn segment(text: &str) -> Option<String> {
    let text = text.trim();
    let name = unquoted(text).unwrap_or(text);
    (!name.is_empty()).then(|| name.to_owned())
}

fn unquoted(text: &str) -> Option<&str> {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
}

/// Splits at `at` where no quotes are around it.
fn split_unquoted(text: &str, at: char) -> Vec<&str> {
    let mut quote = None;
    let mut parts = Vec::new();
    let mut start = 0;
    for (position, c) in text.char_indices() {
        match quote {
            Some(open) if open == c => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == at => {
                parts.push(&text[start..position]);
                start = position + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Reads the seven variables of an application, under a prefix that is matched exactly as given.
pub(crate) fn read_prefixed(variables: &Variables, prefix: &str, reader: &mut Reader<'_>) {
    for (suffix, path, meaning) in PREFIXED {
        let name = format!("{prefix}{suffix}");
        let Some((_, value)) = variables.iter().find(|(known, _)| *known == name) else {
            continue;
        };
        let source = Source::Variable(name.as_str().into());
        if let Some(value) = meaning.value(value.trim()) {
            let path: Vec<_> = path.iter().map(ToString::to_string).collect();
            reader.document(&Node::at_path(&path, value, &source));
        } else {
            let problem = Problem::new(path.join("."), format!("found `{value}`"));
            let problem = problem.at(source).expected(meaning.expected());
            reader.problems.push(problem);
        }
    }
}

/// What the number in a variable is.
#[derive(Clone, Copy, Debug)]
enum Meaning {
    /// As it stands.
    Same,
    /// All attempts, the first among them.
    Attempts,
    Seconds,
}

impl Meaning {
    fn value(self, text: &str) -> Option<Raw> {
        match self {
            Self::Same => Some(Raw::Bare(text.to_owned())),
            Self::Attempts => {
                let attempts: u32 = text.parse().ok()?;
                Some(Raw::Whole(attempts.checked_sub(1)?.into()))
            }
            Self::Seconds => match text.parse::<f64>() {
                Ok(seconds) => {
                    let duration = std::time::Duration::try_from_secs_f64(seconds).ok()?;
                    let text = humantime::format_duration(duration).to_string();
                    Some(Raw::Bare(text))
                }
                Err(_) => Some(Raw::Bare(text.to_owned())),
            },
        }
    }

    const fn expected(self) -> &'static str {
        match self {
            Self::Same => "a value",
            Self::Attempts => "a whole number of at least 1: all attempts, the first among them",
            Self::Seconds => "a number of seconds",
        }
    }
}

const PREFIXED: &[(&str, &[&str], Meaning)] = &[
    (
        "MAX_RETRY_ATTEMPTS",
        &["defaults", "retries"],
        Meaning::Attempts,
    ),
    (
        "RETRY_BASE_DELAY",
        &["defaults", "backoff", "initial"],
        Meaning::Seconds,
    ),
    (
        "RETRY_MAX_DELAY",
        &["defaults", "backoff", "max"],
        Meaning::Seconds,
    ),
    (
        "CB_FAILURE_THRESHOLD",
        &["defaults", "breaker", "failure_threshold"],
        Meaning::Same,
    ),
    (
        "CB_RECOVERY_TIMEOUT",
        &["defaults", "breaker", "wait_duration"],
        Meaning::Seconds,
    ),
    (
        "ERROR_HISTORY_LIMIT",
        &["telemetry", "error_history_limit"],
        Meaning::Same,
    ),
    ("LOG_LEVEL", &["telemetry", "log_level"], Meaning::Same),
];

/// `breaker.failure_threshold`: no key has more.
const KEY_SEGMENTS: usize = 2;
/// `services.NAME.breaker.failure_threshold` is the deepest, and a mistake is not much deeper.
const DEEPEST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_has_more_segments_than_are_looked_at() {
        for key in Key::ALL {
            assert!(key.path().split('.').count() <= KEY_SEGMENTS, "{key:?}");
        }
    }
}
