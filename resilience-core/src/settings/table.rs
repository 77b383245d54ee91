//! What ships: the table of defaults and the profiles.

use std::time::Duration;

use crate::Category;
use crate::options::{
    BackoffOptions, BreakerOptions, BudgetOptions, BulkheadOptions, Jitter, Nested, Options,
    RateLimitOptions,
};
use crate::settings::BreakerSettings;

/// A row of the table of defaults: how often and how long errors of a category are retried.
pub(crate) struct Row {
    pub(crate) retries: u32,
    pub(crate) initial: Duration,
    pub(crate) max: Duration,
}

impl Row {
    /// Of an application's own category.
    pub(crate) const OWN: Self = Self::new(2, 1_000, 60);

    pub(crate) const fn of(category: Category) -> Self {
        match category {
            Category::NETWORK => Self::new(4, 1_000, 30),
            Category::WEAVIATE | Category::SERVICE => Self::new(2, 2_000, 60),
            Category::RATE_LIMIT => Self::new(4, 10_000, 300),
            Category::TIMEOUT => Self::new(2, 5_000, 120),
            Category::FILESYSTEM => Self::new(1, 500, 5),
            Category::UNKNOWN => Self::new(1, 1_000, 10),
            // An own category, and the categories that are not retried at all unless the
            // classification of a single error says yes.
            _ => Self::OWN,
        }
    }

    /// Of a category by its name, be it built in or an application's own.
    pub(crate) fn named(category: &str) -> Self {
        Category::built_in(category).map_or(Self::OWN, Self::of)
    }

    const fn new(retries: u32, initial_ms: u64, max_s: u64) -> Self {
        Self {
            retries,
            initial: Duration::from_millis(initial_ms),
            max: Duration::from_secs(max_s),
        }
    }
}

/// Settings that ship for a service name.
pub(crate) struct Profile {
    pub(crate) service: &'static str,
    pub(crate) options: Options,
}

impl Profile {
    pub(crate) fn of(service: &str) -> Option<&'static Self> {
        PROFILES.iter().find(|profile| profile.service == service)
    }

    const fn new(
        service: &'static str,
        deadline_s: u64,
        retries: u32,
        initial_ms: u64,
        [failures, successes]: [u32; 2],
        open_s: u64,
        limit: u32,
    ) -> Self {
        let backoff = BackoffOptions::new().initial(Duration::from_millis(initial_ms));
        let breaker = BreakerOptions::new()
            .failure_threshold(failures)
            .success_threshold(successes)
            .wait_duration(Duration::from_secs(open_s));
        let rate_limit = RateLimitOptions::new().limit(limit, Duration::from_secs(60));
        Self {
            service,
            options: Options::resilient()
                .deadline(Duration::from_secs(deadline_s))
                .retries(retries)
                .backoff(backoff)
                .breaker(breaker)
                .rate_limit(rate_limit),
        }
    }
}

/// The profiles that ship.
pub(crate) const PROFILES: [Profile; 3] = [
    Profile::new("llm_provider", 30, 3, 100, [5, 3], 60, 100),
    Profile::new("storage_backend", 10, 2, 50, [3, 2], 30, 500),
    Profile::new("agent_communication", 5, 2, 25, [10, 5], 15, 1000),
];

/// What holds where nothing else says anything.
pub(crate) const LIBRARY: Options = {
    let breaker = BreakerSettings::DEFAULT;
    Options::resilient()
        .backoff(
            BackoffOptions::new()
                .factor(FACTOR)
                .jitter(Jitter::Proportional),
        )
        .timeout(Duration::from_secs(30))
        .deadline_off()
        .breaker(
            BreakerOptions::new()
                .failure_threshold(breaker.failure_threshold)
                .distinct_calls(breaker.distinct_calls)
                .success_threshold(breaker.success_threshold)
                .wait_duration(breaker.wait_duration),
        )
        .rate_limit(
            RateLimitOptions::new()
                .max_wait(Duration::from_secs(5))
                .exact(false),
        )
        .bulkhead(BulkheadOptions::new().concurrency(10).queue(100))
        .budget(BudgetOptions::new().ratio(0.2).min_per_second(10))
        .nested(Nested::Stop)
        .idempotent(true)
};

/// Each delay is this many times the one before.
pub(crate) const FACTOR: f64 = 2.0;
