//! Where a breaker is, and how it got there.

use std::fmt;

/// Where a breaker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BreakerState {
    /// Calls go through.
    Closed,
    /// Calls are refused.
    Open,
    /// A few probes go through, to see whether the service is back.
    HalfOpen,
    /// Calls are refused until somebody [resets](crate::BreakerHandle::reset) it.
    ForcedOpen,
    /// Calls go through and are counted, and nothing opens it until somebody resets it.
    ForcedClosed,
    /// Calls go through and are not counted, until somebody resets it.
    Disabled,
}

/// What opened a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OpenedBy {
    /// Failures: so many in a row, or too large a share.
    Failures,
    /// Too large a share of slow calls.
    SlowCalls,
    /// Somebody, with [`force_open`](crate::BreakerHandle::force_open).
    Hand,
}

/// Why a breaker is open, and how many failures or slow calls it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) by: OpenedBy,
    pub(crate) count: u32,
}

/// A change of state, to be told to listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) from: BreakerState,
    pub(crate) to: BreakerState,
    /// The failures, or slow calls, that opened it.
    pub(crate) failures: u32,
    /// Where it is open now, or half-open.
    pub(crate) opened_by: Option<OpenedBy>,
}

/// What an operator asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manual {
    ForceOpen,
    ForceClosed,
    Disable,
    Reset,
}

impl Reason {
    pub(super) const HAND: Self = Self {
        by: OpenedBy::Hand,
        count: 0,
    };

    /// What opened it again: as many more of the same, or what its probes came to instead.
    pub(super) fn and(self, by: OpenedBy, count: u32) -> Self {
        let before = if self.by == by { self.count } else { 0 };
        Self {
            by,
            count: before.saturating_add(count),
        }
    }
}

impl OpenedBy {
    /// That of this number, as `as u8` gives it.
    pub(crate) const fn of(number: u8) -> Self {
        match number {
            0 => Self::Failures,
            1 => Self::SlowCalls,
            _ => Self::Hand,
        }
    }

    /// The name, as in telemetry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failures => "failures",
            Self::SlowCalls => "slow_calls",
            Self::Hand => "hand",
        }
    }
}

impl BreakerState {
    /// The name, as in telemetry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::ForcedOpen => "forced_open",
            Self::ForcedClosed => "forced_closed",
            Self::Disabled => "disabled",
        }
    }
}

impl fmt::Display for BreakerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
