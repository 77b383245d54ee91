//! What a call may cost: no allocation, and a future little larger than the body's.

use std::hint::black_box;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use allocation_counter::measure;
use resilience::{Error, fail_fast, resilient};

#[resilient]
async fn plain(x: u64) -> Result<u64, Error> {
    Ok(black_box(x) + 1)
}

#[resilient(service = "named", retries = 3, timeout = "5s")]
async fn named(x: &u64) -> Result<u64, Error> {
    Ok(black_box(*x) + 1)
}

#[fail_fast(service = "strict", require(x > 0, field = "x", "must be positive"))]
async fn strict(x: u64) -> Result<u64, Error> {
    Ok(black_box(x) + 1)
}

#[resilient(operation = "outer of cost", deadline = "10s")]
async fn nested(x: u64) -> Result<u64, Error> {
    plain(x).await?;
    named(&x).await?;
    strict(x).await
}

#[resilient(operation = "waits")]
async fn waits(x: u64) -> Result<u64, Error> {
    let mut polls = 0;
    std::future::poll_fn(|_| {
        polls += 1;
        if polls < 3 {
            std::task::Poll::Pending
        } else {
            std::task::Poll::Ready(Ok(x))
        }
    })
    .await
}

#[expect(
    clippy::unused_async,
    reason = "what an annotated one is compared with"
)]
async fn bare(x: u64) -> Result<u64, Error> {
    Ok(black_box(x) + 1)
}

async fn call_all() {
    for x in 1..=100 {
        plain(x).await.unwrap();
        named(&x).await.unwrap();
        strict(x).await.unwrap();
        nested(x).await.unwrap();
    }
}

/// Held by each test that measures: one of them reloads the settings of all, which then are made anew.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Polls a future until it is ready.
fn finish<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        let polled = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        if let std::task::Poll::Ready(output) = polled {
            return output;
        }
    }
}

#[test]
fn a_successful_call_allocates_nothing() {
    let _alone = alone();
    // The first call of a site makes its state, that of a thread its place in the scope.
    finish(call_all());
    let allocations = measure(|| finish(call_all()));
    assert_eq!(allocations.count_total, 0);
    assert!(resilience::summary().succeeded >= 1000, "statistics are on");
}

#[test]
fn a_call_that_waits_allocates_once_unless_there_is_what_another_has_left() {
    let _alone = alone();
    let tokio = guard::tokio().unwrap();
    let _inside = tokio.enter();
    finish(waits(1)).unwrap();
    let one_after_the_other = measure(|| {
        for x in 0..10 {
            finish(waits(x)).unwrap();
        }
    });
    assert_eq!(one_after_the_other.count_total, 0);
    let at_a_time = measure(|| {
        let mut calls = [1, 2, 3].map(|x| Box::pin(waits(x)));
        for call in &mut calls {
            let mut cx = Context::from_waker(Waker::noop());
            assert!(call.as_mut().poll(&mut cx).is_pending());
        }
        for call in calls {
            finish(call).unwrap();
        }
    });
    // The futures, and what two of them need.
    assert_eq!(at_a_time.count_total, 3 + 2);
}

#[test]
fn every_workload_allocates_nothing() {
    let _alone = alone();
    let tokio = guard::tokio().unwrap();
    let _inside = tokio.enter();
    guard::ours::load().unwrap();
    for case in guard::ours::cases() {
        (case.run)(500);
        let allocations = measure(|| (case.run)(100));
        assert_eq!(allocations.count_total, 0, "{}", case.name);
    }
}

#[test]
fn the_future_is_at_most_120_bytes_larger() {
    let over = size_of_val(&plain(1)) - size_of_val(&bare(1));
    assert!(over <= 120, "{over} bytes");
}
