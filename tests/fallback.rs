//! What runs when a call would fail.

#![allow(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    clippy::unused_async,
    reason = "shapes"
)]

use std::rc::Rc;
use std::time::Duration;

use resilience::testing::Recorder;
use resilience::{Category, Error, Runtime, Settings, fail_fast, resilient};
use support::{Failure, Script, kind, waited};

mod support;

fn instead(script: &Script, name: String, error: Failure) -> Result<u32, Failure> {
    let _ = (script, name, error);
    Ok(100)
}

async fn instead_later(script: &Script, name: String, error: Failure) -> Result<u32, Failure> {
    tokio::time::sleep(Duration::from_secs(60)).await;
    instead(script, name, error)
}

fn passes_on(_: &Script, name: String, error: Failure) -> Result<u32, Failure> {
    Err(error.number(u32::try_from(name.len()).unwrap_or(0) + 50))
}

#[resilient(retries = 1, fallback = instead, backoff(initial = "0s"))]
async fn with_fallback(script: &Script, name: String) -> Result<u32, Failure> {
    drop(name);
    script.next().await
}

#[resilient(
    retries = 1,
    deadline = "30s",
    fallback = instead_later,
    backoff(initial = "0s")
)]
async fn with_async_fallback(script: &Script, name: String) -> Result<u32, Failure> {
    drop(name);
    script.next().await
}

#[fail_fast(fallback = instead, timeout = "1s")]
async fn once_with_fallback(script: &Script, name: String) -> Result<u32, Failure> {
    drop(name);
    script.next().await
}

#[resilient(retries = 0, fallback = [passes_on, instead_later])]
async fn with_chain(script: &Script, name: String) -> Result<u32, Failure> {
    drop(name);
    script.next().await
}

#[resilient(retries = 0, fallback = [passes_on, |_, name, error| {
    assert_eq!(error, Failure::of(Category::NETWORK).number(50 + 4));
    passes_on(script, name + "!", error)
}])]
async fn with_chain_of_closures(script: &Script, name: String) -> Result<u32, Failure> {
    drop(name);
    script.next().await
}

#[tokio::test(start_paused = true)]
async fn fallback_runs_when_the_call_would_fail() {
    let script = Script::always(Category::NETWORK);
    assert_eq!(with_fallback(&script, "name".into()).await, Ok(100));
    assert_eq!(script.runs(), 2);
    let good = Script::failing(Category::NETWORK, 0);
    assert_eq!(with_fallback(&good, "name".into()).await, Ok(0));

    // Its own deadline does not bound it.
    let (result, time) = waited(with_async_fallback(&script, "name".into())).await;
    assert_eq!((result, time), (Ok(100), Duration::from_secs(60)));
    let hanging = once_with_fallback(&Script::hanging(), "name".into()).await;
    assert_eq!(hanging, Ok(100));
}

#[tokio::test(start_paused = true)]
async fn each_fallback_of_a_list_gets_the_error_of_the_one_before() {
    let script = Script::always(Category::NETWORK);
    assert_eq!(with_chain(&script, "name".into()).await, Ok(100));
    let error = with_chain_of_closures(&script, "name".into()).await;
    assert_eq!(error, Err(Failure::of(Category::NETWORK).number(50 + 5)));
}

#[resilient(
    retries = 0,
    breaker(failure_threshold = 1, distinct_calls = 1),
    fallback(|_, _| Ok(100), on("circuit_open"))
)]
async fn when_open(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

const BILLING: Category = Category::custom("billing");

#[resilient(
    retries = 1,
    breaker = off,
    backoff(initial = "0s"),
    rate_limit(limit = "6/1h", max_wait = "0s"),
    fallback([passes_on, instead], on("rate_limit", BILLING))
)]
async fn when_limited(script: &Script, name: String) -> Result<u32, Failure> {
    drop(name);
    script.next().await
}

#[tokio::test(start_paused = true)]
async fn fallback_is_narrowed_by_category_and_by_kind() {
    let bad = Script::always(Category::NETWORK);
    assert_eq!(kind(when_open(&bad).await), "theirs");
    assert_eq!(when_open(&bad).await, Ok(100));

    let category = async |category| {
        let script = Script::always(category);
        when_limited(&script, String::new()).await
    };
    assert_eq!(kind(category(Category::NETWORK).await), "theirs");
    assert_eq!(category(Category::RATE_LIMIT).await, Ok(100));
    assert_eq!(category(BILLING).await, Ok(100));
    // A rejection of that category.
    assert_eq!(category(Category::NETWORK).await, Ok(100));
}

struct Store {
    copies: Vec<&'static str>,
}

impl Store {
    #[resilient(retries = 1, breaker = off, backoff(initial = "0s"), fallback = Self::copy)]
    async fn write(&mut self, text: &'static str) -> Result<usize, Failure> {
        self.copies.push(text);
        Err(Failure::of(Category::NETWORK))
    }

    async fn copy(&mut self, text: &'static str, _: Failure) -> Result<usize, Failure> {
        self.copies.push(text);
        Ok(self.copies.len())
    }

    #[fail_fast(fallback = Self::none)]
    async fn count(&self, add: Vec<u8>) -> Result<usize, Failure> {
        drop(add);
        Err(Failure::of(Category::NETWORK))
    }

    fn none(&self, add: Vec<u8>, _: Failure) -> Result<usize, Failure> {
        Ok(self.copies.len() + add.len())
    }
}

#[tokio::test(start_paused = true)]
async fn fallback_of_a_method_gets_self_first() {
    let mut store = Store { copies: Vec::new() };
    assert_eq!(store.write("a").await, Ok(3));
    assert_eq!(store.count(vec![1]).await, Ok(4));
}

fn needs_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test(start_paused = true)]
async fn a_call_with_a_fallback_is_send() {
    let script = Script::always(Category::NETWORK);
    let call = needs_send(with_async_fallback(&script, String::new()));
    assert_eq!(call.await, Ok(100));
}

async fn rc_later(_: &Script, _: Failure) -> Result<Rc<u32>, Failure> {
    tokio::task::yield_now().await;
    Ok(Rc::new(9))
}

fn rc_in_vain(_: &Script, error: Failure) -> Result<Rc<u32>, Failure> {
    Err(error)
}

#[resilient(retries = 0, breaker = off, fallback = |_, _| Ok(Rc::new(7)))]
async fn with_local_answer(script: &Script) -> Result<Rc<u32>, Failure> {
    Ok(Rc::new(script.next().await?))
}

#[resilient(retries = 0, breaker = off, fallback([rc_in_vain, rc_later], on("network")))]
async fn with_local_answers(script: &Script) -> Result<Rc<u32>, Failure> {
    Ok(Rc::new(script.next().await?))
}

#[tokio::test(start_paused = true)]
async fn a_call_with_a_fallback_is_send_though_its_value_is_not() {
    let script = Script::always(Category::NETWORK);
    let runtime = Runtime::new();
    let one = needs_send(runtime.scope(with_local_answer(&script)));
    assert_eq!(one.await, Ok(Rc::new(7)));
    let later = needs_send(runtime.scope(with_local_answers(&script)));
    assert_eq!(later.await, Ok(Rc::new(9)));
}

#[tokio::test(start_paused = true)]
async fn where_everything_is_switched_off_there_is_no_fallback_either() {
    let sites = ["with_fallback", "with_local_answers", "once_with_fallback"];
    let settings = sites.map(|site| format!("[sites.\"fallback::{site}\"]\nenabled = false\n"));
    let settings = Settings::loader().text("off", &settings.concat());
    let settings = settings.load().unwrap();
    let runtime = Runtime::builder().settings(settings).build();
    let recorder = Recorder::new();
    runtime.add_listener(recorder.clone());
    let script = Script::always(Category::NETWORK);
    let alone = runtime.scope(with_fallback(&script, String::new())).await;
    assert_eq!(alone, Err(Failure::of(Category::NETWORK)));
    let narrowed = runtime.scope(with_local_answers(&script)).await;
    assert_eq!(narrowed, Err(Failure::of(Category::NETWORK).number(1)));
    let once = runtime
        .scope(once_with_fallback(&script, String::new()))
        .await;
    assert_eq!(once, Err(Failure::of(Category::NETWORK).number(2)));
    assert_eq!(script.runs(), 3);
    let told = recorder.events();
    assert!(
        !told.iter().any(|event| event.contains(": fallback ")),
        "{told:?}"
    );
}

#[resilient(retries = 1, breaker = off, backoff(initial = "0s"), fallback = |_, error| Err(error))]
async fn inner_in_vain(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[resilient(retries = 1, breaker = off, backoff(initial = "0s"), fallback = |_, _| Ok(0))]
async fn inner_saved(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[resilient(retries = 1, breaker = off, backoff(initial = "0s"))]
async fn around(script: &Script, own: &Script, saved: bool) -> Result<u32, Failure> {
    if saved {
        inner_saved(script).await?;
    } else {
        inner_in_vain(script).await?;
    }
    own.next().await
}

#[tokio::test(start_paused = true)]
async fn a_fallback_that_succeeds_clears_the_mark_of_the_enclosing_attempt() {
    let script = Script::always(Category::NETWORK);
    let own = Script::failing(Category::NETWORK, 1);
    assert_eq!(around(&script, &own, true).await, Ok(1));
    assert_eq!(script.runs(), 4);
    let script = Script::always(Category::NETWORK);
    assert_eq!(kind(around(&script, &own, false).await), "theirs");
    assert_eq!(script.runs(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_is_told() {
    let recorder = resilience::testing::Recorder::new();
    let runtime = Runtime::builder().listener(recorder.clone()).build();
    let script = Script::always(Category::NETWORK);
    assert!(
        runtime
            .scope(with_chain(&script, String::new()))
            .await
            .is_ok()
    );
    let told: Vec<_> = recorder
        .events()
        .into_iter()
        .filter(|event| event.contains(": fallback "))
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].ends_with("with_chain: fallback 1 failed"),
        "{told:?}"
    );
    assert!(told[1].ends_with("fallback 2 succeeded"), "{told:?}");
}

fn never(_: u32, _: Error) -> Result<u32, Error> {
    unreachable!("the call was dropped")
}

#[fail_fast(fallback = never)]
async fn cancelled(n: u32) -> Result<u32, Error> {
    std::future::pending::<()>().await;
    Ok(n)
}

#[tokio::test(start_paused = true)]
async fn fallback_does_not_run_for_a_dropped_call() {
    let call = cancelled(1);
    let timeout = tokio::time::timeout(Duration::from_secs(1), call).await;
    assert!(timeout.is_err());
}
