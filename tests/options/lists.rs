//! The options of the lists in an attribute.

use std::time::Duration;

use resilience::{BreakerState, Category, Runtime, resilient};

use crate::support::{Failure, Script, elapsed, kind, waited};

const BILLING: Category = Category::custom("billing");

/// So many seconds.
const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// The state of the breaker of the one function that has been called.
fn state() -> BreakerState {
    Runtime::current().breakers()[0].state()
}

/// After this time, success or failure.
async fn after(time: Duration, success: bool) -> Result<u32, Failure> {
    tokio::time::sleep(time).await;
    if success {
        Ok(1)
    } else {
        Err(Failure::of(Category::NETWORK))
    }
}

pub(crate) mod backoff {
    use super::*;

    proofs! {
        initial {
            #[resilient(backoff([initial = "7s"], jitter = "none"), retries = 1)]
            async fn call(script: &Script) -> Result<u32, Failure> { script.next().await }
        } => {
            assert_eq!(elapsed(call(&Script::failing(Category::NETWORK, 1))).await, seconds(7));
        }

        max {
            #[resilient(backoff([max = "3s"], initial = "2s", jitter = "none"), retries = 2)]
            async fn call(script: &Script) -> Result<u32, Failure> { script.next().await }
        } => {
            assert_eq!(elapsed(call(&Script::failing(Category::NETWORK, 2))).await, seconds(5));
        }

        factor {
            #[resilient(backoff([factor = 3], initial = "1s", jitter = "none"), retries = 2)]
            async fn call(script: &Script) -> Result<u32, Failure> { script.next().await }
        } => {
            assert_eq!(elapsed(call(&Script::failing(Category::NETWORK, 2))).await, seconds(4));
        }

        jitter {
            #[resilient(backoff([jitter = "none"], initial = "20s", factor = 1), retries = 4)]
            async fn call(script: &Script) -> Result<u32, Failure> { script.next().await }
        } => {
            // So long that random delays do not add up to just this.
            assert_eq!(elapsed(call(&Script::failing(Category::NETWORK, 4))).await, seconds(80));
        }
    }
}

pub(crate) mod breaker {
    use super::*;

    proofs! {
        failure_threshold {
            #[resilient(breaker([failure_threshold = 2], distinct_calls = 1), retries = 0)]
            async fn call() -> Result<u32, Failure> { after(seconds(0), false).await }
        } => {
            let _ = (call().await, call().await);
            assert_eq!(state(), BreakerState::Open);
        }

        distinct_calls {
            #[resilient(breaker([distinct_calls = 1], failure_threshold = 2), retries = 1)]
            async fn call() -> Result<u32, Failure> { after(seconds(0), false).await }
        } => {
            let _ = call().await;
            assert_eq!(state(), BreakerState::Open);
        }

        failure_rate_threshold {
            #[resilient(
                breaker([failure_rate_threshold = 0.5], slow_call_duration = "1m", window = 4,
                        minimum_calls = 2),
                retries = 0,
            )]
            async fn call(success: bool) -> Result<u32, Failure> { after(seconds(0), success).await }
        } => {
            let _ = (call(true).await, call(false).await);
            assert_eq!(state(), BreakerState::Open);
        }

        slow_call_duration {
            #[resilient(
                breaker([slow_call_duration = "2s"], failure_rate_threshold = 1, window = 2,
                        minimum_calls = 2),
            )]
            async fn call() -> Result<u32, Failure> { after(seconds(3), true).await }
        } => {
            let _ = (call().await, call().await);
            assert_eq!(state(), BreakerState::Open);
        }

        slow_call_rate_threshold {
            #[resilient(
                breaker([slow_call_rate_threshold = 0.5], slow_call_duration = "2s", window = 2,
                        minimum_calls = 2),
            )]
            async fn call(time: Duration) -> Result<u32, Failure> { after(time, true).await }
        } => {
            let _ = (call(seconds(3)).await, call(seconds(1)).await);
            assert_eq!(state(), BreakerState::Open);
        }

        window {
            #[resilient(
                breaker([window = 2], failure_rate_threshold = 1, minimum_calls = 2),
                retries = 0,
            )]
            async fn call(success: bool) -> Result<u32, Failure> { after(seconds(0), success).await }
        } => {
            let _ = (call(true).await, call(false).await, call(false).await);
            assert_eq!(state(), BreakerState::Open);
        }

        minimum_calls {
            #[resilient(
                breaker([minimum_calls = 1], failure_rate_threshold = 0.5, window = 4),
                retries = 0,
            )]
            async fn call() -> Result<u32, Failure> { after(seconds(0), false).await }
        } => {
            let _ = call().await;
            assert_eq!(state(), BreakerState::Open);
        }

        success_threshold {
            #[resilient(
                breaker([success_threshold = 2], failure_threshold = 1, distinct_calls = 1,
                        wait_duration = "1s"),
                retries = 0,
            )]
            async fn call(success: bool) -> Result<u32, Failure> { after(seconds(0), success).await }
        } => {
            let _ = call(false).await;
            tokio::time::sleep(seconds(1)).await;
            assert_eq!(call(true).await, Ok(1));
            assert_eq!(state(), BreakerState::HalfOpen);
        }

        wait_duration {
            #[resilient(
                breaker([wait_duration = "3s"], failure_threshold = 1, distinct_calls = 1),
                retries = 0,
            )]
            async fn call(success: bool) -> Result<u32, Failure> { after(seconds(0), success).await }
        } => {
            let _ = call(false).await;
            assert_eq!(kind(call(true).await), "circuit_open");
            tokio::time::sleep(seconds(3)).await;
            assert_eq!(kind(call(true).await), "ok");
        }

        ignore {
            #[resilient(
                breaker([ignore("timeout", "network")], failure_threshold = 1, distinct_calls = 1),
                retries = 0,
            )]
            async fn call() -> Result<u32, Failure> { after(seconds(0), false).await }
        } => {
            let _ = call().await;
            assert_eq!(state(), BreakerState::Closed);
        }

        record {
            #[resilient(
                breaker([record("auth", BILLING)], failure_threshold = 1, distinct_calls = 1),
                retries = 0,
            )]
            async fn call() -> Result<u32, Failure> { Err(Failure::of(Category::AUTH)) }
        } => {
            let _ = call().await;
            assert_eq!(state(), BreakerState::Open);
        }
    }
}

pub(crate) mod rate_limit {
    use super::*;

    proofs! {
        limit {
            #[resilient(rate_limit([limit = "1/10s"], max_wait = "0s"), service = module_path!())]
            async fn call() -> Result<u32, Failure> { Ok(1) }
        } => {
            assert_eq!((kind(call().await), kind(call().await)), ("ok", "rate_limited"));
        }

        burst {
            #[resilient(rate_limit([burst = 1], limit = "2/10s", max_wait = "0s"))]
            async fn call() -> Result<u32, Failure> { Ok(1) }
        } => {
            assert_eq!((kind(call().await), kind(call().await)), ("ok", "rate_limited"));
        }

        max_wait {
            #[resilient(rate_limit([max_wait = "20s"], limit = "1/10s"))]
            async fn call() -> Result<u32, Failure> { Ok(1) }
        } => {
            assert_eq!(kind(call().await), "ok");
            let (second, time) = waited(call()).await;
            assert_eq!((kind(second), time), ("ok", seconds(10)));
        }

        exact {
            #[resilient(rate_limit([exact = true], limit = "1024/1h", max_wait = "0s"))]
            async fn call() -> Result<u32, Failure> { Ok(1) }
        } => {
            for _ in 0..2 {
                assert_eq!(kind(call().await), "ok");
            }
            tokio::time::advance(seconds(3_600)).await;
            for _ in 0..1_024 {
                assert_eq!(kind(call().await), "ok");
            }
        }
    }
}

pub(crate) mod bulkhead {
    use super::*;

    proofs! {
        concurrency {
            #[resilient(bulkhead([concurrency = 1], queue = 0))]
            async fn call() -> Result<u32, Failure> { after(seconds(1), true).await }
        } => {
            let (first, second) = tokio::join!(call(), call());
            assert_eq!((kind(first), kind(second)), ("ok", "bulkhead_full"));
        }

        queue {
            #[resilient(bulkhead([queue = 0], concurrency = 1))]
            async fn call() -> Result<u32, Failure> { after(seconds(1), true).await }
        } => {
            let (first, second) = tokio::join!(call(), call());
            assert_eq!((kind(first), kind(second)), ("ok", "bulkhead_full"));
        }
    }
}

pub(crate) mod budget {
    use super::*;

    proofs! {
        ratio {
            #[resilient(budget([ratio = 3], min_per_second = 0), retries = 3)]
            async fn call(script: &Script) -> Result<u32, Failure> { script.next().await }
        } => {
            assert_eq!(call(&Script::failing(Category::NETWORK, 3)).await, Ok(3));
        }

        min_per_second {
            #[resilient(budget([min_per_second = 0], ratio = 0), retries = 3)]
            async fn call(script: &Script) -> Result<u32, Failure> { script.next().await }
        } => {
            let script = Script::always(Category::NETWORK);
            assert_eq!(kind(call(&script).await), "theirs");
            assert_eq!(script.runs(), 1);
        }
    }
}

/// Its function comes first.
mod fallback {
    use super::*;

    #[resilient(retries = 0, fallback(|_| Ok(7), on("circuit_open")))]
    async fn narrowed() -> Result<u32, Failure> {
        after(seconds(0), false).await
    }

    #[resilient(retries = 0, fallback(|_| Ok(7)))]
    async fn for_all() -> Result<u32, Failure> {
        after(seconds(0), false).await
    }

    #[test]
    fn on_does_something() {
        crate::run(async {
            assert_eq!(kind(narrowed().await), "theirs");
            assert_eq!(for_all().await, Ok(7));
        });
    }
}

/// The option of a method in an annotated block.
mod block {
    use super::*;

    struct Client;

    #[resilient(retries = 2)]
    impl Client {
        #[resilient(skip)]
        async fn skipped(&self, script: &Script) -> Result<u32, Failure> {
            script.next().await
        }

        #[resilient()]
        async fn annotated(&self, script: &Script) -> Result<u32, Failure> {
            script.next().await
        }
    }

    #[test]
    fn skip_does_something() {
        crate::run(async {
            let script = Script::failing(Category::NETWORK, 2);
            assert_eq!(kind(Client.skipped(&script).await), "theirs");
            let script = Script::failing(Category::NETWORK, 2);
            assert_eq!(Client.annotated(&script).await, Ok(2));
        });
    }
}
