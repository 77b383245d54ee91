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
    Category, Classification, Effect, ErrorKind, RateLimitOptions, Runtime, fail_fast, resilient,
};
use support::{Failure, Script, kind, waited};

mod support;

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
    let ((), time) = waited(async {
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

#[derive(Clone)]
struct Request {
    tenant: String,
}

#[resilient(
    retries = 0,
    key = request.tenant.as_str(),
    breaker(failure_threshold = 1, distinct_calls = 1)
)]
async fn by_key(request: Request, script: &Script) -> Result<u32, Failure> {
    drop(request);
    script.next().await
}

#[resilient(retries = 1, key = (tenant, 7), breaker(failure_threshold = 1), backoff(initial = "0s"))]
async fn by_owned_key(tenant: String, script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[fail_fast(key = (tenant, 7), breaker(failure_threshold = 1, distinct_calls = 1))]
async fn by_key_at_once(tenant: u32, script: &Script) -> Result<u32, Failure> {
    let _ = tenant;
    script.next().await
}

#[tokio::test(start_paused = true)]
async fn key_gives_each_its_own_breaker() {
    let request = |tenant: &str| Request {
        tenant: tenant.to_owned(),
    };
    let (bad, good) = (
        Script::always(Category::NETWORK),
        Script::failing(Category::NETWORK, 0),
    );
    assert_eq!(kind(by_key(request("a"), &bad).await), "theirs");
    assert_eq!(kind(by_key(request("a"), &good).await), "circuit_open");
    assert_eq!(kind(by_key(request("b"), &good).await), "ok");

    assert_eq!(kind(by_owned_key("b".into(), &good).await), "ok");

    assert_eq!(kind(by_key_at_once(1, &bad).await), "theirs");
    assert_eq!(kind(by_key_at_once(1, &good).await), "circuit_open");
    assert_eq!(kind(by_key_at_once(2, &good).await), "ok");
}

#[fail_fast(operation = "leases", resource(patterns_tokens = tokens, patterns_rows = 2))]
async fn leases(tokens: u128, text: String) -> Result<u32, Failure> {
    tokio::task::yield_now().await;
    Ok(u32::try_from(text.len()).unwrap_or(0))
}

#[fail_fast(resource(patterns_bytes = text.len()))]
async fn leases_what_it_moves(text: String) -> Result<u32, Failure> {
    drop(text);
    Ok(0)
}

#[tokio::test(start_paused = true)]
async fn resource_leases_so_much_of_a_pool() {
    let runtime = Runtime::new();
    runtime.set_resource("patterns_tokens", Some(100));
    runtime.set_resource("patterns_rows", Some(3));
    runtime.set_resource("patterns_bytes", Some(3));
    let told = runtime
        .scope(async {
            assert_eq!(kind(leases(100, "a".into()).await), "ok");
            let too_much = leases(u128::MAX, String::new()).await;
            assert_eq!(kind(too_much), "resource_exhausted");
            // Of the second pool there is enough for one at a time.
            let both = tokio::join!(leases(1, String::new()), leases(1, String::new()));
            assert_eq!((kind(both.0), kind(both.1)), ("ok", "resource_exhausted"));
            assert_eq!(kind(leases_what_it_moves("abc".into()).await), "ok");
            leases_what_it_moves("abcd".into()).await
        })
        .await;
    let Err(Failure::Ours(error)) = told else {
        panic!("four of three")
    };
    assert!(
        matches!(error.kind(), ErrorKind::ResourceExhausted { limit: 3, .. }),
        "{error}"
    );
    let sites = resilience::sites();
    let site = sites.iter().find(|site| site.operation == "leases");
    assert_eq!(
        site.map(|site| site.options.resources),
        Some(["patterns_tokens", "patterns_rows"].as_slice())
    );
}
