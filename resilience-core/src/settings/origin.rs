//! Where a value comes from.

use std::fmt;
use std::sync::Arc;

use crate::Place;

/// Where an effective setting comes from: how specific the place is, and the place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Origin {
    /// Which of several would win.
    pub level: Level,
    /// Where it is written.
    pub source: Source,
}

/// How specific a place for settings is. The first one that says something holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Level {
    /// `[sites."path::to::fn"]`
    Sites,
    /// `[services.NAME]`
    Services,
    /// The attribute.
    Attribute,
    /// `[categories.NAME]`
    Categories,
    /// `[defaults]`
    Defaults,
    /// What ships for a service of this name.
    Profile,
    /// What ships for a category.
    Table,
    /// What ships for everything.
    Library,
}

/// Where something is written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Source {
    /// In this crate.
    BuiltIn,
    /// In an attribute.
    Attribute(Place),
    /// In a file.
    #[non_exhaustive]
    File {
        /// The file, as it was given.
        #[cfg_attr(feature = "serde", serde(serialize_with = "serialize_text"))]
        path: Arc<str>,
        /// The line, from 1.
        line: u32,
        /// The column, from 1.
        column: u32,
    },
    /// In an environment variable of this name.
    Variable(#[cfg_attr(feature = "serde", serde(serialize_with = "serialize_text"))] Arc<str>),
}

impl Origin {
    pub(crate) const fn built_in(level: Level) -> Self {
        Self {
            level,
            source: Source::BuiltIn,
        }
    }

    pub(crate) const fn attribute(place: Place) -> Self {
        Self {
            level: Level::Attribute,
            source: Source::Attribute(place),
        }
    }
}

impl Level {
    /// The name, as written in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sites => "sites",
            Self::Services => "services",
            Self::Attribute => "attribute",
            Self::Categories => "categories",
            Self::Defaults => "defaults",
            Self::Profile => "profile",
            Self::Table => "table",
            Self::Library => "library",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built in"),
            Self::Attribute(place) => place.fmt(f),
            Self::File { path, line, .. } => write!(f, "{path}:{line}"),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.source {
            Source::BuiltIn => self.level.fmt(f),
            _ => write!(f, "{} ({})", self.level, self.source),
        }
    }
}

#[cfg(feature = "serde")]
fn serialize_text<S: serde::Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}
