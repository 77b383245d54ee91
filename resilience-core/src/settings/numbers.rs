//! The numbers of the patterns that sites of a service share.

use std::time::Duration;

use crate::options::Switch;
use crate::settings::BreakerSettings;
use crate::settings::key::{Key, Value};
use crate::settings::layer::Layer;

/// The numbers of a rate limiter. They are checked where settings are read; a zero among the first
/// three counts as a one here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RateLimitSettings {
    /// So many attempts ...
    pub(crate) limit: u32,
    /// ... in this time.
    pub(crate) period: Duration,
    /// So many at once, after a pause that was long enough.
    pub(crate) burst: u32,
    /// Who would have to wait longer is refused.
    pub(crate) max_wait: Duration,
    /// Threads take no permits in advance.
    pub(crate) exact: bool,
}

/// The numbers of a bulkhead. They are checked where settings are read; no slot at all counts as
/// one here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BulkheadSettings {
    /// So many attempts run at a time.
    pub(crate) concurrency: u32,
    /// So many wait; with 0, nobody does.
    pub(crate) queue: u32,
}

/// The numbers of a retry budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BudgetSettings {
    /// So many retries per 100 calls.
    pub(crate) percent: u32,
    /// So many retries a second, however few the calls.
    pub(crate) floor: u32,
}

impl Default for BudgetSettings {
    fn default() -> Self {
        Self {
            percent: 20,
            floor: 10,
        }
    }
}

/// What the sites of one service share. What is off for the whole service is `None`; the breaker
/// has its numbers also then, since it may be switched on again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ServiceSettings {
    pub(crate) breaker: Switch<BreakerSettings>,
    pub(crate) rate_limit: Option<RateLimitSettings>,
    pub(crate) bulkhead: Option<BulkheadSettings>,
    pub(crate) budget: Option<BudgetSettings>,
}

impl ServiceSettings {
    /// The numbers out of the resolved settings of a service.
    pub(crate) fn of(resolved: &Layer) -> Self {
        let breaker = BreakerSettings::new(resolved.breaker(), BreakerSettings::DEFAULT);
        Self {
            breaker: if resolved.is_off(Key::Breaker) {
                Switch::Off
            } else {
                Switch::On(breaker)
            },
            rate_limit: RateLimitSettings::of(resolved),
            bulkhead: BulkheadSettings::of(resolved),
            budget: BudgetSettings::of(resolved),
        }
    }

    /// The breaker's numbers, on or off.
    pub(crate) fn breaker_numbers(&self) -> BreakerSettings {
        match self.breaker {
            Switch::On(breaker) => breaker,
            Switch::Off => BreakerSettings::DEFAULT,
        }
    }
}

impl RateLimitSettings {
    /// `None` where it is off, or where nobody has said how many.
    fn of(resolved: &Layer) -> Option<Self> {
        let Some(&Value::Rate(limit, period)) = resolved.value(Key::Limit) else {
            return None;
        };
        is_on(resolved, Key::RateLimit).then(|| Self {
            limit,
            period,
            burst: resolved.count(Key::Burst).unwrap_or(limit),
            max_wait: resolved.duration(Key::MaxWait).unwrap_or_default(),
            exact: resolved.flag(Key::Exact).unwrap_or(false),
        })
    }
}

impl BulkheadSettings {
    fn of(resolved: &Layer) -> Option<Self> {
        is_on(resolved, Key::Bulkhead).then(|| Self {
            concurrency: resolved.count(Key::Concurrency).unwrap_or(1),
            queue: resolved.count(Key::Queue).unwrap_or(0),
        })
    }
}

impl BudgetSettings {
    fn of(resolved: &Layer) -> Option<Self> {
        let default = Self::default();
        is_on(resolved, Key::Budget).then(|| Self {
            percent: resolved.number(Key::Ratio).map_or(default.percent, percent),
            floor: resolved.count(Key::MinPerSecond).unwrap_or(default.floor),
        })
    }
}

fn is_on(resolved: &Layer, part: Key) -> bool {
    resolved.value(part) == Some(&Value::On)
}

/// The nearest whole percentage, but no zero for what is more.
fn percent(ratio: f64) -> u32 {
    if ratio.is_nan() || ratio <= 0.0 {
        return 0;
    }
    #[expect(clippy::cast_sign_loss, reason = "it is above zero")]
    let percent = (ratio * 100.0).round() as u32;
    percent.max(1)
}
