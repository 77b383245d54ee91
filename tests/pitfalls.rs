//! Statements of faults found elsewhere that must hold here and have no other home: each test is
//! named after its statement.

mod support;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use resilience::{Category, Runtime, resilient};
use support::{Failure, Script};

#[tokio::test(start_paused = true)]
async fn m4_return_and_question_mark_in_closures_and_inner_blocks_keep_their_meaning() {
    #[resilient(retries = 2, backoff(initial = "0s"))]
    async fn body(script: &Script) -> Result<u32, Failure> {
        let early = |x: u32| -> Result<u32, u32> {
            if x == 0 {
                return Err(x);
            }
            Ok(x)
        };
        let inner = async {
            let _: u32 = early(0)?;
            Ok::<u32, u32>(7)
        };
        assert_eq!(inner.await, Err(0));
        script.next().await
    }
    assert_eq!(
        Runtime::new()
            .scope(body(&Script::failing(Category::NETWORK, 1)))
            .await,
        Ok(1)
    );
}

#[tokio::test(start_paused = true)]
async fn m5_each_attempt_gets_an_equal_value_of_an_owned_argument() {
    #[resilient(retries = 3, backoff(initial = "0s"))]
    async fn consume(mut words: Vec<String>, script: &Script) -> Result<String, Failure> {
        assert_eq!(words, ["a", "b"]);
        let last = words.pop().unwrap_or_default();
        script.next().await?;
        Ok(last)
    }
    let words = vec!["a".to_owned(), "b".to_owned()];
    let script = Script::failing(Category::NETWORK, 3);
    assert_eq!(
        Runtime::new().scope(consume(words, &script)).await,
        Ok("b".to_owned())
    );
}

#[allow(
    clippy::double_must_use,
    clippy::needless_lifetimes,
    clippy::elidable_lifetime_names,
    reason = "what must survive"
)]
mod visible {
    use super::{Failure, Script, resilient};

    /// Documented.
    #[resilient(retries = 1, backoff(initial = "0s"))]
    #[must_use]
    #[allow(unused_mut)]
    pub(super) async fn generic<'a, T, const N: usize>(
        #[allow(unused_variables)] mut value: T,
        #[cfg(any())] absent: NoSuchType,
        (left, _right): (u32, u32),
        numbers: impl AsRef<[u32; N]> + Clone,
        script: &'a Script,
    ) -> Result<(T, u32), Failure>
    where
        T: Clone,
    {
        let run = script.next().await?;
        Ok((value, left + numbers.as_ref()[0] + run))
    }
}

#[tokio::test(start_paused = true)]
async fn m9_attributes_visibility_generics_lifetimes_and_patterns_survive() {
    let script = Script::failing(Category::NETWORK, 1);
    let result = Runtime::new()
        .scope(visible::generic::<_, 1>(
            "x",
            (1, 2),
            Arc::new([3]),
            &script,
        ))
        .await;
    assert_eq!(result, Ok(("x", 5)));
}

struct Store {
    script: Script,
}

trait Load {
    async fn load(&mut self) -> Result<u32, Failure>;
}

impl Store {
    #[resilient(retries = 1, backoff(initial = "0s"))]
    async fn shared(&self) -> Result<u32, Failure> {
        self.script.next().await
    }

    #[resilient(retries = 1, backoff(initial = "0s"))]
    async fn counted(self: Arc<Self>) -> Result<u32, Failure> {
        self.script.next().await
    }
}

impl Load for Store {
    #[resilient(retries = 1, backoff(initial = "0s"))]
    async fn load(&mut self) -> Result<u32, Failure> {
        self.script.next().await
    }
}

#[tokio::test(start_paused = true)]
async fn m10_works_on_methods_of_every_kind() {
    let store = || Store {
        script: Script::failing(Category::NETWORK, 1),
    };
    let runtime = Runtime::new();
    assert_eq!(runtime.scope(store().shared()).await, Ok(1));
    assert_eq!(runtime.scope(store().load()).await, Ok(1));
    assert_eq!(runtime.scope(Arc::new(store()).counted()).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn m12_the_future_is_send_exactly_when_the_bodys_is() {
    fn is_send<T: Send>(future: T) -> T {
        future
    }
    #[resilient(retries = 1)]
    async fn sendable(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    #[resilient(retries = 1)]
    async fn local(script: &Script) -> Result<u32, Failure> {
        let here = Rc::new(());
        let run = script.next().await;
        drop(here);
        run
    }
    let script = Script::failing(Category::NETWORK, 0);
    assert_eq!(is_send(sendable(&script)).await, Ok(0));
    assert_eq!(
        local(&script).await,
        Ok(1),
        "and it compiles where it is not"
    );
}

#[tokio::test(start_paused = true)]
async fn m13_recursion_neither_deadlocks_nor_locks_twice() {
    #[resilient(retries = 2, bulkhead(concurrency = 1))]
    async fn sum(n: u32) -> Result<u32, Failure> {
        if n == 0 {
            Ok(0)
        } else {
            Ok(n + Box::pin(sum(n - 1)).await?)
        }
    }
    let runtime = Runtime::new();
    let sum = runtime.scope(sum(10));
    assert_eq!(
        tokio::time::timeout(Duration::from_secs(1), sum).await,
        Ok(Ok(55))
    );
}

#[tokio::test(start_paused = true)]
async fn m14_instances_share_state_exactly_if_they_share_the_service() {
    #[resilient(
        service = "m14",
        retries = 0,
        breaker(failure_threshold = 1, distinct_calls = 1)
    )]
    async fn generic<T: Copy>(_value: T, script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    #[resilient(retries = 0, breaker(failure_threshold = 1, distinct_calls = 1))]
    async fn apart(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    let (runtime, down) = (Runtime::new(), Script::always(Category::NETWORK));
    assert!(
        !runtime
            .scope(generic(1_u8, &down))
            .await
            .unwrap_err()
            .is_circuit_open()
    );
    assert!(
        runtime
            .scope(generic("x", &down))
            .await
            .unwrap_err()
            .is_circuit_open()
    );
    assert!(
        !runtime
            .scope(apart(&down))
            .await
            .unwrap_err()
            .is_circuit_open()
    );
}

#[tokio::test(start_paused = true)]
async fn b11_an_open_breaker_never_runs_the_body() {
    #[resilient(retries = 0, breaker(failure_threshold = 1, distinct_calls = 1))]
    async fn guarded(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    let (runtime, down) = (Runtime::new(), Script::always(Category::NETWORK));
    for _ in 0..10 {
        assert!(runtime.scope(guarded(&down)).await.is_err());
    }
    assert_eq!(down.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn b18_advancing_a_paused_clock_past_the_wait_admits_a_probe() {
    #[resilient(retries = 0, breaker(failure_threshold = 1, distinct_calls = 1))]
    async fn probed(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    let (runtime, script) = (Runtime::new(), Script::failing(Category::NETWORK, 1));
    assert!(runtime.scope(probed(&script)).await.is_err());
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(runtime.scope(probed(&script)).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn r14_with_one_attempt_an_argument_that_is_not_clone_is_moved() {
    // With retries it is a compile error: `tests/ui/fail/argument_not_clone.rs`.
    struct NotClone(u32);
    #[resilient(retries = 0)]
    async fn consume(value: NotClone) -> Result<u32, Failure> {
        Ok(value.0)
    }
    assert_eq!(Runtime::new().scope(consume(NotClone(3))).await, Ok(3));
}
