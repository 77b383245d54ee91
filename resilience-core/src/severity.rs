//! How bad a failure is.

use std::fmt;

/// How bad a failure is. The order is from low to critical.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Passing, or the caller's own doing.
    Low,
    /// May need somebody.
    Medium,
    /// Needs attention at once.
    High,
    /// Data or start-up is at stake. Never retried.
    Critical,
}

impl Severity {
    /// Every severity, from low to critical.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The name, as written in attributes, settings and telemetry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
