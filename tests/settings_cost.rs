//! What settings that can change cost a call, and what a reload leaves behind.

use std::pin::pin;
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
    let text = format!(
        "[services.\"cost of settings\"]\nretries = {n}\ntimeout = \"{}s\"\n\
         [services.\"cost of settings\".breaker]\nfailure_threshold = {}\n[resources]\ntokens = {n}\n",
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

// One test: it measures the one global runtime.
#[test]
fn a_call_allocates_nothing_also_after_a_reload_and_reloads_leave_nothing_behind() {
    (100..200).for_each(reload);
    let calls = measure(|| (0..1_000).for_each(call));
    assert_eq!(calls.count_total, 0);

    let reloads = measure(|| (200..1_100).for_each(reload));
    assert!(reloads.count_total > 0);
    // The numbers have a digit more.
    assert!(reloads.bytes_current.abs() < 64, "{reloads:?}");
}
