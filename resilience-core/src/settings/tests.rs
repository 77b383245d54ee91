//! Which value holds.

use super::*;
use crate::options::{BackoffOptions, Jitter};
use crate::settings::origin::{Level, Origin};
use crate::settings::resolve::Subject;

fn settings(options: &Options, service: &str) -> SiteSettings {
    written(options, service, &resolve::Written::default())
}

fn written(options: &Options, service: &str, written: &resolve::Written) -> SiteSettings {
    let origin = Origin::built_in(Level::Attribute);
    let attributes = Layer::of(options, &origin);
    let subject = Subject {
        options,
        operation: "site",
        service,
        origin: &origin,
    };
    written.settings(subject, &written.service(service, &attributes))
}

#[test]
fn the_table_of_defaults_holds_where_nothing_is_written() {
    let settings = settings(&Options::resilient(), "anything");
    let rows = [
        (Category::NETWORK, 4, 1_000, 30),
        (Category::SERVICE, 2, 2_000, 60),
        (Category::WEAVIATE, 2, 2_000, 60),
        (Category::custom("billing"), 2, 1_000, 60),
        (Category::RATE_LIMIT, 4, 10_000, 300),
        (Category::TIMEOUT, 2, 5_000, 120),
        (Category::FILESYSTEM, 1, 500, 5),
        (Category::UNKNOWN, 1, 1_000, 10),
    ];
    for (category, retries, initial, max) in rows {
        let retry = settings.retry(category);
        assert_eq!(retry.retries, retries, "{category}");
        assert_eq!(
            retry.backoff.initial,
            Duration::from_millis(initial),
            "{category}"
        );
        assert_eq!(retry.backoff.max, Duration::from_secs(max), "{category}");
        assert_eq!(retry.backoff.jitter, Jitter::Proportional);
    }
    assert_eq!(settings.timeout, Some(Duration::from_secs(30)));
    assert_eq!(settings.deadline, None);
    assert_eq!(settings.breaker, Some(BreakerSettings::DEFAULT));
}

#[test]
fn the_attribute_beats_the_profile_and_the_profile_the_table() {
    let profiled = settings(&Options::resilient(), "llm_provider");
    assert_eq!(profiled.retry(Category::NETWORK).retries, 3);
    assert_eq!(
        profiled.retry(Category::NETWORK).backoff.initial,
        Duration::from_millis(100)
    );
    assert_eq!(profiled.deadline, Some(Duration::from_secs(30)));
    let breaker = profiled.breaker.unwrap();
    assert_eq!(
        (breaker.failure_threshold, breaker.success_threshold),
        (5, 3)
    );
    assert_eq!(breaker.wait_duration, Duration::from_secs(60));

    let written = settings(
        &Options::resilient().retries(1).deadline_off(),
        "llm_provider",
    );
    assert_eq!(written.retry(Category::NETWORK).retries, 1);
    assert_eq!(written.deadline, None);
}

#[test]
fn a_cap_below_the_tables_initial_delay_lowers_it_and_a_high_initial_delay_lifts_the_cap() {
    let backoff = BackoffOptions::new();
    let low = settings(
        &Options::resilient().backoff(backoff.max(Duration::from_millis(9))),
        "",
    );
    assert_eq!(
        low.retry(Category::NETWORK).backoff.initial,
        Duration::from_millis(9)
    );
    let high = Options::resilient().backoff(backoff.initial(Duration::from_secs(90)));
    assert_eq!(
        settings(&high, "")
            .retry(Category::NETWORK)
            .backoff
            .max
            .as_secs(),
        90
    );
}

#[test]
fn one_attempt_takes_no_retries_from_anywhere() {
    let settings = settings(&Options::fail_fast(), "llm_provider");
    assert!(!settings.can_retry);
    assert_eq!(settings.retry(Category::NETWORK).retries, 0);
}

#[test]
fn a_profile_gives_no_deadline_where_no_answer_can_be_carried() {
    let silent = Options::resilient().silent().breaker_off().timeout_off();
    assert_eq!(settings(&silent, "llm_provider").deadline, None);
}

#[test]
fn limits_are_the_services_and_off_is_the_sites_alone() {
    let limited = settings(&Options::resilient(), "storage_backend");
    assert_eq!(
        limited.rate_limit,
        Some(RateLimitSettings {
            limit: 500,
            period: Duration::from_secs(60),
            burst: 500,
            max_wait: Duration::from_secs(5),
            exact: false,
        })
    );
    assert_eq!(limited.bulkhead, None);
    assert_eq!(limited.budget, Some(BudgetSettings::default()));

    let off = Options::resilient().rate_limit_off().budget_off();
    let off = settings(&off, "storage_backend");
    assert_eq!((off.rate_limit, off.budget), (None, None));

    let bulkhead = crate::BulkheadOptions::new().concurrency(3);
    let bulkhead = settings(&Options::resilient().bulkhead(bulkhead), "x").bulkhead;
    let expected = BulkheadSettings {
        concurrency: 3,
        queue: 100,
    };
    assert_eq!(bulkhead, Some(expected));
    assert_eq!(settings(&Options::resilient(), "x").rate_limit, None);
}
