//! Settings: what is written where, which of it holds, and how the calls of a site read it.
//!
//! A [`key`] is a name with the values it takes. A [`layer`] has values for some keys, each with its
//! [`origin`]. [`resolve`] puts the layers in order, and [`SiteSettings`] is what comes out: plain
//! data, which is all that calls read.

use std::sync::Arc;
use std::time::Duration;

use crate::Category;
use crate::backoff::Backoff;
use crate::options::{BackoffOptions, Nested, Options, Switch};

mod breaker;
mod check;
mod counted;
pub(crate) mod document;
mod env;
mod inspect;
pub(crate) mod key;
mod known;
pub(crate) mod layer;
mod legacy;
pub(crate) mod live;
mod load;
mod names;
mod nearest;
mod node;
mod numbers;
pub(crate) mod origin;
mod read;
mod reload;
pub(crate) mod resolve;
mod schema;
pub(crate) mod shared;
mod table;
mod target;
#[cfg(feature = "toml")]
mod toml;
mod value;
#[cfg(feature = "watch")]
mod watch;

pub(crate) use self::breaker::BreakerSettings;
pub(crate) use self::check::lacking;
use self::counted::Counted;
pub use self::inspect::{Inapplicable, Inspection, Setting, SiteInspection, WorstCase};
use self::key::{Key, Value};
pub(crate) use self::known::Known;
use self::layer::Layer;
pub use self::load::{Loader, Settings};
pub(crate) use self::numbers::{
    BudgetSettings, BulkheadSettings, RateLimitSettings, ServiceSettings,
};
use self::resolve::Resolved;
use self::table::Row;
#[cfg(feature = "watch")]
pub use self::watch::Watch;

/// What holds for the calls of one site.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting")]
pub(crate) struct SiteSettings {
    /// What unrecognised errors are.
    pub(crate) category: Option<Category>,
    /// Else the body runs once, and everything below is off.
    pub(crate) enabled: bool,
    /// How long one attempt may take.
    pub(crate) timeout: Option<Duration>,
    /// How long the call may take.
    pub(crate) deadline: Option<Duration>,
    /// The service's breaker, unless it is off, for the service or for the site.
    pub(crate) breaker: Option<BreakerSettings>,
    /// The service's: which failures count for its breaker.
    pub(crate) counted: Counted,
    /// The service's, likewise.
    pub(crate) rate_limit: Option<RateLimitSettings>,
    /// The service's, likewise.
    pub(crate) bulkhead: Option<BulkheadSettings>,
    /// The service's, likewise.
    pub(crate) budget: Option<BudgetSettings>,
    /// Failures of calls inside that have given up are retried all the same.
    pub(crate) nested_retry: bool,
    /// Else only failures that surely had no effect are retried.
    pub(crate) idempotent: bool,
    one_attempt: bool,
    /// Written nearer than the categories.
    above: Written,
    categories: Arc<[CategoryRetry]>,
    /// Written farther away than the categories.
    below: Written,
}

/// Retries and delays, where somebody wrote them.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Written {
    retries: Option<u32>,
    backoff: BackoffOptions,
}

/// What is written for the errors of one category.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CategoryRetry {
    category: Box<str>,
    written: Written,
}

/// How errors of one category are retried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RetrySettings {
    /// Further attempts after the first.
    pub(crate) retries: u32,
    pub(crate) backoff: Backoff,
}

impl SiteSettings {
    fn of(options: &Options, resolved: &Resolved, categories: Arc<[CategoryRetry]>) -> Self {
        let layer = &resolved.layer;
        let service = ServiceSettings::of(layer);
        let enabled = layer.flag(Key::Enabled).unwrap_or(true);
        Self {
            category: options.category,
            enabled,
            timeout: layer.duration(Key::Timeout).filter(|_| enabled),
            deadline: layer.duration(Key::Deadline).filter(|_| enabled),
            breaker: match service.breaker {
                Switch::On(breaker) if enabled => Some(breaker),
                _ => None,
            },
            counted: Counted::of(layer),
            rate_limit: service.rate_limit.filter(|_| enabled),
            bulkhead: service.bulkhead.filter(|_| enabled),
            budget: service.budget.filter(|_| enabled),
            nested_retry: layer.value(Key::Nested) == Some(&Value::Nested(Nested::Retry)),
            idempotent: layer.flag(Key::Idempotent).unwrap_or(true),
            one_attempt: options.one_attempt || !enabled,
            above: Written::of(layer),
            categories,
            below: Written::of(&resolved.below),
        }
    }

    /// Whether some error could be retried.
    pub(crate) fn can_retry(&self) -> bool {
        let by_category = || {
            let mut written = self.categories.iter().map(|category| &category.written);
            self.below.retries != Some(0)
                || written.any(|written| written.retries.is_some_and(|retries| retries > 0))
        };
        !self.one_attempt
            && self
                .above
                .retries
                .map_or_else(by_category, |retries| retries > 0)
    }

    /// How an error of this category is retried.
    pub(crate) fn retry(&self, category: Category) -> RetrySettings {
        self.retry_row(category.as_str(), &Row::of(category))
    }

    /// The same for a category of this name, be it built in or an application's own.
    pub(crate) fn retry_named(&self, category: &str) -> RetrySettings {
        self.retry_row(category, &Row::named(category))
    }

    fn retry_row(&self, category: &str, row: &Row) -> RetrySettings {
        let named = self
            .categories
            .iter()
            .find(|named| *named.category == *category);
        // From the nearest to the farthest.
        let levels = [
            &self.above,
            named.map_or(&Written::NOTHING, |named| &named.written),
            &self.below,
        ];
        let retries = pick(levels, |written| written.retries);
        let (initial, initial_level) =
            pick(levels, |written| written.backoff.initial).unwrap_or((row.initial, levels.len()));
        let (max, max_level) =
            pick(levels, |written| written.backoff.max).unwrap_or((row.max, levels.len()));
        // A delay that is written nearer lifts the cap, else the cap lowers the delay.
        let max = if initial_level < max_level {
            max.max(initial)
        } else {
            max
        };
        let factor = pick(levels, |written| written.backoff.factor);
        let jitter = pick(levels, |written| written.backoff.jitter);
        RetrySettings {
            retries: match retries {
                _ if self.one_attempt => 0,
                Some((retries, _)) => retries,
                None => row.retries,
            },
            backoff: Backoff {
                initial: initial.min(max),
                max,
                factor: factor.map_or(table::FACTOR, |(factor, _)| factor),
                jitter: jitter.map(|(jitter, _)| jitter).unwrap_or_default(),
            },
        }
    }
}

#[inline]
fn pick<T>(
    [near, between, far]: [&Written; 3],
    what: impl Fn(&Written) -> Option<T>,
) -> Option<(T, usize)> {
    let of = |written, level| Some((what(written)?, level));
    of(near, 0)
        .or_else(|| of(between, 1))
        .or_else(|| of(far, 2))
}

impl Written {
    const NOTHING: Self = Self {
        retries: None,
        backoff: BackoffOptions::new(),
    };

    fn of(layer: &Layer) -> Self {
        let (retries, backoff) = layer.retry();
        Self { retries, backoff }
    }
}

impl CategoryRetry {
    fn new(category: &str, layer: &Layer) -> Self {
        Self {
            category: category.into(),
            written: Written::of(layer),
        }
    }
}

#[cfg(test)]
mod tests;
