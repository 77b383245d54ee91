//! What can be set: every key with its path, the values it takes, and who owns it.

use std::fmt;
use std::time::Duration;

use crate::options::{Jitter, Nested, Window};
use crate::settings::BreakerSettings;
use crate::settings::counted::Categories;

/// A setting, by its path below a table of settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    Enabled,
    Retries,
    Initial,
    Max,
    Factor,
    Jitter,
    Timeout,
    Deadline,
    Nested,
    Idempotent,
    Breaker,
    FailureThreshold,
    DistinctCalls,
    FailureRateThreshold,
    SlowCallDuration,
    SlowCallRateThreshold,
    Window,
    MinimumCalls,
    SuccessThreshold,
    WaitDuration,
    Ignore,
    Record,
    RateLimit,
    Limit,
    Burst,
    MaxWait,
    Exact,
    Bulkhead,
    Concurrency,
    Queue,
    Budget,
    Ratio,
    MinPerSecond,
}

/// The values that a key takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// `true` or `false`.
    Flag,
    /// A whole number between these.
    Count(u32, u32),
    /// At least 1.
    Factor,
    /// Above 0, at most 1.
    Share,
    /// 0, or 0.01 to 10.
    Ratio,
    /// A duration, at least this long.
    Duration(Duration),
    /// A duration above zero, or `"off"`.
    Limit,
    /// A duration above zero, or two of them: `"30s..5m"`.
    Wait,
    /// A number of outcomes, or a duration.
    Window,
    /// `"100/60s"`.
    Rate,
    /// The names of categories.
    Categories,
    /// The name of a jitter.
    Jitter,
    /// `"stop"` or `"retry"`.
    Nested,
    /// `"off"`, or a table of the keys below, as this one.
    Part(&'static str),
}

/// A value of a key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Flag(bool),
    Count(u32),
    Number(f64),
    Duration(Duration),
    /// From the first to the last.
    Wait(Duration, Duration),
    Window(Window),
    Rate(u32, Duration),
    Categories(Categories),
    Jitter(Jitter),
    Nested(Nested),
    Off,
    /// Of a part: on, with the numbers of the keys below it.
    On,
}

/// Whose a key's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Site,
    /// Shared by the sites of a service; a site can only switch it off.
    Service,
}

impl Key {
    pub(crate) const ALL: &[Self] = &[
        Self::Enabled,
        Self::Retries,
        Self::Initial,
        Self::Max,
        Self::Factor,
        Self::Jitter,
        Self::Timeout,
        Self::Deadline,
        Self::Nested,
        Self::Idempotent,
        Self::Breaker,
        Self::FailureThreshold,
        Self::DistinctCalls,
        Self::FailureRateThreshold,
        Self::SlowCallDuration,
        Self::SlowCallRateThreshold,
        Self::Window,
        Self::MinimumCalls,
        Self::SuccessThreshold,
        Self::WaitDuration,
        Self::Ignore,
        Self::Record,
        Self::RateLimit,
        Self::Limit,
        Self::Burst,
        Self::MaxWait,
        Self::Exact,
        Self::Bulkhead,
        Self::Concurrency,
        Self::Queue,
        Self::Budget,
        Self::Ratio,
        Self::MinPerSecond,
    ];

    /// How errors of a category are retried: all that a category can have.
    pub(crate) const RETRY: &[Self] = &[
        Self::Retries,
        Self::Initial,
        Self::Max,
        Self::Factor,
        Self::Jitter,
    ];

    /// The path, as written in settings.
    pub(crate) const fn path(self) -> &'static str {
        self.spec().0
    }

    pub(crate) const fn kind(self) -> Kind {
        self.spec().1
    }

    /// What it is, in a sentence, for the schema.
    #[cfg(test)]
    pub(crate) const fn about(self) -> &'static str {
        self.spec().2
    }

    /// The last segment of the path.
    pub(crate) fn name(self) -> &'static str {
        self.path().rsplit('.').next().unwrap_or_default()
    }

    /// The part that this key is a number of, or that it switches.
    pub(crate) const fn part(self) -> Option<Self> {
        Some(match self {
            Self::Breaker
            | Self::FailureThreshold
            | Self::DistinctCalls
            | Self::FailureRateThreshold
            | Self::SlowCallDuration
            | Self::SlowCallRateThreshold
            | Self::Window
            | Self::MinimumCalls
            | Self::SuccessThreshold
            | Self::WaitDuration
            | Self::Ignore
            | Self::Record => Self::Breaker,
            Self::RateLimit | Self::Limit | Self::Burst | Self::MaxWait | Self::Exact => {
                Self::RateLimit
            }
            Self::Bulkhead | Self::Concurrency | Self::Queue => Self::Bulkhead,
            Self::Budget | Self::Ratio | Self::MinPerSecond => Self::Budget,
            _ => return None,
        })
    }

    pub(crate) const fn owner(self) -> Owner {
        match self.part() {
            Some(_) => Owner::Service,
            None => Owner::Site,
        }
    }

    /// The key of this path.
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|key| key.path() == path)
    }

    #[expect(clippy::too_many_lines, reason = "it is a table")]
    const fn spec(self) -> (&'static str, Kind, &'static str) {
        const ANY: u32 = u32::MAX;
        const NANO: Duration = Duration::from_nanos(1);
        match self {
            Self::Enabled => (
                "enabled",
                Kind::Flag,
                "With `false`, the body runs once, without any pattern around it.",
            ),
            Self::Retries => (
                "retries",
                Kind::Count(0, ANY),
                "Further attempts after the first.",
            ),
            Self::Initial => (
                "backoff.initial",
                Kind::Duration(Duration::ZERO),
                "The delay before the second attempt.",
            ),
            Self::Max => (
                "backoff.max",
                Kind::Duration(Duration::ZERO),
                "No delay is longer.",
            ),
            Self::Factor => (
                "backoff.factor",
                Kind::Factor,
                "Each delay is this many times the one before.",
            ),
            Self::Jitter => ("backoff.jitter", Kind::Jitter, "How delays are spread."),
            Self::Timeout => ("timeout", Kind::Limit, "How long one attempt may take."),
            Self::Deadline => (
                "deadline",
                Kind::Limit,
                "How long the call may take, all attempts and delays together.",
            ),
            Self::Nested => (
                "nested",
                Kind::Nested,
                "Whether to try again when a call inside has given up after trying for itself.",
            ),
            Self::Idempotent => (
                "idempotent",
                Kind::Flag,
                "With `false`, only what surely had no effect is retried.",
            ),
            Self::Breaker => (
                "breaker",
                Kind::Part("{ failure_threshold = 5 }"),
                "The circuit breaker.",
            ),
            Self::FailureThreshold => (
                "breaker.failure_threshold",
                Kind::Count(1, ANY),
                "This many failures in a row open it.",
            ),
            Self::DistinctCalls => (
                "breaker.distinct_calls",
                Kind::Count(1, BreakerSettings::MAX_DISTINCT_CALLS),
                "The failures in a row that open it come from at least so many calls.",
            ),
            Self::FailureRateThreshold => (
                "breaker.failure_rate_threshold",
                Kind::Share,
                "This share of failures in the window opens it, instead of failures in a row.",
            ),
            Self::SlowCallDuration => (
                "breaker.slow_call_duration",
                Kind::Duration(NANO),
                "An attempt that takes so long is slow.",
            ),
            Self::SlowCallRateThreshold => (
                "breaker.slow_call_rate_threshold",
                Kind::Share,
                "This share of slow attempts in the window opens it.",
            ),
            Self::Window => (
                "breaker.window",
                Kind::Window,
                "The outcomes that the shares are taken of: so many, or those of the time just past.",
            ),
            Self::MinimumCalls => (
                "breaker.minimum_calls",
                Kind::Count(1, ANY),
                "With fewer outcomes in the window there is no share.",
            ),
            Self::SuccessThreshold => (
                "breaker.success_threshold",
                Kind::Count(1, ANY),
                "This many successful probes close it.",
            ),
            Self::WaitDuration => (
                "breaker.wait_duration",
                Kind::Wait,
                "How long it stays open; a range grows from the first to the last.",
            ),
            Self::Ignore => (
                "breaker.ignore",
                Kind::Categories,
                "Failures of these categories do not count.",
            ),
            Self::Record => (
                "breaker.record",
                Kind::Categories,
                "Failures of these categories count, also where their fault is the caller's.",
            ),
            Self::RateLimit => (
                "rate_limit",
                Kind::Part("{ limit = \"100/60s\" }"),
                "So many attempts in a time.",
            ),
            Self::Limit => (
                "rate_limit.limit",
                Kind::Rate,
                "So many attempts in this time.",
            ),
            Self::Burst => (
                "rate_limit.burst",
                Kind::Count(1, ANY),
                "So many at once, after a pause that was long enough.",
            ),
            Self::MaxWait => (
                "rate_limit.max_wait",
                Kind::Duration(Duration::ZERO),
                "Who would have to wait longer is rejected.",
            ),
            Self::Exact => (
                "rate_limit.exact",
                Kind::Flag,
                "Threads take no permits in advance.",
            ),
            Self::Bulkhead => (
                "bulkhead",
                Kind::Part("{ concurrency = 10 }"),
                "So many attempts at a time.",
            ),
            Self::Concurrency => (
                "bulkhead.concurrency",
                Kind::Count(1, ANY),
                "So many attempts run at a time.",
            ),
            Self::Queue => (
                "bulkhead.queue",
                Kind::Count(0, ANY),
                "So many wait for one of them to end.",
            ),
            Self::Budget => (
                "budget",
                Kind::Part("{ ratio = 0.2 }"),
                "So many retries for the calls there are.",
            ),
            Self::Ratio => (
                "budget.ratio",
                Kind::Ratio,
                "So many retries for each call of the last 10 s.",
            ),
            Self::MinPerSecond => (
                "budget.min_per_second",
                Kind::Count(0, ANY),
                "So many retries a second are granted however few the calls.",
            ),
        }
    }
}

/// The value in the form in which it is written in settings.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => flag.fmt(f),
            Self::Count(count) | Self::Window(Window::Count(count)) => count.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Duration(duration) | Self::Window(Window::Time(duration)) => {
                fmt::Debug::fmt(duration, f)
            }
            Self::Categories(names) => names.fmt(f),
            Self::Wait(first, last) if first == last => fmt::Debug::fmt(first, f),
            Self::Wait(first, last) => write!(f, "{first:?}..{last:?}"),
            Self::Rate(attempts, period) => write!(f, "{attempts}/{period:?}"),
            Self::Jitter(jitter) => f.write_str(jitter.as_str()),
            Self::Nested(nested) => f.write_str(nested.as_str()),
            Self::Off => f.write_str("off"),
            Self::On => f.write_str("on"),
        }
    }
}
