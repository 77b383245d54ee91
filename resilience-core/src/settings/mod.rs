//! Settings: what is written where, which of it holds, and how the calls of a site read it.
//!
//! A [`key`] is a name with the values it takes. A [`layer`] has values for some keys, each with its
//! [`origin`]. [`resolve`] puts the layers in order, and [`SiteSettings`] is what comes out: plain
//! data, which is all that calls read.

use std::time::Duration;

use crate::Category;
use crate::options::{Nested, Options, Switch};
use crate::sorted::Sorted;

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
mod retry;
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
pub(crate) use self::retry::RetrySettings;
use self::retry::{Rows, Written};
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
    /// Some error could be retried.
    pub(crate) can_retry: bool,
    retries: Box<Rows>,
}

impl SiteSettings {
    fn of(options: &Options, resolved: &Resolved, categories: &Sorted<String, Layer>) -> Self {
        let layer = &resolved.layer;
        let service = ServiceSettings::of(layer);
        let enabled = layer.flag(Key::Enabled).unwrap_or(true);
        let mut retries = Rows::of(&Written {
            above: layer,
            categories,
            below: &resolved.below,
        });
        if options.one_attempt || !enabled {
            retries = retries.without_retries();
        }
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
            can_retry: retries.can_retry(),
            retries: Box::new(retries),
        }
    }

    /// How an error of this category is retried.
    #[inline]
    pub(crate) fn retry(&self, category: Category) -> &RetrySettings {
        self.retries.of_category(category)
    }

    /// The same for a category of this name, be it built in or an application's own.
    pub(crate) fn retry_named(&self, category: &str) -> &RetrySettings {
        self.retries.named(category)
    }
}

#[cfg(test)]
mod tests;
