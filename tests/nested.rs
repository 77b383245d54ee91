//! Calls inside calls: attempts do not multiply, limits are inherited.

mod support;

use std::sync::Arc;
use std::time::Duration;

use resilience::{BreakerState, Category, Runtime, fail_fast, resilient};
use support::{Failure, Script, elapsed};
use tokio::task::JoinHandle;

#[resilient(operation = "lowest", retries = 4, backoff(initial = "0s"))]
async fn lowest(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[resilient(operation = "middle", retries = 4, backoff(initial = "0s"))]
async fn middle(script: &Script) -> Result<u32, Failure> {
    lowest(script).await
}

#[resilient(operation = "top", retries = 4, backoff(initial = "0s"))]
async fn top(script: &Script) -> Result<u32, Failure> {
    middle(script).await
}

fn failures(runtime: &Runtime, service: &str) -> u32 {
    let breakers = runtime.summary().breakers;
    breakers
        .iter()
        .find(|breaker| breaker.service == service)
        .expect("the service")
        .failures
}

#[tokio::test(start_paused = true)]
async fn three_layers_of_five_attempts_make_five() {
    let (runtime, down) = (Runtime::new(), Script::always(Category::NETWORK));
    assert!(runtime.scope(top(&down)).await.is_err());
    assert_eq!(down.runs(), 5);
    // Only the breaker of the call that really failed counted it.
    let counted = ["lowest", "middle", "top"].map(|service| failures(&runtime, service));
    assert_eq!(counted, [5, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_cannot_retry_leaves_it_to_the_outer_one() {
    #[resilient(retries = 0)]
    async fn once(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    #[resilient(retries = 2, backoff(initial = "0s"))]
    async fn outer(script: &Script) -> Result<u32, Failure> {
        once(script).await
    }
    let script = Script::failing(Category::NETWORK, 2);
    assert_eq!(Runtime::new().scope(outer(&script)).await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn a_later_inner_success_clears_the_mark() {
    #[resilient(retries = 1, backoff(initial = "0s"))]
    async fn outer(bad: &Script, good: &Script, own: &Script) -> Result<u32, Failure> {
        let _ = lowest(bad).await;
        lowest(good).await?;
        own.next().await
    }
    let (bad, good) = (
        Script::always(Category::NETWORK),
        Script::failing(Category::NETWORK, 0),
    );
    let own = Script::failing(Category::NETWORK, 1);
    assert_eq!(Runtime::new().scope(outer(&bad, &good, &own)).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn marks_survive_join_and_select() {
    #[resilient(retries = 4, backoff(initial = "0s"), breaker = off)]
    async fn unguarded(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    #[resilient(retries = 3, backoff(initial = "0s"))]
    async fn joined(a: &Script, b: &Script) -> Result<u32, Failure> {
        let (a, b) = tokio::join!(unguarded(a), unguarded(b));
        a.and(b)
    }
    let (a, b) = (
        Script::always(Category::NETWORK),
        Script::always(Category::NETWORK),
    );
    assert!(Runtime::new().scope(joined(&a, &b)).await.is_err());
    assert_eq!((a.runs(), b.runs()), (5, 5));

    #[resilient(retries = 3, backoff(initial = "0s"))]
    async fn selected(script: &Script) -> Result<u32, Failure> {
        tokio::select! {
            result = lowest(script) => result,
            () = std::future::pending() => Ok(0),
        }
    }
    let script = Script::always(Category::NETWORK);
    assert!(Runtime::new().scope(selected(&script)).await.is_err());
    assert_eq!(script.runs(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_inner_delay_that_would_end_after_the_outer_timeout_is_not_slept() {
    #[resilient(retries = 5, backoff(initial = "8s", jitter = "none"))]
    async fn inner(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    #[resilient(retries = 0, timeout = "10s")]
    async fn outer(script: &Script) -> Result<u32, Failure> {
        inner(script).await
    }
    let script = Script::always(Category::NETWORK);
    let took = elapsed(Runtime::new().scope(outer(&script))).await;
    // One delay of 8 s fits, the next, of 16 s, does not: at 8 s the last error is there.
    assert_eq!((script.runs(), took.as_secs()), (2, 8));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_is_inherited_over_two_layers() {
    #[resilient(retries = 0, deadline = "3s", timeout = off)]
    async fn outer(script: &Script) -> Result<u32, Failure> {
        middle_of(script).await
    }
    #[resilient(retries = 0)]
    async fn middle_of(script: &Script) -> Result<u32, Failure> {
        patient(script).await
    }
    #[resilient(retries = 5, backoff(initial = "2s", factor = 1, jitter = "none"))]
    async fn patient(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    let script = Script::always(Category::NETWORK);
    let took = elapsed(Runtime::new().scope(outer(&script))).await;
    assert_eq!((script.runs(), took.as_secs()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_call_of_the_same_service_is_covered_by_the_attempt_around_it() {
    #[resilient(
        service = "tree",
        retries = 0,
        breaker(failure_threshold = 1, distinct_calls = 1)
    )]
    async fn walk(depth: u32, script: &Script) -> Result<u32, Failure> {
        if depth == 0 {
            script.next().await
        } else {
            Box::pin(walk(depth - 1, script)).await
        }
    }
    let runtime = Runtime::new();
    assert!(
        runtime
            .scope(walk(3, &Script::always(Category::NETWORK)))
            .await
            .is_err()
    );
    assert_eq!(runtime.summary().breaker_opens, 1);
    tokio::time::advance(Duration::from_secs(30)).await;
    // One probe for all four levels: a second one would be refused, and the recursion fail.
    let up = Script::failing(Category::NETWORK, 0);
    assert_eq!(runtime.scope(walk(3, &up)).await, Ok(0));
    assert_eq!(runtime.summary().breakers[0].state, BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn inside_fail_fast_nothing_retries_or_waits() {
    #[fail_fast(service = "strict")]
    async fn strict(script: &Script) -> Result<u32, Failure> {
        patient(script).await
    }
    #[resilient(retries = 5, backoff(initial = "8s"))]
    async fn patient(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    let script = Script::always(Category::NETWORK);
    let took = elapsed(Runtime::new().scope(strict(&script))).await;
    assert_eq!((script.runs(), took), (1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_not_retried_from_outside_even_as_plain_text() {
    #[resilient(
        service = "gone",
        retries = 0,
        breaker(failure_threshold = 1, distinct_calls = 1)
    )]
    async fn gone(script: &Script) -> Result<u32, String> {
        script.next().await.map_err(|failure| failure.to_string())
    }
    #[resilient(operation = "around gone", retries = 3, backoff(initial = "0s"))]
    async fn outer(script: &Script, runs: &Script) -> Result<u32, String> {
        let _ = runs.next().await;
        gone(script).await
    }
    let runtime = Runtime::new();
    let down = Script::always(Category::NETWORK);
    assert!(runtime.scope(gone(&down)).await.is_err());
    let runs = Script::failing(Category::NETWORK, 0);
    assert!(runtime.scope(outer(&down, &runs)).await.is_err());
    assert_eq!((down.runs(), runs.runs()), (1, 1));
    assert_eq!(failures(&runtime, "around gone"), 0, "no breaker counts it");
}

#[tokio::test(start_paused = true)]
async fn a_spawned_task_starts_with_nothing_around_it() {
    #[fail_fast]
    async fn spawning() -> Result<u32, Failure> {
        let runtime = Runtime::current();
        let task = async move {
            let script = Script::always(Category::NETWORK);
            let _ = runtime.scope(lowest(&script)).await;
            script.runs()
        };
        Ok(tokio::spawn(task).await.expect("no panic"))
    }
    assert_eq!(Runtime::new().scope(spawning()).await, Ok(5));
}

#[tokio::test(start_paused = true)]
async fn a_propagated_task_is_part_of_the_call_that_spawned_it() {
    #[fail_fast(operation = "spawns", timeout = "9s")]
    async fn spawns() -> Result<(u32, Option<Duration>), Failure> {
        let task = resilience::propagate(async move {
            let script = Script::always(Category::NETWORK);
            let _ = lowest(&script).await;
            let remaining = resilience::current().and_then(|current| current.remaining);
            (script.runs(), remaining)
        });
        Ok(tokio::spawn(task).await.expect("no panic"))
    }
    let (runs, remaining) = Runtime::new().scope(spawns()).await.unwrap();
    assert_eq!(runs, 1, "inside fail_fast nothing retries");
    assert_eq!(remaining, Some(Duration::from_secs(9)));
}

/// Runs at most one at a time, with a breaker that opens at the first failure.
#[resilient(
    service = "carried",
    retries = 0,
    bulkhead(concurrency = 1, queue = 0),
    breaker(failure_threshold = 1, distinct_calls = 1)
)]
async fn carried(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

/// Spawns calls of its own service, and says what came of them.
#[resilient(service = "carried", retries = 0)]
async fn spawns_carried(
    script: &Arc<Script>,
    times: u32,
) -> Result<JoinHandle<Vec<Result<u32, Failure>>>, Failure> {
    let script = Arc::clone(script);
    let task = async move {
        let mut ends = Vec::new();
        for _ in 0..times {
            tokio::time::sleep(Duration::from_secs(1)).await;
            ends.push(carried(&script).await);
        }
        ends
    };
    Ok(tokio::spawn(resilience::propagate(task)))
}

#[tokio::test(start_paused = true)]
async fn a_propagated_task_is_covered_while_the_attempt_runs_that_spawned_it() {
    #[resilient(service = "carried", retries = 0)]
    async fn waits_for_them(script: &Arc<Script>) -> Result<usize, Failure> {
        let ends = spawns_carried(script, 2).await?.await.expect("no panic");
        Ok(ends.iter().filter(|end| end.is_ok()).count())
    }
    let script = Arc::new(Script::failing(Category::NETWORK, 0));
    let runtime = Runtime::new();
    assert_eq!(runtime.scope(waits_for_them(&script)).await, Ok(2));
    assert_eq!(running(&runtime), 0);
}

#[tokio::test(start_paused = true)]
async fn a_propagated_task_asks_for_itself_when_the_attempt_is_over_that_spawned_it() {
    let down = Arc::new(Script::always(Category::NETWORK));
    let runtime = Runtime::new();
    let task = runtime.scope(spawns_carried(&down, 5)).await.unwrap();
    let ends = task.await.expect("no panic");
    assert_eq!(down.runs(), 1, "the breaker is open after it");
    assert!(
        ends[1..]
            .iter()
            .all(|end| end.as_ref().unwrap_err().is_circuit_open())
    );

    let hanging = Arc::new(Script::hanging());
    let runtime = Runtime::new();
    for _ in 0..3 {
        runtime.scope(spawns_carried(&hanging, 1)).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((running(&runtime), hanging.runs()), (1, 1));
}

/// Attempts that hold the slot of "carried".
fn running(runtime: &Runtime) -> u32 {
    let limits = runtime.limits();
    let limit = limits.iter().find(|limit| limit.service == "carried");
    limit.and_then(|limit| limit.running).unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn a_body_can_ask_for_its_attempt_and_remaining_time() {
    #[resilient(
        operation = "asks",
        retries = 2,
        timeout = "7s",
        backoff(initial = "0s")
    )]
    async fn asks(script: &Script) -> Result<resilience::Current, Failure> {
        tokio::time::sleep(Duration::from_secs(2)).await;
        script.next().await?;
        Ok(resilience::current().expect("inside an attempt"))
    }
    let current = Runtime::new()
        .scope(asks(&Script::failing(Category::NETWORK, 1)))
        .await
        .unwrap();
    assert_eq!((current.operation, current.attempt), ("asks", 2));
    assert_eq!(current.remaining, Some(Duration::from_secs(5)));
    assert_eq!(resilience::current(), None);
}
