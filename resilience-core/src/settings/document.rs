//! All that is written, as it was understood.

use crate::Severity;
use crate::breaker::BreakerState;
use crate::event::{Event, Reload};
use crate::settings::origin::Source;
use crate::settings::resolve::Written;
use crate::sorted::Sorted;

/// What files and variables say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Document {
    pub(crate) written: Written,
    /// The limits of named resources.
    pub(crate) resources: Sorted<String, (u64, Source)>,
    pub(crate) classify: Vec<ClassifyRule>,
    pub(crate) error_history_limit: Option<(usize, Source)>,
    pub(crate) log_level: Option<(LogLevel, Source)>,
}

/// A rule of `[[classify]]`: what an error is whose text has this pattern.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClassifyRule {
    pub(crate) pattern: String,
    pub(crate) category: String,
    /// Instead of what the category says.
    pub(crate) retryable: Option<bool>,
    pub(crate) source: Source,
}

/// The least important events that are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl LogLevel {
    pub(crate) const NAMES: [&'static str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

    /// The level of this name, or of a name that other languages have for it.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Some(match &*name.to_ascii_lowercase() {
            "off" => Self::Off,
            "error" | "critical" | "fatal" => Self::Error,
            "warn" | "warning" => Self::Warn,
            "info" => Self::Info,
            "debug" => Self::Debug,
            "trace" => Self::Trace,
            _ => return None,
        })
    }

    /// How important an event is for a log.
    pub(crate) fn needed(event: &Event<'_>) -> Self {
        match event {
            Event::AttemptFailed(failure) if !failure.last || failure.refused => Self::Debug,
            Event::AttemptFailed(failure) if failure.severity >= Severity::High => Self::Error,
            Event::BreakerMoved {
                to: BreakerState::HalfOpen | BreakerState::Closed,
                ..
            }
            | Event::SettingsReloaded {
                result: Reload::Applied,
                ..
            } => Self::Info,
            Event::AttemptFailed(_)
            | Event::BreakerMoved { .. }
            | Event::SettingsReloaded {
                result: Reload::Rejected,
                ..
            } => Self::Warn,
            Event::CallFinished { .. } => Self::Trace,
            _ => Self::Debug,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}
