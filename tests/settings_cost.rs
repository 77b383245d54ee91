//! What settings that can change cost a call, and what a reload leaves behind.

use std::ops::Range;
use std::pin::pin;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use allocation_counter::measure;
use resilience::{Error, Runtime, Settings, resilient};

#[resilient(service = "cost of settings")]
async fn plain(x: u64) -> Result<u64, Error> {
    Ok(x)
}

fn call(x: u64) {
    let mut future = pin!(plain(x));
    let polled = future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Ready(Ok(y)) if y == x));
}

/// Loads and applies settings that differ from the ones before, and calls.
fn reload(n: u64) {
    // So that all texts are of one length.
    let retries = n + 1_000;
    let text = format!(
        "[services.\"cost of settings\"]\nretries = {retries}\ntimeout = \"{}s\"\n\
         [services.\"cost of settings\".breaker]\nfailure_threshold = {}\n[resources]\ntokens = {retries}\n",
        n % 7 + 1,
        n % 5 + 1
    );
    let settings = Settings::loader()
        .text("test.toml", &text)
        .variables::<String, String>([])
        .load()
        .unwrap();
    Runtime::global().apply(&settings);
    call(n);
}

/// Two threads that call while a third one reloads: what each part of the reloads leaves on the heap,
/// in bytes, and how many calls there were.
fn under_traffic<const N: usize>(parts: [Range<u64>; N]) -> ([i64; N], u64) {
    let calls = AtomicU64::new(0);
    // So many parts.
    let over = AtomicUsize::new(0);
    let together = Barrier::new(3);
    let mut left = [0; N];
    std::thread::scope(|scope| {
        let traffic = || {
            std::array::from_fn::<_, N, _>(|part| {
                together.wait();
                let bytes = measure(|| {
                    while over.load(Ordering::Acquire) == part {
                        call(calls.fetch_add(1, Ordering::Relaxed));
                    }
                    // The last settings take the place of those before.
                    call(0);
                });
                together.wait();
                bytes.bytes_current
            })
        };
        let traffic = [scope.spawn(traffic), scope.spawn(traffic)];
        for (left, part) in left.iter_mut().zip(parts) {
            together.wait();
            let bytes = measure(|| {
                for n in part {
                    // One for every hundred calls.
                    while calls.load(Ordering::Relaxed) < 100 * n {
                        std::thread::yield_now();
                    }
                    reload(n);
                }
                over.fetch_add(1, Ordering::Release);
            });
            together.wait();
            *left = bytes.bytes_current;
        }
        for thread in traffic {
            for (left, bytes) in left.iter_mut().zip(thread.join().unwrap()) {
                *left += bytes;
            }
        }
    });
    (left, calls.into_inner())
}

// One test: it measures the one global runtime.
#[test]
fn a_call_allocates_nothing_also_after_a_reload_and_reloads_leave_nothing_behind() {
    (0..100).for_each(reload);
    let calls = measure(|| (0..1_000).for_each(call));
    assert_eq!(calls.count_total, 0);

    let ([_, left], calls) = under_traffic([0..100, 100..1_000]);
    // Of the first settings the program keeps what they made; all the others differ from them, and
    // what each of them leaves behind, 900 have left.
    assert!(left.abs() < 4_000, "{left} bytes more than after a hundred");
    assert!(calls >= 99_900, "{calls}");

    // Back and forth between those that are kept: no memory, from the first call on.
    let back_and_forth = measure(|| (0..100).map(|n| n % 10).for_each(reload));
    assert!(
        back_and_forth.bytes_current.abs() < 1_000,
        "{back_and_forth:?}"
    );
    let calls = measure(|| (0..1_000).for_each(call));
    assert_eq!(calls.count_total, 0);
}
