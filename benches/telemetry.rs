//! What telemetry costs a successful call: `cargo bench --bench telemetry`.
//!
//! Prints the best of many short batches, and ends with an error where a promise is broken.

use std::hint::black_box;
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::sync::Barrier;
use std::task::{Context as TaskContext, Poll, Waker};
use std::thread;
use std::time::Instant;

use resilience::{Context, Error, Runtime, resilient};

#[resilient(operation = "bench of telemetry")]
async fn call(x: u64) -> Result<u64, Error> {
    Ok(black_box(x) + 1)
}

fn main() -> ExitCode {
    let plain = Runtime::new();
    let untraced = Runtime::builder().without_tracing().build();
    let uncounted = Runtime::builder()
        .without_tracing()
        .without_statistics()
        .build();
    let mut best = [f64::MAX; 5];
    for _ in 0..ROUNDS {
        for (best, nanos) in best.iter_mut().zip([
            ready(plain.scope(boxed())),
            ready(untraced.scope(boxed())),
            ready(uncounted.scope(boxed())),
            ready(boxed()),
            ready(Context::new().session_id("s").scope(boxed())),
        ]) {
            *best = best.min(nanos);
        }
    }
    let [all, untraced, uncounted, global, context] = best;
    println!("scoped runtime, everything on      {all:6.1} ns a call");
    println!("  without tracing                  {untraced:6.1} ns");
    println!("  without tracing and statistics   {uncounted:6.1} ns");
    println!("global runtime                     {global:6.1} ns");
    println!("  inside a context                 {context:6.1} ns");

    let (alone, together) = threads();
    let ratio = alone / together;
    println!(
        "alone {alone:.1} ns, two threads at once {together:.1} ns each: {:.0} %",
        ratio * 100.0
    );

    let mut kept = true;
    let mut promise = |holds: bool, what: &str| {
        if !holds {
            println!("BROKEN: {what}");
            kept = false;
        }
    };
    promise(
        all - untraced <= 10.0,
        "tracing without a subscriber costs 10 ns at most",
    );
    promise(
        context - global <= 5.0,
        "a context costs a successful call nothing",
    );
    promise(
        ratio >= 0.80,
        "two threads on one site keep 80 % of their speed",
    );
    if kept {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Compiled once, so that all are measured on the same code.
fn boxed() -> Pin<Box<dyn Future<Output = f64>>> {
    Box::pin(batch())
}

/// The time of one call in a batch of them, in nanoseconds.
async fn batch() -> f64 {
    let began = Instant::now();
    for x in 0..CALLS {
        let result = call(black_box(u64::from(x))).await;
        assert!(black_box(result).is_ok());
    }
    began.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
}

/// The best time of a call in one thread alone, and of the slower of two at once.
fn threads() -> (f64, f64) {
    let alone = (0..ROUNDS).map(|_| ready(batch())).fold(f64::MAX, f64::min);
    let together = (0..ROUNDS)
        .map(|_| {
            let start = Barrier::new(2);
            let run = || {
                start.wait();
                ready(batch())
            };
            thread::scope(|scope| {
                let other = scope.spawn(run);
                let mine = run();
                mine.max(other.join().unwrap_or(f64::MAX))
            })
        })
        .fold(f64::MAX, f64::min);
    (alone, together)
}

fn ready<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        let mut context = TaskContext::from_waker(Waker::noop());
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

const CALLS: u32 = 20_000;
const ROUNDS: u32 = 100;
