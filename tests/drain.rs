//! A process that is told to stop, under paused time.

mod support;

use std::sync::Arc;
use std::time::Duration;

use resilience::{
    BackoffOptions, BulkheadOptions, Category, Error, ErrorKind, Jitter, Policy, RateLimitOptions,
    Runtime, resilient,
};
use support::{Failure, Script, elapsed, polled};

#[resilient(
    operation = "drained",
    retries = 5,
    backoff(initial = "10s", jitter = "none")
)]
async fn drained(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

const SECOND: Duration = Duration::from_secs(1);

fn ours(result: Result<u32, Failure>) -> Error {
    match result {
        Err(Failure::Ours(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_sleeps_between_attempts_ends_at_once_with_the_text_of_its_last_error() {
    let (runtime, script) = (Runtime::new(), Arc::new(Script::always(Category::NETWORK)));
    let task = tokio::spawn({
        let (runtime, script) = (runtime.clone(), Arc::clone(&script));
        async move { runtime.scope(drained(&script)).await }
    });
    tokio::time::advance(SECOND).await;
    assert_eq!(script.runs(), 1);
    assert!(!runtime.is_draining());
    let waited = elapsed(async {
        assert_eq!(runtime.drain(60 * SECOND).await, 0);
    });
    assert_eq!(waited.await, Duration::ZERO);
    assert_eq!(script.runs(), 1);
    let error = ours(task.await.unwrap());
    let ErrorKind::Draining { operation, .. } = error.kind() else {
        panic!("{error}")
    };
    assert_eq!(operation, "drained");
    assert_eq!(error.last_error(), Some("network failure 0"));
    assert_eq!(error.kind_name(), "draining");
    assert_eq!(
        error.to_string(),
        "`drained` not tried any longer, the program is being stopped; last error: network \
         failure 0"
    );
    assert_eq!(runtime.summary().rejected, 1);
}

#[tokio::test(start_paused = true)]
async fn calls_in_flight_get_until_the_deadline_and_no_further_attempt() {
    let runtime = Runtime::new();
    let slow = Script::slow(5 * SECOND, Category::NETWORK);
    let hanging = Script::hanging();
    let mut failing = polled(runtime.scope(drained(&slow)));
    let mut stuck = polled(runtime.scope(drained(&hanging)));
    assert!(failing.poll_once().is_pending() && stuck.poll_once().is_pending());

    let drain = runtime.drain(10 * SECOND);
    assert!(runtime.is_draining(), "from the call on");
    let mut drain = polled(drain);
    assert!(drain.poll_once().is_pending());
    tokio::time::advance(5 * SECOND).await;
    let std::task::Poll::Ready(failed) = failing.poll_once() else {
        panic!("still runs")
    };
    // Its own error: it was at hand.
    assert_eq!(failed, Err(Failure::of(Category::NETWORK)));
    assert!(drain.poll_once().is_pending());
    tokio::time::advance(5 * SECOND).await;
    assert_eq!(drain.poll_once(), std::task::Poll::Ready(1));
    drop(stuck);
    assert_eq!(runtime.drain(SECOND).await, 0);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_permit_or_a_slot_ends_at_once_and_nobody_begins_to() {
    let limited = Policy::builder("drained limit")
        .rate_limit(
            RateLimitOptions::new()
                .limit(1, 60 * SECOND)
                .burst(1)
                .max_wait(120 * SECOND),
        )
        .timeout_off()
        .build()
        .unwrap();
    let full = Policy::builder("drained bulkhead")
        .bulkhead(BulkheadOptions::new().concurrency(1).queue(5))
        .timeout_off()
        .build()
        .unwrap();
    let runtime = Runtime::new();
    let ok = || async { Ok::<u32, Failure>(1) };
    assert_eq!(runtime.scope(limited.run(ok)).await, Ok(1));
    let hanging = Script::hanging();
    let mut holder = polled(runtime.scope(full.run(|| hanging.next())));
    assert!(holder.poll_once().is_pending());

    let mut waiters = [
        polled(runtime.scope(limited.run(ok))),
        polled(runtime.scope(full.run(ok))),
    ];
    for waiter in &mut waiters {
        assert!(waiter.poll_once().is_pending());
    }
    let _drain = runtime.drain(SECOND);
    for waiter in &mut waiters {
        let std::task::Poll::Ready(result) = waiter.poll_once() else {
            panic!("still waits")
        };
        let error = ours(result);
        assert!(matches!(error.kind(), ErrorKind::Draining { .. }));
        assert_eq!(error.last_error(), None);
    }
    let error = ours(runtime.scope(limited.run(ok)).await);
    assert!(matches!(error.kind(), ErrorKind::RateLimited { .. }));
    let error = ours(runtime.scope(full.run(ok)).await);
    assert!(matches!(error.kind(), ErrorKind::BulkheadFull { .. }));
    let limits = runtime.limits();
    assert!(
        limits
            .iter()
            .all(|limit| limit.queued == 0 && limit.waiting == 0)
    );
    // What asks for nothing that is to be waited for still runs: the first attempt of it.
    let script = Script::always(Category::NETWORK);
    assert_eq!(
        runtime.scope(drained(&script)).await,
        Err(Failure::of(Category::NETWORK))
    );
    assert_eq!(script.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_sleepers_are_woken_and_places_are_used_again() {
    let policy = Policy::builder("drained many")
        .retries(1)
        .backoff(BackoffOptions::new().initial(SECOND).jitter(Jitter::None))
        .breaker_off()
        .budget_off()
        .build()
        .unwrap();
    let runtime = Runtime::new();
    let spawn = || {
        let (policy, runtime) = (policy.clone(), runtime.clone());
        tokio::spawn(async move {
            let fails = || async { Err::<u32, _>(Failure::of(Category::NETWORK)) };
            runtime.scope(policy.run(fails)).await
        })
    };
    for _ in 0..3 {
        let calls: Vec<_> = (0..1000).map(|_| spawn()).collect();
        for call in calls {
            assert!(matches!(call.await.unwrap(), Err(Failure::Theirs(..))));
        }
    }
    let calls: Vec<_> = (0..1000).map(|_| spawn()).collect();
    tokio::time::sleep(SECOND / 2).await;
    let waited = elapsed(async { assert_eq!(runtime.drain(SECOND).await, 0) });
    assert_eq!(waited.await, Duration::ZERO);
    for call in calls {
        assert!(matches!(
            ours(call.await.unwrap()).kind(),
            ErrorKind::Draining { .. }
        ));
    }
}

#[tokio::test(start_paused = true)]
async fn dropping_a_call_ends_it_for_the_drain_too() {
    let (runtime, hanging) = (Runtime::new(), Script::hanging());
    let mut call = polled(runtime.scope(drained(&hanging)));
    assert!(call.poll_once().is_pending());
    let waiting = tokio::spawn(runtime.drain(60 * SECOND));
    tokio::task::yield_now().await;
    let waited = elapsed(async {
        drop(call);
        assert_eq!(waiting.await.unwrap(), 0);
    });
    assert_eq!(waited.await, Duration::ZERO);
}

#[tokio::test]
async fn the_free_function_drains_the_current_runtime() {
    let runtime = Runtime::new();
    runtime
        .scope(async { resilience::drain(SECOND).await })
        .await;
    assert!(runtime.is_draining() && !Runtime::global().is_draining());
}
