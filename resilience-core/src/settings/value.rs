//! What is written, made the value of a key.

use std::time::Duration;

use crate::options::{Jitter, Nested, Window};
use crate::settings::BreakerSettings;
use crate::settings::counted::Categories;
use crate::settings::key::{Kind, Value};
use crate::settings::nearest::nearest;

/// What is written, whatever wrote it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(feature = "toml"), allow(dead_code, reason = "variables are bare"))]
pub(crate) enum Raw {
    Flag(bool),
    Whole(i128),
    Number(f64),
    Text(String),
    /// Of a variable, which does not say what it is.
    Bare(String),
    Array(Vec<super::node::Node>),
    Table(super::node::Table),
    /// Of a type that no key takes.
    Other(&'static str),
}

/// What a key would have taken instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) what: String,
    pub(crate) nearest: Option<String>,
}

impl Kind {
    /// The value that is written, if this kind of key takes it.
    pub(crate) fn read(self, raw: &Raw) -> Result<Value, Expected> {
        self.try_read(raw).ok_or_else(|| Expected {
            what: self.expected(),
            nearest: self.hint(raw),
        })
    }

    fn try_read(self, raw: &Raw) -> Option<Value> {
        match self {
            Self::Flag => match raw {
                Raw::Flag(flag) => Some(Value::Flag(*flag)),
                Raw::Bare(text) => text.parse().ok().map(Value::Flag),
                _ => None,
            },
            Self::Count(least, most) => raw
                .whole()
                .and_then(|whole| u32::try_from(whole).ok())
                .filter(|count| (least..=most).contains(count))
                .map(Value::Count),
            Self::Factor => raw.number().filter(|n| *n >= 1.0).map(Value::Number),
            Self::Share => raw
                .number()
                .filter(|n| *n > 0.0 && *n <= 1.0)
                .map(Value::Number),
            Self::Ratio => raw
                .number()
                .filter(|n| *n == 0.0 || (0.01..=10.0).contains(n))
                .map(Value::Number),
            Self::Duration(least) => raw
                .duration()
                .filter(|duration| *duration >= least)
                .map(Value::Duration),
            Self::Limit if raw.text() == Some("off") => Some(Value::Off),
            Self::Limit => raw
                .duration()
                .filter(|duration| !duration.is_zero())
                .map(Value::Duration),
            Self::Wait => wait(raw.text()?),
            Self::Window => window(raw),
            Self::Rate => rate(raw.text()?),
            Self::Categories => categories(raw),
            Self::Jitter => JITTERS
                .into_iter()
                .find(|jitter| Some(jitter.as_str()) == raw.text())
                .map(Value::Jitter),
            Self::Nested => [Nested::Stop, Nested::Retry]
                .into_iter()
                .find(|nested| Some(nested.as_str()) == raw.text())
                .map(Value::Nested),
            Self::Part(_) => (raw.text() == Some("off")).then_some(Value::Off),
        }
    }

    fn expected(self) -> String {
        let expected = match self {
            Self::Flag => "`true` or `false`",
            Self::Count(least, u32::MAX) => return format!("a whole number of at least {least}"),
            Self::Count(least, most) => return format!("a whole number from {least} to {most}"),
            Self::Factor => "a number of at least 1",
            Self::Share => "a share above 0 and at most 1: half of them is 0.5",
            Self::Ratio => "0, or a share from 0.01 to 10: a fifth of the calls is 0.2",
            Self::Duration(Duration::ZERO) => r#"a duration with its unit, as in "500ms""#,
            Self::Duration(_) => r#"a duration above zero with its unit, as in "500ms""#,
            Self::Limit => r#"a duration above zero with its unit, as in "30s", or "off""#,
            Self::Wait => {
                r#"a duration above zero, as in "30s", or a range that grows, as in "30s..5m""#
            }
            Self::Window => {
                let most = BreakerSettings::MAX_WINDOW;
                return format!(
                    "a number of outcomes from 1 to {most}, or a duration of at least 1 ms, as in \
                     \"60s\""
                );
            }
            Self::Rate => r#"attempts in a time, as in "100/60s""#,
            Self::Categories => r#"the names of categories, as in `["rate_limit", "auth"]`"#,
            Self::Jitter => r#""proportional", "full", "decorrelated" or "none""#,
            Self::Nested => r#""stop" or "retry""#,
            Self::Part(example) => return format!(r#"a table, as in `{example}`, or "off""#),
        };
        expected.to_owned()
    }

    /// What was most likely meant.
    fn hint(self, raw: &Raw) -> Option<String> {
        let switch = matches!(self, Self::Limit | Self::Part(_));
        match raw {
            Raw::Flag(false) if switch => Some(r#""off""#.into()),
            Raw::Text(text) if switch && text.eq_ignore_ascii_case("off") => {
                Some(r#""off""#.into())
            }
            Raw::Whole(whole)
                if *whole > 0 && matches!(self, Self::Duration(_) | Self::Limit | Self::Wait) =>
            {
                Some(format!(r#""{whole}s""#))
            }
            Raw::Text(text) if matches!(self, Self::Categories) => Some(format!("[{text:?}]")),
            Raw::Text(text) if matches!(self, Self::Jitter) => {
                let names = JITTERS.map(Jitter::as_str);
                nearest(text, &names).map(|name| format!(r#""{name}""#))
            }
            Raw::Text(text) if matches!(self, Self::Nested) => {
                nearest(text, &["stop", "retry"]).map(|name| format!(r#""{name}""#))
            }
            Raw::Text(text)
                if matches!(
                    self,
                    Self::Count(..) | Self::Factor | Self::Share | Self::Ratio | Self::Flag
                ) =>
            {
                // In quotes, and right without them.
                self.try_read(&Raw::Bare(text.clone()))
                    .map(|_| text.clone())
            }
            Raw::Number(_) | Raw::Whole(_) if matches!(self, Self::Share) => raw
                .number()
                .filter(|percent| *percent > 1.0 && *percent <= 100.0)
                .map(|percent| (percent / 100.0).to_string()),
            _ => None,
        }
    }
}

impl Raw {
    /// What was found, in words.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Flag(flag) => format!("found `{flag}`"),
            Self::Whole(whole) => format!("found `{whole}`"),
            Self::Number(number) => format!("found `{number}`"),
            Self::Text(text) => format!("found {:?}", shortened(text)),
            Self::Bare(text) => format!("found `{}`", shortened(text)),
            Self::Array(_) => "found an array".into(),
            Self::Table(_) => "found a table".into(),
            Self::Other(name) => format!("found a {name}"),
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Bare(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn whole(&self) -> Option<i128> {
        match self {
            Self::Whole(whole) => Some(*whole),
            Self::Bare(text) => text.parse().ok(),
            _ => None,
        }
    }

    pub(crate) fn number(&self) -> Option<f64> {
        let number = match self {
            #[expect(clippy::cast_precision_loss, reason = "no key takes a number so large")]
            Self::Whole(whole) => *whole as f64,
            Self::Number(number) => *number,
            Self::Bare(text) => text.parse().ok()?,
            _ => return None,
        };
        number.is_finite().then_some(number)
    }

    pub(crate) fn duration(&self) -> Option<Duration> {
        duration(self.text()?)
    }
}

fn shortened(text: &str) -> &str {
    text.char_indices()
        .nth(60)
        .map_or(text, |(end, _)| &text[..end])
}

fn duration(text: &str) -> Option<Duration> {
    // "0" needs no unit there.
    humantime::parse_duration(text)
        .ok()
        .filter(|_| text.contains(|c: char| c.is_alphabetic()))
}

fn wait(text: &str) -> Option<Value> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let (first, last) = (duration(first.trim())?, duration(last.trim())?);
    (!first.is_zero() && first <= last).then_some(Value::Wait(first, last))
}

fn window(raw: &Raw) -> Option<Value> {
    if let Some(whole) = raw.whole() {
        let count = u32::try_from(whole).ok()?;
        return (1..=BreakerSettings::MAX_WINDOW)
            .contains(&count)
            .then_some(Value::Window(Window::Count(count)));
    }
    raw.duration()
        .filter(|span| *span >= BreakerSettings::MIN_SPAN)
        .map(|span| Value::Window(Window::Time(span)))
}

/// An array of names; a variable has them with commas between them.
fn categories(raw: &Raw) -> Option<Value> {
    let names: Vec<&str> = match raw {
        Raw::Array(nodes) => nodes
            .iter()
            .map(|node| match &node.raw {
                Raw::Text(name) => Some(&**name),
                _ => None,
            })
            .collect::<Option<_>>()?,
        Raw::Bare(text) if text.trim().is_empty() => Vec::new(),
        Raw::Bare(text) => text.split(',').map(str::trim).collect(),
        _ => return None,
    };
    Some(Value::Categories(Categories::new(&names)))
}

fn rate(text: &str) -> Option<Value> {
    let (attempts, period) = text.split_once('/')?;
    let attempts: u32 = attempts.trim().replace('_', "").parse().ok()?;
    let period = duration(period.trim())?;
    (attempts > 0 && !period.is_zero()).then_some(Value::Rate(attempts, period))
}

const JITTERS: [Jitter; 4] = [
    Jitter::Proportional,
    Jitter::Full,
    Jitter::Decorrelated,
    Jitter::None,
];
