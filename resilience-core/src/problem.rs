//! What is wrong in settings or between sites, collected.

use std::fmt;

use crate::settings::origin::Source;
use crate::site::Place;

/// Something that is wrong in settings or between sites, with its place. `Display` says all of it
/// in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Problem {
    /// What is wrong, and what holds meanwhile.
    pub message: String,
    /// The annotated functions that disagree.
    pub places: Vec<Place>,
    /// The full path of the setting, or the name of the field.
    pub key: Option<String>,
    /// Where the setting is written.
    pub source: Option<Source>,
    /// What would be right.
    pub expected: Option<String>,
    /// The right name, or value, that is nearest to the wrong one.
    pub nearest: Option<String>,
}

impl Problem {
    /// What is wrong with a field.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            key: Some(field.into()),
            ..Self::with(message.into())
        }
    }

    pub(crate) const fn with(message: String) -> Self {
        Self {
            message,
            places: Vec::new(),
            key: None,
            source: None,
            expected: None,
            nearest: None,
        }
    }

    pub(crate) fn between(message: String, places: Vec<Place>) -> Self {
        Self {
            places,
            ..Self::with(message)
        }
    }

    pub(crate) fn at(mut self, source: Source) -> Self {
        self.source = Some(source);
        self
    }

    pub(crate) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    pub(crate) fn nearest(mut self, nearest: Option<impl Into<String>>) -> Self {
        self.nearest = nearest.map(Into::into);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(Source::File { path, line, column }) => write!(f, "{path}:{line}:{column}: ")?,
            Some(source) => write!(f, "{source}: ")?,
            None => {}
        }
        if let Some(key) = &self.key {
            write!(f, "`{key}`: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(expected) = &self.expected {
            write!(f, ", expected {expected}")?;
        }
        if let Some(nearest) = &self.nearest {
            write!(f, " (did you mean `{nearest}`?)")?;
        }
        for (i, place) in self.places.iter().enumerate() {
            write!(f, "{}{place}", if i == 0 { ": " } else { ", " })?;
        }
        Ok(())
    }
}

/// Everything that is wrong, all at once.
///
/// Loading settings answers with it, and an application can collect in it what is wrong with a
/// configuration of its own:
///
/// ```
/// use resilience_core::Problems;
///
/// # struct Config { api_key: String, agents: u32 }
/// fn validate(config: &Config) -> Result<(), Problems> {
///     Problems::new()
///         .require(!config.api_key.is_empty(), "llm.api_key", "must not be empty")
///         .require(config.agents > 0, "agent.max_concurrent", "must be greater than 0")
///         .into_result()
/// }
///
/// let problems = validate(&Config { api_key: String::new(), agents: 0 }).unwrap_err();
/// assert_eq!(problems.len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Nothing wrong.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Unless the condition holds, there is a problem with this field.
    #[must_use]
    pub fn require(
        mut self,
        condition: bool,
        field: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        if !condition {
            self.push(Problem::new(field, message));
        }
        self
    }

    /// Adds a problem.
    pub fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One after the other.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// By file, line and column; what has no such place comes last.
    pub(crate) fn sort(&mut self) {
        self.0.sort_by_key(|problem| match &problem.source {
            Some(Source::File { path, line, column }) => (0, Some(path.clone()), *line, *column),
            _ => (1, None, 0, 0),
        });
    }

    /// `Ok` if there are none.
    pub fn into_result(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }
}

/// One line for each, or `no problems`.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("no problems");
        }
        for (i, problem) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl Extend<Problem> for Problems {
    fn extend<I: IntoIterator<Item = Problem>>(&mut self, problems: I) {
        self.0.extend(problems);
    }
}

impl FromIterator<Problem> for Problems {
    fn from_iter<I: IntoIterator<Item = Problem>>(problems: I) -> Self {
        Self(problems.into_iter().collect())
    }
}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
