//! What a call costs where there are many functions, keys, or calls in flight, and whether somebody
//! listens: JSON lines of `{"of", "count", "ns", "bytes", "what"}`.

use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use allocation_counter::measure;
use guard::{Yield, drive, ours};
use resilience::{Error, resilient};
use serde_json::json;

#[resilient(service = "one")]
async fn one(x: u64) -> Result<u64, Error> {
    Ok(black_box(x) + 1)
}

#[resilient(service = "keys", key = tenant)]
async fn keyed(tenant: u64) -> Result<u64, Error> {
    Ok(black_box(tenant) + 1)
}

#[resilient(service = "waits")]
async fn waits(x: u64) -> Result<u64, Error> {
    Yield::default().await;
    Ok(black_box(x) + 1)
}

fn main() {
    let Ok(tokio) = guard::tokio() else { return };
    let _inside = tokio.enter();
    if let Err(problems) = ours::load() {
        eprintln!("{problems}");
        std::process::exit(1);
    }
    functions();
    keys();
    in_flight();
    listeners();
}

/// The same function while 1, 100 and 10,000 have been called, and so many in turn.
fn functions() {
    for count in [1, 100, functions::CALLS.len()] {
        let called = &functions::CALLS[..count];
        let allocated = measure(|| called.iter().for_each(|call| call(1)));
        let alone = best(|| drive(BATCH, one)) / f64_of(BATCH);
        // That of the first has the state of the service with it.
        let bytes = per(allocated.bytes_current, count).filter(|_| count > 1);
        print("functions", count, "one of them", alone, bytes);
        let turns = (BATCH as usize / count).max(1);
        let in_turn =
            best(|| (0..turns).for_each(|_| called.iter().for_each(|call| call(black_box(1)))));
        print(
            "functions",
            count,
            "all in turn",
            in_turn / f64_of((turns * count) as u64),
            None,
        );
    }
}

/// So many keys in turn. Of each count the state of the keys before is still there.
fn keys() {
    for count in [1_u64, 1_000, 1_000_000] {
        let allocated = measure(|| drive(count, keyed));
        let calls = count.max(BATCH);
        let rounds = if count > BATCH { 3 } else { ROUNDS };
        let in_turn = best_of(rounds, || drive(calls, |x| keyed(x % count))) / f64_of(calls);
        let bytes = per(allocated.bytes_current, count as usize).filter(|_| count > 1);
        print("keys", count as usize, "all in turn", in_turn, bytes);
    }
}

/// So many calls that wait, each begun, and then all ended; and the same with tokio's timeout alone.
fn in_flight() {
    for count in [1_usize, 10_000, 100_000] {
        fly(count, "begun and ended", |x| Box::pin(waits(x)));
        fly(count, "tokio's timeout alone", |x| {
            Box::pin(async move {
                let body = tokio::time::timeout(Duration::from_secs(30), ours::bare_waits(x));
                Ok(body.await.map_or(0, |result| result.unwrap_or(0)))
            })
        });
    }
}

type Call = Pin<Box<dyn Future<Output = Result<u64, Error>>>>;

fn fly(count: usize, what: &str, call: impl Fn(u64) -> Call) {
    let mut best = f64::MAX;
    let mut bytes = 0;
    for _ in 0..(ROUNDS / count).max(3) {
        let allocated = measure(|| {
            let mut calls = Vec::with_capacity(count);
            let began = Instant::now();
            for x in 0..count {
                let mut call = call(x as u64);
                poll(&mut call, false);
                calls.push(call);
            }
            for call in &mut calls {
                poll(call, true);
            }
            drop(calls);
            best = best.min(began.elapsed().as_secs_f64() * 1e9 / f64_of(count as u64));
        });
        bytes = allocated.bytes_max;
    }
    print(
        "calls in flight",
        count,
        what,
        best,
        per(i64::try_from(bytes).unwrap_or(i64::MAX), count),
    );
}

fn poll(call: &mut Call, ends: bool) {
    let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(polled.is_ready(), ends, "pending once");
}

/// Nobody listens, then one does.
fn listeners() {
    for count in [0, 1] {
        if count == 1 {
            ours::listen();
        }
        let nanoseconds = best(|| drive(BATCH, one)) / f64_of(BATCH);
        print("listeners", count, "one function", nanoseconds, None);
    }
}

fn print(of: &str, count: usize, what: &str, nanoseconds: f64, bytes: Option<f64>) {
    let nanoseconds = (nanoseconds * 10.0).round() / 10.0;
    println!(
        "{}",
        json!({"of": of, "count": count, "what": what, "ns": nanoseconds, "bytes": bytes})
    );
}

fn per(bytes: i64, count: usize) -> Option<f64> {
    (count > 0).then(|| (bytes as f64 / f64_of(count as u64)).round())
}

/// The best time of many runs, in nanoseconds.
fn best(run: impl FnMut()) -> f64 {
    best_of(ROUNDS, run)
}

fn best_of(rounds: usize, mut run: impl FnMut()) -> f64 {
    run();
    let time = |_| {
        let began = Instant::now();
        run();
        began.elapsed().as_secs_f64() * 1e9
    };
    (0..rounds).map(time).fold(f64::MAX, f64::min)
}

fn f64_of(count: u64) -> f64 {
    count as f64
}

const BATCH: u64 = 1_000;
const ROUNDS: usize = 100;
