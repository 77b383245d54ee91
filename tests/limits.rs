//! Rate limit, bulkhead, budget and resources at the async edge, under paused time.

mod support;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use resilience::{
    BackoffOptions, BudgetOptions, BulkheadOptions, Category, Error, ErrorKind, Jitter, Policy,
    PolicyBuilder, RateLimitOptions, Runtime,
};
use support::{Failure, Script, elapsed, polled};
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

fn limit(attempts: u32, period: Duration) -> RateLimitOptions {
    RateLimitOptions::new().limit(attempts, period)
}

fn slots(concurrency: u32, queue: u32) -> BulkheadOptions {
    BulkheadOptions::new().concurrency(concurrency).queue(queue)
}

/// Retries without waiting and without a breaker.
fn eager(operation: &'static str, retries: u32) -> PolicyBuilder {
    let at_once = BackoffOptions::new().initial(Duration::ZERO);
    Policy::builder(operation)
        .retries(retries)
        .backoff(at_once)
        .breaker_off()
}

fn ours<T: std::fmt::Debug>(result: Result<T, Failure>) -> Error {
    match result {
        Err(Failure::Ours(error)) => error,
        other => panic!("{other:?}"),
    }
}

async fn ok() -> Result<u32, Failure> {
    Ok(1)
}

#[tokio::test(start_paused = true)]
async fn l1_r11_waiters_are_let_through_one_refill_at_a_time_in_their_order() {
    let policy = Policy::builder("limits order")
        .rate_limit(limit(2, SECOND).burst(1).max_wait(60 * SECOND))
        .build()
        .unwrap();
    let (runtime, start) = (Runtime::new(), Instant::now());
    let let_through = Arc::new(Mutex::new(Vec::new()));
    let tasks: Vec<_> = (0..6_u32)
        .map(|number| {
            let (runtime, policy) = (runtime.clone(), policy.clone());
            let let_through = Arc::clone(&let_through);
            tokio::spawn(async move {
                let body = || async {
                    let at = start.elapsed().as_millis();
                    let_through.lock().unwrap().push((number, at));
                    ok().await
                };
                runtime.scope(policy.run(body)).await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    // One every half second; a timer of tokio may be a millisecond late.
    for (position, &(number, at)) in let_through.lock().unwrap().iter().enumerate() {
        let due = u128::try_from(position).unwrap() * 500;
        assert_eq!(usize::try_from(number).unwrap(), position);
        assert!((due..=due + 2).contains(&at), "{number} at {at} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn l2_l5_over_any_second_clones_together_run_no_more_than_the_limit_and_the_burst() {
    let policy = eager("limits window", 0)
        .rate_limit(limit(10, SECOND).burst(5).max_wait(Duration::ZERO))
        .build()
        .unwrap();
    let (runtime, start) = (Runtime::new(), Instant::now());
    let mut ran = Vec::new();
    for step in 0..400 {
        let policy = policy.clone();
        if runtime.scope(policy.run(ok)).await.is_ok() {
            ran.push(start.elapsed());
        }
        tokio::time::advance(Duration::from_millis(7 + step % 5)).await;
    }
    for (first, from) in ran.iter().enumerate() {
        let within = ran[first..]
            .iter()
            .filter(|&at| *at < *from + SECOND)
            .count();
        assert!(within <= 15, "{within} within a second from {from:?}");
    }
    assert!(ran.len() >= 35, "the refill is used: {}", ran.len());
}

#[tokio::test(start_paused = true)]
async fn l3_where_limit_or_slots_are_used_up_the_body_never_runs() {
    let limited = eager("limits none left", 5)
        .rate_limit(limit(1, 60 * SECOND).max_wait(SECOND))
        .build()
        .unwrap();
    let full = eager("limits full", 5)
        .bulkhead(slots(1, 0))
        .build()
        .unwrap();
    let (runtime, hanging) = (Runtime::new(), Script::hanging());
    assert_eq!(runtime.scope(limited.run(ok)).await, Ok(1));
    let mut holder = polled(runtime.scope(full.run(|| hanging.next())));
    assert!(holder.poll_once().is_pending());

    let never = || async { panic!("must not run") };
    let waited = elapsed(async {
        for _ in 0..10 {
            let error = ours::<u32>(runtime.scope(limited.run(never)).await);
            assert!(matches!(error.kind(), ErrorKind::RateLimited { .. }));
            assert_eq!(error.retry_after(), Some(60 * SECOND));
            let error = ours::<u32>(runtime.scope(full.run(never)).await);
            assert!(matches!(error.kind(), ErrorKind::BulkheadFull { .. }));
        }
    });
    assert_eq!(
        waited.await,
        Duration::ZERO,
        "who would wait too long is told at once"
    );
    let summary = runtime.summary();
    assert_eq!(
        (summary.rejected, summary.retries),
        (20, 0),
        "no refusal is retried"
    );
}

#[tokio::test(start_paused = true)]
async fn l4_u32_max_and_more_than_one_a_nanosecond_let_everything_through() {
    let policy = eager("limits huge", 0)
        .rate_limit(limit(u32::MAX, Duration::from_nanos(1)))
        .bulkhead(slots(u32::MAX, u32::MAX))
        .build()
        .unwrap();
    let runtime = Runtime::new();
    for _ in 0..1_000 {
        assert_eq!(runtime.scope(policy.run(ok)).await, Ok(1));
    }
}

#[tokio::test(start_paused = true)]
async fn l7_a_dropped_waiter_frees_its_place_in_the_queue_and_takes_no_permit() {
    let full = eager("limits queue", 0)
        .bulkhead(slots(1, 1))
        .build()
        .unwrap();
    let limited = eager("limits line", 0)
        .rate_limit(limit(1, 10 * SECOND).max_wait(10 * SECOND))
        .build()
        .unwrap();
    let (runtime, hanging) = (Runtime::new(), Script::hanging());
    let mut holder = polled(runtime.scope(full.run(|| hanging.next())));
    assert!(holder.poll_once().is_pending());
    let mut waiter = polled(runtime.scope(full.run(ok)));
    assert!(waiter.poll_once().is_pending());
    let error = ours(runtime.scope(full.run(ok)).await);
    assert!(matches!(error.kind(), ErrorKind::BulkheadFull { .. }));
    drop(waiter);
    let mut waiter = polled(runtime.scope(full.run(ok)));
    assert!(waiter.poll_once().is_pending(), "the place is free again");
    drop(holder);
    assert!(waiter.poll_once().is_ready());

    assert_eq!(runtime.scope(limited.run(ok)).await, Ok(1));
    for _ in 0..20 {
        let mut waiter = polled(runtime.scope(limited.run(ok)));
        assert!(waiter.poll_once().is_pending());
    }
    let took = elapsed(runtime.scope(limited.run(ok))).await;
    assert!(took <= 10 * SECOND + Duration::from_millis(2), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_over_in_the_queue_says_whether_it_is_the_attempt_or_the_call() {
    let policy = |operation, limited: fn(PolicyBuilder) -> PolicyBuilder| {
        let one = eager(operation, 0).bulkhead(slots(1, 1));
        limited(one).build().unwrap()
    };
    let attempt = policy("limits attempt over", |it| it.timeout(SECOND));
    let call = policy("limits call over", |it| it.timeout_off().deadline(SECOND));
    let runtime = Runtime::new();
    for (policy, of) in [(attempt, "attempt"), (call, "call")] {
        let hanging = Script::hanging();
        let mut holder = polled(runtime.scope(policy.run(|| hanging.next())));
        assert!(holder.poll_once().is_pending());
        let error = ours(runtime.scope(policy.run(ok)).await);
        let is_full = matches!(error.kind(), ErrorKind::BulkheadFull { .. });
        let is_late = matches!(error.kind(), ErrorKind::TimedOut(_));
        assert_eq!(
            (is_full, is_late),
            (of == "attempt", of == "call"),
            "{error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn r8_a_spent_budget_lets_retries_through_again_after_a_while() {
    let policy = eager("limits budget", 1)
        .budget(BudgetOptions::new().ratio(0.0).min_per_second(1))
        .build()
        .unwrap();
    let (runtime, down) = (Runtime::new(), Script::always(Category::NETWORK));
    let calls = async |calls: u32| {
        let before = down.runs();
        for _ in 0..calls {
            let failed = runtime.scope(policy.run(|| down.next())).await;
            assert!(
                matches!(failed, Err(Failure::Theirs(..))),
                "its own last error"
            );
        }
        down.runs() - before - calls
    };
    let first = calls(100).await;
    assert!((1..=10).contains(&first), "{first}");
    assert_eq!(calls(100).await, 0, "spent");
    tokio::time::advance(20 * SECOND).await;
    assert!(calls(100).await >= 1, "it has come back");
}

#[tokio::test(start_paused = true)]
async fn r9_b13_with_every_call_failing_the_default_budget_bounds_the_tries() {
    let policy = eager("limits storm", 10).build().unwrap();
    let (runtime, down) = (Runtime::new(), Script::always(Category::NETWORK));
    for _ in 0..10_000 {
        assert!(runtime.scope(policy.run(|| down.next())).await.is_err());
    }
    // A fifth more, and the floor of ten a second for ten seconds.
    let runs = down.runs();
    assert!((10_001..=12_200).contains(&runs), "{runs}");
}

#[tokio::test(start_paused = true)]
async fn r12_each_attempt_pays_the_rate_limit() {
    let policy = eager("limits pays", 3)
        .rate_limit(limit(1, SECOND).burst(1).max_wait(60 * SECOND))
        .build()
        .unwrap();
    let script = Script::failing(Category::NETWORK, 3);
    let took = elapsed(Runtime::new().scope(policy.run(|| script.next()))).await;
    assert_eq!(script.runs(), 4);
    assert!(
        took >= 3 * SECOND && took <= 3 * SECOND + Duration::from_millis(5),
        "{took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_gives_its_slot_back_while_it_sleeps_and_its_lease_when_it_ends() {
    let policy = Policy::builder("limits sleeps")
        .retries(1)
        .backoff(
            BackoffOptions::new()
                .initial(10 * SECOND)
                .jitter(Jitter::None),
        )
        .bulkhead(slots(1, 0))
        .build()
        .unwrap();
    let runtime = Runtime::new();
    let script = Script::failing(Category::NETWORK, 1);
    let mut sleeper = polled(runtime.scope(policy.run(|| script.next())));
    assert!(sleeper.poll_once().is_pending());
    assert_eq!(runtime.scope(policy.run(ok)).await, Ok(1));
    tokio::time::advance(10 * SECOND).await;
    assert!(sleeper.poll_once().is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_timeout_in_the_line_is_a_rejection_and_no_failure_of_the_service() {
    let policy = Policy::builder("limits in line")
        .retries(3)
        .timeout(5 * SECOND)
        .bulkhead(slots(1, 10))
        .build()
        .unwrap();
    let (runtime, body_runs) = (Runtime::new(), AtomicU32::new(0));
    let mut holder =
        polled(runtime.scope(policy.run(std::future::pending::<Result<u32, Failure>>)));
    assert!(holder.poll_once().is_pending());
    let body = || async {
        body_runs.fetch_add(1, Ordering::Relaxed);
        ok().await
    };
    let start = Instant::now();
    let mut waiter = polled(runtime.scope(policy.run(body)));
    assert!(waiter.poll_once().is_pending());
    tokio::time::advance(5 * SECOND).await;
    let std::task::Poll::Ready(result) = waiter.poll_once() else {
        panic!("still waits after {:?}", start.elapsed())
    };
    assert!(matches!(
        ours(result).kind(),
        ErrorKind::BulkheadFull { .. }
    ));
    assert_eq!(body_runs.load(Ordering::Relaxed), 0);
    assert_eq!(runtime.breakers()[0].summary().failures, 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_inside_an_attempt_of_its_service_needs_no_second_slot() {
    let policy = eager("limits recursion", 0)
        .bulkhead(slots(1, 0))
        .build()
        .unwrap();
    let nested = policy.run(|| policy.run(|| policy.run(ok)));
    assert_eq!(Runtime::new().scope(nested).await, Ok(1));
}
