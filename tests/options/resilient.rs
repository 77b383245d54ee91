//! The options of `#[resilient]`.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use resilience::{Category, Classification, Runtime, resilient};

use crate::support::{Failure, Script, elapsed, kind, waited};

proofs! {
    category {
        #[resilient([category = "weaviate"])]
        async fn call() -> Result<u32, Failure> { Ok(1) }
    } => {
        assert_eq!(call().await, Ok(1));
        assert_eq!(Runtime::current().breakers()[0].service(), "weaviate");
    }

    service {
        #[resilient([service = "shelf"])]
        async fn call() -> Result<u32, Failure> { Ok(1) }
    } => {
        assert_eq!(call().await, Ok(1));
        assert_eq!(Runtime::current().breakers()[0].service(), "shelf");
    }

    operation {
        #[resilient([operation = "fetch a page"], retries = 0)]
        async fn call() -> Result<u32, Failure> { Script::hanging().next().await }
    } => {
        let Err(Failure::Ours(error)) = call().await else { panic!("it hangs") };
        assert!(error.to_string().contains("fetch a page"), "{error}");
    }

    retries {
        #[resilient([retries = 2])]
        async fn call(script: &Script) -> Result<u32, Failure> { script.next().await }
    } => {
        assert_eq!(call(&Script::failing(Category::UNKNOWN, 2)).await, Ok(2));
    }

    backoff {
        #[resilient([backoff(initial = "7s", jitter = "none")], retries = 1)]
        async fn call(script: &Script) -> Result<u32, Failure> { script.next().await }
    } => {
        let (result, time) = waited(call(&Script::failing(Category::NETWORK, 1))).await;
        assert_eq!((result, time), (Ok(1), Duration::from_secs(7)));
    }

    timeout {
        #[resilient([timeout = "3s"], retries = 0)]
        async fn call() -> Result<u32, Failure> { Script::hanging().next().await }
    } => {
        assert_eq!(elapsed(call()).await, Duration::from_secs(3));
    }

    deadline {
        #[resilient([deadline = "5s"], retries = 0)]
        async fn call() -> Result<u32, Failure> { Script::hanging().next().await }
    } => {
        assert_eq!(elapsed(call()).await, Duration::from_secs(5));
    }

    breaker {
        #[resilient([breaker(failure_threshold = 1, distinct_calls = 1)], retries = 0)]
        async fn call(script: &Script) -> Result<u32, Failure> { script.next().await }
    } => {
        let script = Script::always(Category::NETWORK);
        assert_eq!(kind(call(&script).await), "theirs");
        assert_eq!(kind(call(&script).await), "circuit_open");
    }

    rate_limit {
        #[resilient([rate_limit = "1/10s"])]
        async fn call() -> Result<u32, Failure> { Ok(1) }
    } => {
        assert_eq!(call().await, Ok(1));
        assert_eq!(kind(call().await), "rate_limited");
    }

    bulkhead {
        #[resilient([bulkhead(concurrency = 1, queue = 0)])]
        async fn call() -> Result<u32, Failure> {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(1)
        }
    } => {
        let (first, second) = tokio::join!(call(), call());
        assert_eq!((kind(first), kind(second)), ("ok", "bulkhead_full"));
    }

    budget {
        #[resilient([budget(ratio = 0, min_per_second = 0)], retries = 3)]
        async fn call(script: &Script) -> Result<u32, Failure> { script.next().await }
    } => {
        let script = Script::always(Category::NETWORK);
        assert_eq!(kind(call(&script).await), "theirs");
        assert_eq!(script.runs(), 1);
    }

    nested {
        #[resilient([nested = "retry"], retries = 1)]
        async fn call(script: &Script) -> Result<u32, Failure> { inner(script).await }

        #[resilient(retries = 1)]
        async fn inner(script: &Script) -> Result<u32, Failure> { script.next().await }
    } => {
        let script = Script::always(Category::NETWORK);
        assert_eq!(kind(call(&script).await), "theirs");
        assert_eq!(script.runs(), 4);
    }

    idempotent {
        #[resilient([idempotent = false], retries = 2)]
        async fn call(script: &Script) -> Result<u32, Failure> { script.next().await }
    } => {
        let script = Script::always(Category::NETWORK);
        assert_eq!(kind(call(&script).await), "theirs");
        assert_eq!(script.runs(), 1);
    }

    key {
        #[resilient(
            [key = tenant],
            breaker(failure_threshold = 1, distinct_calls = 1),
            retries = 0,
        )]
        async fn call(tenant: u32, script: &Script) -> Result<u32, Failure> { script.next().await }
    } => {
        assert_eq!(kind(call(1, &Script::always(Category::NETWORK)).await), "theirs");
        assert_eq!(kind(call(2, &Script::failing(Category::NETWORK, 0)).await), "ok");
    }

    fallback {
        #[resilient([fallback = |_, _| Ok(7)], retries = 0)]
        async fn call(script: &Script) -> Result<u32, Failure> { script.next().await }
    } => {
        assert_eq!(call(&Script::always(Category::NETWORK)).await, Ok(7));
    }

    retry_if {
        #[resilient([retry_if = |_| false], retries = 2)]
        async fn call(script: &Script) -> Result<u32, Failure> { script.next().await }
    } => {
        let script = Script::always(Category::NETWORK);
        assert_eq!(kind(call(&script).await), "theirs");
        assert_eq!(script.runs(), 1);
    }

    retry_if_ok {
        #[resilient([retry_if_ok = |runs| *runs < 2], retries = 2)]
        async fn call(script: &Script) -> Result<u32, Failure> { script.next().await }
    } => {
        assert_eq!(call(&Script::failing(Category::NETWORK, 0)).await, Ok(2));
    }

    classify {
        #[resilient([classify = |_| Classification::new(Category::VALIDATION)], retries = 2)]
        async fn call(script: &Script) -> Result<u32, Failure> { script.next().await }
    } => {
        let script = Script::always(Category::NETWORK);
        assert_eq!(kind(call(&script).await), "theirs");
        assert_eq!(script.runs(), 1);
    }

    before_retry {
        #[resilient([before_retry = |_| _ = told.fetch_add(1, Ordering::Relaxed)], retries = 2)]
        async fn call(script: &Script, told: &AtomicU32) -> Result<u32, Failure> {
            script.next().await
        }
    } => {
        let told = AtomicU32::new(0);
        assert_eq!(call(&Script::failing(Category::NETWORK, 2), &told).await, Ok(2));
        assert_eq!(told.into_inner(), 2);
    }

    reject_with {
        #[resilient([reject_with = |_| Failure::of(Category::MEMORY)], retries = 0)]
        async fn call() -> Result<u32, Failure> { Script::hanging().next().await }
    } => {
        assert_eq!(call().await, Err(Failure::of(Category::MEMORY)));
    }

    fields {
        #[resilient([fields(page)], retries = 0)]
        async fn call(page: u32) -> Result<u32, Failure> { Err(Failure::of(Category::NETWORK)) }
    } => {
        assert_eq!(kind(call(7).await), "theirs");
        let errors = Runtime::current().recent_errors(1);
        assert_eq!(errors[0].fields.to_string(), "page=7");
    }

    boxed {
        #[resilient([boxed])]
        async fn call() -> Result<u8, Failure> {
            let page = [1; 4096];
            tokio::task::yield_now().await;
            Ok(page[0])
        }
    } => {
        let call = call();
        assert!(size_of_val(&call) < 4096);
        assert_eq!(call.await, Ok(1));
    }
}
