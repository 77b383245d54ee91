//! Whatever panics: everything is given back, the next call works, nothing is poisoned.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use resilience::{
    BreakerOptions, BreakerState, BulkheadOptions, Category, Classification, Event, Listener,
    Policy, Runtime, resilient,
};
use support::Failure;

/// Panics at every event, and so does what it panics with.
struct Bomb;

impl Listener for Bomb {
    fn on_event(&self, _: &Event<'_>) {
        std::panic::panic_any(Shrapnel);
    }
}

struct Shrapnel;

impl Drop for Shrapnel {
    fn drop(&mut self) {
        panic!("in what a listener panicked with");
    }
}

/// Two probes would be too many, and so would two slots.
fn policy(operation: &'static str) -> Policy {
    Policy::builder(operation)
        .retries(1)
        .breaker(BreakerOptions::new().failure_threshold(1).distinct_calls(1))
        .bulkhead(BulkheadOptions::new().concurrency(1).queue(0))
        .build()
        .unwrap()
}

/// Half-opens the breaker, lets `panics` be the probe, and looks at what is left.
async fn probe<F>(policy: &Policy, panics: impl FnOnce(Policy, Runtime) -> F) -> Runtime
where
    F: Future<Output = Result<u32, Failure>> + Send + 'static,
{
    let runtime = Runtime::builder().listener(Bomb).build();
    let fails = || async { Err::<u32, _>(Failure::of(Category::NETWORK)) };
    assert!(runtime.scope(policy.run(fails)).await.is_err());
    tokio::time::advance(Duration::from_secs(30)).await;
    let call = panics(policy.clone(), runtime.clone());
    assert!(tokio::spawn(call).await.unwrap_err().is_panic());
    assert_eq!(runtime.limits()[0].running, Some(0));
    assert_eq!(runtime.drain(Duration::ZERO).await, 0);
    runtime
}

async fn works(runtime: &Runtime, policy: &Policy) {
    let ok = || async { Ok::<_, Failure>(1) };
    assert_eq!(runtime.scope(policy.run(ok)).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn b10_b20_in_the_body_with_listeners_that_panic_as_well() {
    let policy = policy("panics in body");
    for pending in [false, true] {
        let runtime = probe(&policy, move |policy, runtime| async move {
            let panics = || async move {
                if pending {
                    tokio::task::yield_now().await;
                }
                panic!("in the body")
            };
            runtime.scope(policy.run(panics)).await
        });
        let runtime = runtime.await;
        // It counts as a failure, so the breaker is open again.
        let ok = || async { Ok::<_, Failure>(1) };
        let refused = runtime.scope(policy.run(ok)).await.unwrap_err();
        assert!(refused.is_circuit_open());
        tokio::time::advance(Duration::from_secs(30)).await;
        works(&runtime, &policy).await;
        assert_eq!(runtime.summary().panicked, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn b10_where_the_closure_makes_the_future() {
    let policy = policy("panics in closure");
    let runtime = probe(&policy, |policy, runtime| async move {
        let panics = || -> std::future::Ready<Result<u32, Failure>> { panic!("in the closure") };
        runtime.scope(policy.run(panics)).await
    });
    let runtime = runtime.await;
    tokio::time::advance(Duration::from_secs(30)).await;
    works(&runtime, &policy).await;
}

#[tokio::test(start_paused = true)]
async fn in_a_classifier() {
    fn classify(_: &Failure) -> Classification {
        panic!("in the classifier")
    }
    let policy = policy("panics in classifier");
    let runtime = probe(&policy, |policy, runtime| async move {
        let fails = || async { Err::<u32, _>(Failure::of(Category::NETWORK)) };
        runtime.scope(policy.classify(classify).run(fails)).await
    });
    works(&runtime.await, &policy).await;
}

#[tokio::test(start_paused = true)]
async fn in_retry_if() {
    let policy = policy("panics in retry_if");
    let runtime = probe(&policy, |policy, runtime| async move {
        let fails = || async { Err::<u32, _>(Failure::of(Category::NETWORK)) };
        let retry_if = |_: &Failure| panic!("in retry_if");
        runtime
            .scope(policy.call().retry_if(&retry_if).run(fails))
            .await
    });
    works(&runtime.await, &policy).await;
}

/// Panics where it is cloned for the second time.
struct Fragile(Arc<AtomicU32>);

impl Clone for Fragile {
    fn clone(&self) -> Self {
        assert!(self.0.fetch_add(1, Ordering::Relaxed) < 1, "in a clone");
        Self(Arc::clone(&self.0))
    }
}

#[tokio::test(start_paused = true)]
async fn in_the_clone_of_an_argument() {
    #[resilient(
        service = "panics in clone",
        retries = 3,
        backoff(initial = "1s"),
        breaker(failure_threshold = 5)
    )]
    async fn function(_fragile: Fragile, category: Option<Category>) -> Result<u32, Failure> {
        tokio::task::yield_now().await;
        category.map_or(Ok(1), |category| Err(Failure::of(category)))
    }
    let runtime = Runtime::builder().listener(Bomb).build();
    let task = tokio::spawn({
        let runtime = runtime.clone();
        let fragile = Fragile(Arc::default());
        async move {
            runtime
                .scope(function(fragile, Some(Category::NETWORK)))
                .await
        }
    });
    assert!(task.await.unwrap_err().is_panic());
    let fragile = Fragile(Arc::default());
    assert_eq!(runtime.scope(function(fragile, None)).await, Ok(1));
    let summary = runtime.summary();
    assert_eq!(
        (summary.calls, summary.cancelled, summary.succeeded),
        (2, 1, 1)
    );
    assert_eq!(runtime.drain(Duration::ZERO).await, 0);
}

fn panics(_: bool, _: Failure) -> Result<u32, Failure> {
    panic!("in a fallback")
}

async fn panics_later(_: bool, _: Failure) -> Result<u32, Failure> {
    tokio::task::yield_now().await;
    panic!("in a fallback")
}

#[resilient(
    service = "panics in fallback",
    retries = 0,
    breaker(failure_threshold = 1, distinct_calls = 1),
    bulkhead(concurrency = 1, queue = 0),
    fallback = panics
)]
async fn falls_back(fails: bool) -> Result<u32, Failure> {
    tokio::task::yield_now().await;
    if fails {
        Err(Failure::of(Category::NETWORK))
    } else {
        Ok(1)
    }
}

#[resilient(service = "panics in fallback", retries = 0, fallback = [panics_later, panics])]
async fn falls_back_later(fails: bool) -> Result<u32, Failure> {
    falls_back(fails).await
}

#[tokio::test(start_paused = true)]
async fn in_a_fallback() {
    let runtime = Runtime::builder().listener(Bomb).build();
    let panicked = async |later| {
        let runtime = runtime.clone();
        let call = tokio::spawn(async move {
            let call = async {
                if later {
                    falls_back_later(true).await
                } else {
                    falls_back(true).await
                }
            };
            runtime.scope(call).await
        });
        call.await.unwrap_err().is_panic()
    };
    for later in [false, true] {
        assert!(panicked(later).await);
        assert_eq!(runtime.limits()[0].running, Some(0));
        assert_eq!(runtime.drain(Duration::ZERO).await, 0);
        // The call itself has failed, and that is what counts.
        let breaker = runtime.breaker("panics in fallback").unwrap();
        assert_eq!(breaker.state(), BreakerState::Open);
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!(runtime.scope(falls_back(false)).await, Ok(1));
    }
}
