//! What the JSON schema has to be, out of the same table of keys that reads settings.

use std::fmt;

use crate::settings::document::LogLevel;
use crate::settings::key::{Key, Kind};
use crate::settings::load::Settings;
use crate::settings::origin::Level;

fn schema() -> String {
    let legacy = |about| typed("integer", about).and("minimum", 0.into());
    let named =
        |level, about: &str| typed("object", about).and("additionalProperties", table(level));
    let rules = typed("object", "What an error is whose text has this pattern.")
        .and(
            "required",
            Json::Array(vec!["pattern".into(), "category".into()]),
        )
        .and(
            "properties",
            Json::object([
                ("pattern", typed("string", "A part of the text.")),
                ("category", typed("string", "The category of such errors.")),
                (
                    "retryable",
                    typed("boolean", "Instead of what the category says."),
                ),
            ]),
        )
        .and("additionalProperties", Json::Raw("false"));
    let telemetry = Json::object([
        (
            "error_history_limit",
            typed("integer", "How many recent errors are kept.").and("minimum", 0.into()),
        ),
        (
            "log_level",
            one_of(
                &LogLevel::NAMES,
                "The least important events that are logged.",
            ),
        ),
    ]);
    let sections = Json::object([
        ("defaults", table(Level::Defaults)),
        (
            "categories",
            named(
                Level::Categories,
                "Retries and delays by category of error.",
            ),
        ),
        ("services", named(Level::Services, "Settings by service.")),
        (
            "sites",
            named(Level::Sites, "Settings by operation, path or `file:line`."),
        ),
        (
            "resources",
            typed("object", "The limits of named resources.").and(
                "additionalProperties",
                typed("integer", "How much there is.").and("minimum", 0.into()),
            ),
        ),
        (
            "classify",
            typed("array", "Rules for texts of errors.").and("items", rules),
        ),
        (
            "telemetry",
            typed("object", "What is kept and logged.")
                .and("properties", telemetry)
                .and("additionalProperties", Json::Raw("false")),
        ),
        ("service_specific", legacy_services()),
        (
            "default_timeout_secs",
            legacy("`defaults.deadline`, in seconds."),
        ),
        ("default_max_retries", legacy("`defaults.retries`.")),
        ("max_retries", legacy("`defaults.retries`.")),
        (
            "circuit_breaker_threshold",
            legacy("`defaults.breaker.failure_threshold`."),
        ),
    ]);
    let schema = Json::object([
        ("$schema", "http://json-schema.org/draft-07/schema#".into()),
        ("title", "Settings of resilience".into()),
        ("type", "object".into()),
        ("properties", sections),
        ("additionalProperties", Json::Raw("false")),
    ]);
    format!("{schema}\n")
}

/// A table of settings.
fn table(level: Level) -> Json {
    typed("object", "Settings.")
        .and("properties", properties(level, ""))
        .and("additionalProperties", Json::Raw("false"))
}

/// The keys right below a path.
fn properties(level: Level, above: &str) -> Json {
    let mut found: Vec<(String, Json)> = Vec::new();
    for &key in Key::ALL.iter().filter(|key| level.takes(**key)) {
        let below = if above.is_empty() {
            Some(key.path())
        } else {
            let rest = key.path().strip_prefix(above);
            rest.and_then(|rest| rest.strip_prefix('.'))
        };
        let Some(below) = below else { continue };
        match below.split_once('.') {
            None => found.push((below.to_owned(), value(level, key))),
            // A group that is no key of its own.
            Some((group, _)) if found.iter().all(|(name, _)| name != group) => {
                let group_table = typed("object", "The delays between attempts.")
                    .and("properties", properties(level, group))
                    .and("additionalProperties", Json::Raw("false"));
                found.push((group.to_owned(), group_table));
            }
            Some(_) => {}
        }
    }
    Json::Object(found)
}

fn value(level: Level, key: Key) -> Json {
    let about = key.about();
    let duration = || typed("string", "A duration with its unit.").and("pattern", DURATION.into());
    let off = || one_of(&["off"], "Left out.");
    match key.kind() {
        Kind::Flag => typed("boolean", about),
        Kind::Count(least, most) => {
            let count = typed("integer", about).and("minimum", least.into());
            if most == u32::MAX {
                count
            } else {
                count.and("maximum", most.into())
            }
        }
        Kind::Factor => typed("number", about).and("minimum", 1.into()),
        Kind::Share => typed("number", about)
            .and("exclusiveMinimum", 0.into())
            .and("maximum", 1.into()),
        Kind::Ratio => typed("number", about)
            .and("minimum", 0.into())
            .and("maximum", 10.into()),
        Kind::Duration(_) => typed("string", about).and("pattern", DURATION.into()),
        Kind::Wait => typed("string", about).and("pattern", RANGE.into()),
        Kind::Rate => typed("string", about).and("pattern", RATE.into()),
        Kind::Limit => any(about, vec![off(), duration()]),
        Kind::Window => {
            let outcomes = typed("integer", "So many outcomes.").and("minimum", 1.into());
            any(about, vec![outcomes, duration()])
        }
        Kind::Categories => {
            let name = typed("string", "The name of a category.").and("pattern", CATEGORY.into());
            typed("array", about).and("items", name)
        }
        Kind::Jitter => one_of(&["proportional", "full", "decorrelated", "none"], about),
        Kind::Nested => one_of(&["stop", "retry"], about),
        Kind::Part(_) if level == Level::Sites => one_of(&["off"], about),
        Kind::Part(_) => {
            let numbers = typed("object", about)
                .and("properties", properties(level, key.path()))
                .and("additionalProperties", Json::Raw("false"));
            let mut ways = vec![off(), numbers];
            if key == Key::RateLimit {
                let short = typed("string", "The limit alone.").and("pattern", RATE.into());
                ways.push(short);
            }
            any(about, ways)
        }
    }
}

fn legacy_services() -> Json {
    let integer = |about| typed("integer", about).and("minimum", 0.into());
    let names = Json::object([
        ("timeout_secs", integer("`deadline`, in seconds.")),
        ("max_retries", integer("`retries`.")),
        ("failure_threshold", integer("`breaker.failure_threshold`.")),
        (
            "wait_duration_secs",
            integer("`breaker.wait_duration`, in seconds."),
        ),
        (
            "rate_limit_requests",
            integer("The first half of `rate_limit`."),
        ),
        (
            "rate_limit_window_secs",
            integer("The second half, in seconds."),
        ),
    ]);
    let service = typed("object", "Settings.").and("properties", names);
    typed("object", "`services` with other names.").and("additionalProperties", service)
}

fn typed(kind: &'static str, about: &str) -> Json {
    Json::object([("type", kind.into()), ("description", about.into())])
}

fn one_of(names: &[&str], about: &str) -> Json {
    let names = names.iter().map(|name| Json::from(*name)).collect();
    Json::object([("description", about.into()), ("enum", Json::Array(names))])
}

fn any(about: &str, ways: Vec<Json>) -> Json {
    Json::object([("description", about.into()), ("anyOf", Json::Array(ways))])
}

#[derive(Clone, Debug)]
enum Json {
    Raw(&'static str),
    Number(u32),
    Text(String),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Json {
    fn object<const N: usize>(members: [(&str, Self); N]) -> Self {
        let members = members.into_iter();
        Self::Object(
            members
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )
    }

    fn and(mut self, name: &str, value: Self) -> Self {
        if let Self::Object(members) = &mut self {
            members.push((name.to_owned(), value));
        }
        self
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, indent: usize) -> fmt::Result {
        let inner = indent + 2;
        match self {
            Self::Raw(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
            // All texts are ours, without control characters.
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Array(values) => {
                for (i, value) in values.iter().enumerate() {
                    let open = if i == 0 { "[" } else { "," };
                    write!(f, "{open}\n{:inner$}", "")?;
                    value.write(f, inner)?;
                }
                write!(f, "\n{:indent$}]", "")
            }
            Self::Object(members) => {
                for (i, (name, value)) in members.iter().enumerate() {
                    let open = if i == 0 { "{" } else { "," };
                    write!(f, "{open}\n{:inner$}{name:?}: ", "")?;
                    value.write(f, inner)?;
                }
                write!(f, "\n{:indent$}}}", "")
            }
        }
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<u32> for Json {
    fn from(number: u32) -> Self {
        Self::Number(number)
    }
}

const DURATION: &str = "^ *[0-9].*[a-zA-Z] *$";
const RANGE: &str = "^ *[0-9].*[a-zA-Z]( *[.][.] *[0-9].*[a-zA-Z])? *$";
const CATEGORY: &str = "^[a-z0-9_]{1,64}$";
const RATE: &str = "^ *[0-9_]+ */ *[0-9].*[a-zA-Z] *$";

/// To write the file anew: `UPDATE_SCHEMA=1 cargo test -p resilience-core schema`.
#[test]
fn the_file_in_the_repository_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/settings.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        return std::fs::write(path, schema()).unwrap();
    }
    assert!(
        Settings::schema() == schema(),
        "settings.schema.json is not current"
    );
}

#[test]
fn it_is_json_and_has_every_key() {
    let schema: serde_json::Value = serde_json::from_str(Settings::schema()).unwrap();
    let service = &schema["properties"]["services"]["additionalProperties"]["properties"];
    for key in Key::ALL {
        let mut at = service;
        for segment in key.path().split('.') {
            let table = at["anyOf"][1]["properties"].get(segment);
            at = at
                .get(segment)
                .or_else(|| at["properties"].get(segment))
                .or(table)
                .unwrap_or_else(|| panic!("{}", key.path()));
        }
        assert!(at.get("description").is_some(), "{}", key.path());
    }
    let category = &schema["properties"]["categories"]["additionalProperties"]["properties"];
    let names: Vec<_> = category.as_object().unwrap().keys().collect();
    assert_eq!(names, ["backoff", "retries"]);
}
