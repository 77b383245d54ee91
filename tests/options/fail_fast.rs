//! The options of `#[fail_fast]`.

use std::time::Duration;

use resilience::{Category, Classification, Runtime, fail_fast};

use crate::support::{Failure, Script, elapsed, kind};

proofs! {
    category {
        #[fail_fast([category = "weaviate"])]
        async fn call() -> Result<u32, Failure> { Ok(1) }
    } => {
        assert_eq!(call().await, Ok(1));
        assert_eq!(Runtime::current().breakers()[0].service(), "weaviate");
    }

    service {
        #[fail_fast([service = "shelf"])]
        async fn call() -> Result<u32, Failure> { Ok(1) }
    } => {
        assert_eq!(call().await, Ok(1));
        assert_eq!(Runtime::current().breakers()[0].service(), "shelf");
    }

    operation {
        #[fail_fast([operation = "fetch a page"])]
        async fn call() -> Result<u32, Failure> { Script::hanging().next().await }
    } => {
        let Err(Failure::Ours(error)) = call().await else { panic!("it hangs") };
        assert!(error.to_string().contains("fetch a page"), "{error}");
    }

    timeout {
        #[fail_fast([timeout = "3s"])]
        async fn call() -> Result<u32, Failure> { Script::hanging().next().await }
    } => {
        assert_eq!(elapsed(call()).await, Duration::from_secs(3));
    }

    breaker {
        #[fail_fast([breaker(failure_threshold = 1, distinct_calls = 1)])]
        async fn call(script: &Script) -> Result<u32, Failure> { script.next().await }
    } => {
        let script = Script::always(Category::NETWORK);
        assert_eq!(kind(call(&script).await), "theirs");
        assert_eq!(kind(call(&script).await), "circuit_open");
    }

    rate_limit {
        #[fail_fast([rate_limit = "1/1s"])]
        async fn call() -> Result<u32, Failure> { Ok(1) }
    } => {
        assert_eq!(call().await, Ok(1));
        assert_eq!(kind(call().await), "rate_limited");
    }

    bulkhead {
        #[fail_fast([bulkhead(concurrency = 1)])]
        async fn call() -> Result<u32, Failure> {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(1)
        }
    } => {
        let (first, second) = tokio::join!(call(), call());
        assert_eq!((kind(first), kind(second)), ("ok", "bulkhead_full"));
    }

    require {
        #[fail_fast([require(*age >= 18, field = "age", "must be at least 18")])]
        async fn call(age: &u32) -> Result<u32, Failure> { Ok(1) }
    } => {
        assert_eq!(kind(call(&17).await), "requirements");
    }

    resource {
        #[fail_fast([resource(tokens = amount)])]
        async fn call(amount: u64) -> Result<u32, Failure> { Ok(1) }
    } => {
        Runtime::current().set_resource("tokens", Some(100));
        assert_eq!(kind(call(101).await), "resource_exhausted");
    }

    key {
        #[fail_fast([key = tenant], breaker(failure_threshold = 1, distinct_calls = 1))]
        async fn call(tenant: u32, script: &Script) -> Result<u32, Failure> { script.next().await }
    } => {
        assert_eq!(kind(call(1, &Script::always(Category::NETWORK)).await), "theirs");
        assert_eq!(kind(call(2, &Script::failing(Category::NETWORK, 0)).await), "ok");
    }

    fallback {
        #[fail_fast([fallback = |_, _| Ok(7)])]
        async fn call(script: &Script) -> Result<u32, Failure> { script.next().await }
    } => {
        assert_eq!(call(&Script::always(Category::NETWORK)).await, Ok(7));
    }

    classify {
        #[fail_fast(
            [classify = |_| Classification::new(Category::VALIDATION)],
            breaker(failure_threshold = 1, distinct_calls = 1)
        )]
        async fn call(script: &Script) -> Result<u32, Failure> { script.next().await }
    } => {
        let script = Script::always(Category::NETWORK);
        assert_eq!(kind(call(&script).await), "theirs");
        assert_eq!(kind(call(&script).await), "theirs", "a caller's fault opens no breaker");
    }

    reject_with {
        #[fail_fast([reject_with = |_| Failure::of(Category::MEMORY)])]
        async fn call() -> Result<u32, Failure> { Script::hanging().next().await }
    } => {
        assert_eq!(call().await, Err(Failure::of(Category::MEMORY)));
    }

    fields {
        #[fail_fast([fields(page)])]
        async fn call(page: u32) -> Result<u32, Failure> { Err(Failure::of(Category::NETWORK)) }
    } => {
        assert_eq!(kind(call(7).await), "theirs");
        let errors = Runtime::current().recent_errors(1);
        assert_eq!(errors[0].fields.to_string(), "page=7");
    }

    boxed {
        #[fail_fast([boxed])]
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
