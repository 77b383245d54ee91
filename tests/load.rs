//! Many calls at a time: the counts add up, and nobody comes back together.

mod support;

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use resilience::{BackoffOptions, Category, Jitter, Policy, Runtime, resilient};
use support::Failure;

/// What a caller has seen of its calls.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Seen {
    succeeded: u64,
    failed: u64,
    rejected: u64,
    cancelled: u64,
}

impl Seen {
    fn plus(self, other: Self) -> Self {
        Self {
            succeeded: self.succeeded + other.succeeded,
            failed: self.failed + other.failed,
            rejected: self.rejected + other.rejected,
            cancelled: self.cancelled + other.cancelled,
        }
    }
}

/// Of what the random number is made: nothing that a test should depend on.
fn next(random: &mut u64) -> u64 {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    *random
}

#[resilient(
    service = "counted",
    retries = 1,
    backoff(initial = "0s"),
    breaker(failure_threshold = 3, wait_duration = "1ms"),
    timeout = off
)]
async fn counted(what: u64) -> Result<(), Failure> {
    if what.is_multiple_of(5) {
        tokio::task::yield_now().await;
    }
    match what % 32 {
        0 => Err(Failure::of(Category::NETWORK)),
        1 => Err(Failure::of(Category::VALIDATION)),
        _ => Ok(()),
    }
}

/// One call, which is dropped in every eighth case where it does not end at once.
async fn call(what: u64, seen: &mut Seen) {
    let mut call = pin!(counted(what));
    let first = std::future::poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await;
    let result = match first {
        Poll::Ready(result) => result,
        Poll::Pending if (what >> 32).is_multiple_of(8) => {
            seen.cancelled += 1;
            return;
        }
        Poll::Pending => call.await,
    };
    match result {
        Ok(()) => seen.succeeded += 1,
        Err(Failure::Theirs(..)) => seen.failed += 1,
        Err(Failure::Ours(_)) => seen.rejected += 1,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_calls_over_eight_tasks_add_up_exactly() {
    const TASKS: u64 = 8;
    const CALLS: u64 = 1_000_000 / TASKS;
    let runtime = Runtime::builder().without_tracing().build();
    let tasks: Vec<_> = (1..=TASKS)
        .map(|task| {
            let runtime = runtime.clone();
            tokio::spawn(async move {
                let mut random = task.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let mut seen = Seen::default();
                let calls = async {
                    for _ in 0..CALLS {
                        call(next(&mut random), &mut seen).await;
                    }
                };
                runtime.scope(calls).await;
                seen
            })
        })
        .collect();
    let mut seen = Seen::default();
    for task in tasks {
        seen = seen.plus(task.await.unwrap());
    }
    let summary = runtime.summary();
    assert_eq!(summary.calls, TASKS * CALLS);
    let counted = Seen {
        succeeded: summary.succeeded,
        failed: summary.failed,
        rejected: summary.rejected,
        cancelled: summary.cancelled,
    };
    assert_eq!(counted, seen);
    assert!(
        seen.failed > 0 && seen.rejected > 0 && seen.cancelled > 0,
        "{seen:?}"
    );
    assert_eq!(runtime.drain(Duration::ZERO).await, 0, "none is in flight");
}

#[tokio::test(start_paused = true)]
async fn r5_no_thundering_herd() {
    let ranges = [
        (Jitter::Proportional, 750..1_250),
        (Jitter::Full, 0..1_000),
        (Jitter::Decorrelated, 1_000..3_000),
    ];
    for (jitter, range) in ranges {
        let seconds = Arc::new(Mutex::new(Vec::<Duration>::new()));
        let runtime = Runtime::builder().jitter_seed(7).build();
        let policy = Policy::builder("herd")
            .retries(1)
            .backoff(
                BackoffOptions::new()
                    .initial(Duration::from_secs(1))
                    .jitter(jitter),
            )
            .breaker_off()
            .budget_off()
            .build()
            .unwrap();
        let start = tokio::time::Instant::now();
        let clients: Vec<_> = (0..1_000)
            .map(|_| {
                let (runtime, policy) = (runtime.clone(), policy.clone());
                let seconds = Arc::clone(&seconds);
                tokio::spawn(async move {
                    let first = AtomicBool::new(true);
                    let down = || async {
                        if !first.swap(false, Ordering::Relaxed) {
                            seconds.lock().unwrap().push(start.elapsed());
                        }
                        Err::<(), _>(Failure::of(Category::NETWORK))
                    };
                    runtime.scope(policy.run(down)).await.unwrap_err();
                })
            })
            .collect();
        for client in clients {
            client.await.unwrap();
        }
        let mut tenths = [0; 10];
        for second in seconds.lock().unwrap().iter() {
            // Timers go by the millisecond, and round up.
            let ms = u64::try_from(second.as_millis()).unwrap();
            assert!(
                (range.start..=range.end + 1).contains(&ms),
                "{jitter:?}: {second:?}"
            );
            let tenth = (ms - range.start) * 10 / (range.end - range.start);
            tenths[usize::try_from(tenth).unwrap().min(9)] += 1;
        }
        assert_eq!(tenths.iter().sum::<u32>(), 1_000);
        assert!(
            tenths.iter().all(|&tenth| tenth <= 200),
            "{jitter:?}: {tenths:?}"
        );
    }
}
