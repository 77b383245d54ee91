//! The options of the runtime's patterns: each test fails when the option is taken out of the
//! attribute.

#![allow(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    clippy::unused_async,
    reason = "shapes"
)]

use std::time::Duration;

use resilience::{
    Category, Classification, Effect, Error, ErrorKind, RateLimitOptions, Runtime, fail_fast,
    resilient,
};
use support::{Failure, Script};
use tokio::time::Instant;

mod support;

fn kind(result: Result<u32, Failure>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(Failure::Theirs(..)) => "theirs",
        Err(Failure::Ours(error)) => error.kind_name(),
    }
}

async fn waited<T>(future: impl Future<Output = T>) -> (T, Duration) {
    let start = Instant::now();
    (future.await, start.elapsed())
}

#[resilient(rate_limit = "2/10s")]
async fn limited() -> Result<u32, Failure> {
    Ok(1)
}

#[resilient(rate_limit(limit = "2/10s", burst = 1, max_wait = "1s"))]
async fn impatient() -> Result<u32, Failure> {
    Ok(1)
}

const ONE: RateLimitOptions = RateLimitOptions::new().limit(1, Duration::from_secs(4));

#[resilient(rate_limit = ONE)]
async fn by_constant() -> Result<u32, Failure> {
    Ok(1)
}

#[fail_fast(rate_limit = "1/1s")]
async fn limited_at_once() -> Result<u32, Failure> {
    Ok(1)
}

#[resilient(service = "llm_provider", rate_limit = off)]
async fn unlimited() -> Result<u32, Failure> {
    Ok(1)
}

#[tokio::test(start_paused = true)]
async fn rate_limit_lets_so_many_through_in_its_time() {
    let (_, time) = waited(async {
        for _ in 0..3 {
            assert_eq!(kind(limited().await), "ok");
        }
    })
    .await;
    assert!(time >= Duration::from_secs(5), "{time:?}");
    assert_eq!(kind(impatient().await), "ok");
    let (second, time) = waited(impatient()).await;
    assert_eq!((kind(second), time), ("rate_limited", Duration::ZERO));
    assert_eq!(kind(by_constant().await), "ok");
    let (second, time) = waited(by_constant()).await;
    assert_eq!(kind(second), "ok");
    assert!(time >= Duration::from_secs(4), "{time:?}");
    assert_eq!(kind(limited_at_once().await), "ok");
    assert_eq!(kind(limited_at_once().await), "rate_limited");
}

#[tokio::test(start_paused = true)]
async fn rate_limit_off_waits_for_nobody() {
    // The profile of that name has 100 per minute.
    for _ in 0..200 {
        let (result, time) = waited(unlimited()).await;
        assert_eq!((kind(result), time), ("ok", Duration::ZERO));
    }
}

#[resilient(bulkhead(concurrency = 2, queue = 1))]
async fn two_at_a_time() -> Result<u32, Failure> {
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok(1)
}

#[resilient(service = "shelved", bulkhead(concurrency = 1, queue = 0))]
async fn one_at_a_time() -> Result<u32, Failure> {
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok(1)
}

#[resilient(service = "shelved", bulkhead = off)]
async fn beside_the_bulkhead() -> Result<u32, Failure> {
    Ok(1)
}

#[tokio::test(start_paused = true)]
async fn bulkhead_lets_so_many_run_and_so_many_wait() {
    let (results, time) = waited(async {
        tokio::join!(
            two_at_a_time(),
            two_at_a_time(),
            two_at_a_time(),
            two_at_a_time()
        )
    })
    .await;
    let kinds = (
        kind(results.0),
        kind(results.1),
        kind(results.2),
        kind(results.3),
    );
    assert_eq!(kinds, ("ok", "ok", "ok", "bulkhead_full"));
    assert_eq!(time, Duration::from_secs(2));
    let results = tokio::join!(one_at_a_time(), beside_the_bulkhead(), one_at_a_time());
    let kinds = (kind(results.0), kind(results.1), kind(results.2));
    assert_eq!(kinds, ("ok", "ok", "bulkhead_full"));
}

#[resilient(
    retries = 9,
    breaker = off,
    budget(ratio = 0.0, min_per_second = 0),
    backoff(initial = "1ms", jitter = "none")
)]
async fn without_a_budget(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[resilient(
    retries = 250,
    breaker = off,
    budget = off,
    backoff(initial = "1ms", max = "1ms", jitter = "none")
)]
async fn beyond_any_budget(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[tokio::test(start_paused = true)]
async fn budget_says_how_many_retries_there_are() {
    let script = Script::always(Category::NETWORK);
    assert_eq!(kind(without_a_budget(&script).await), "theirs");
    assert_eq!(script.runs(), 1);
    let script = Script::always(Category::NETWORK);
    assert_eq!(kind(beyond_any_budget(&script).await), "theirs");
    assert_eq!(script.runs(), 251);
}

#[resilient(retries = 1, breaker = off, backoff(initial = "0s"))]
async fn inner(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[resilient(retries = 2, breaker = off, nested = "retry", backoff(initial = "0s"))]
async fn outer(script: &Script) -> Result<u32, Failure> {
    inner(script).await
}

#[resilient(retries = 2, breaker = off, nested = "stop", backoff(initial = "0s"))]
async fn outer_that_stops(script: &Script) -> Result<u32, Failure> {
    inner(script).await
}

#[tokio::test(start_paused = true)]
async fn nested_retry_tries_again_what_has_given_up() {
    let script = Script::always(Category::NETWORK);
    assert_eq!(kind(outer(&script).await), "theirs");
    assert_eq!(script.runs(), 6);
    let script = Script::always(Category::NETWORK);
    assert_eq!(kind(outer_that_stops(&script).await), "theirs");
    assert_eq!(script.runs(), 2);
}

#[resilient(retries = 2, idempotent = false, backoff(initial = "0s"))]
async fn once_at_most(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[tokio::test(start_paused = true)]
async fn idempotent_false_tries_again_only_what_had_no_effect() {
    let script = Script::always(Category::NETWORK);
    assert_eq!(kind(once_at_most(&script).await), "theirs");
    assert_eq!(script.runs(), 1);
    let harmless = Failure::Theirs(
        Classification::new(Category::NETWORK).with_effect(Effect::None),
        0,
    );
    let script = Script::always_with(harmless);
    assert_eq!(kind(once_at_most(&script).await), "theirs");
    assert_eq!(script.runs(), 3);
}
