//! Measures the cases, or runs one of them: `peers list|run|time|threads`.

use std::process::ExitCode;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use guard::ours;
use peers::record::Record;
use peers::{Case, Run, cases, measured};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let Ok(tokio) = guard::tokio() else {
        eprintln!("no runtime");
        return ExitCode::FAILURE;
    };
    let _inside = tokio.enter();
    if let Err(problems) = ours::load() {
        eprintln!("{problems}");
        return ExitCode::FAILURE;
    }
    match words.as_slice() {
        ["list"] => list(),
        ["run", listens @ .., name, calls] => {
            if listens == ["--listener"] {
                ours::listen();
            }
            let (Some(case), Ok(calls)) = (
                cases::cases().into_iter().find(|case| case.name() == *name),
                calls.parse(),
            ) else {
                eprintln!("no case {name}");
                return ExitCode::FAILURE;
            };
            (case.run)(WARM_UP);
            measured(&case.run, calls);
        }
        ["time", "--listener"] => {
            ours::listen();
            time("listener", |case| {
                case.library == "resilience" && case.workload == "stack"
            });
        }
        ["time"] => time("", |_| true),
        ["threads"] => threads(&tokio),
        _ => {
            eprintln!(
                "peers list | run [--listener] WORKLOAD/LIBRARY CALLS | time [--listener] | threads"
            );
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// The names of all cases whose instructions say something.
fn list() {
    for case in cases::cases().iter().filter(|case| !case.sleeps) {
        println!("{}", case.name());
    }
}

/// Rounds of short batches, all cases in turn, each right behind a batch of the bare operation.
fn time(suffix: &str, chosen: impl Fn(&Case) -> bool) {
    let cases = cases::cases();
    let Some(bare) = cases.iter().find(|case| case.workload == "bare") else {
        return;
    };
    let measured: Vec<&Case> = cases.iter().filter(|case| chosen(case)).collect();
    let notes: Vec<Vec<String>> = measured.iter().map(|case| case.footnotes()).collect();
    let sizes: Vec<u64> = measured
        .iter()
        .map(|case| if case.sleeps { 2 } else { batch(&case.run) })
        .collect();
    let mut times = vec![Vec::new(); measured.len()];
    let mut fastest = f64::MAX;
    let size_of_bare = batch(&bare.run);
    for round in 0..ROUNDS {
        for ((case, &size), times) in measured.iter().zip(&sizes).zip(&mut times) {
            if case.sleeps && round % 20 > 0 {
                continue;
            }
            fastest = fastest.min(nanoseconds(&bare.run, size_of_bare));
            times.push(nanoseconds(&case.run, size));
        }
    }
    for ((case, notes), mut times) in measured.into_iter().zip(notes).zip(times) {
        times.sort_by(f64::total_cmp);
        let minimum = times[0];
        Record {
            workload: [case.workload, suffix]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join("-"),
            library: case.library.into(),
            ns_minimum: Some(round(minimum)),
            ns_median: Some(round(times[times.len() / 2])),
            ratio_to_bare: Some(round(minimum / fastest)),
            future_bytes: Some(case.future),
            notes,
            ..Record::default()
        }
        .print();
    }
}

/// One thread alone against two at once, on the same objects. Of the batches of two threads only
/// those count during which the other one got on as well: on a busy machine one of them often waits
/// for a core, and the other is as fast as alone.
fn threads(tokio: &tokio::runtime::Runtime) {
    let cases = cases::cases();
    for case in cases
        .iter()
        .filter(|case| case.shared && SHARED.contains(&case.workload))
    {
        let size = batch(&case.run);
        let alone = median((0..ROUNDS).map(|_| nanoseconds(&case.run, size)).collect());
        let progress = [AtomicU64::new(0), AtomicU64::new(0)];
        let start = Barrier::new(2);
        let together = |own: usize| {
            let _inside = tokio.enter();
            (case.run)(WARM_UP);
            start.wait();
            let mut times = Vec::new();
            for _ in 0..20 * ROUNDS {
                let before = progress[1 - own].load(Ordering::Relaxed);
                let time = nanoseconds(&case.run, size);
                progress[own].fetch_add(1, Ordering::Relaxed);
                if progress[1 - own].load(Ordering::Relaxed) > before {
                    times.push(time);
                }
            }
            times
        };
        let (mine, others) = thread::scope(|scope| {
            let other = scope.spawn(|| together(1));
            (together(0), other.join().unwrap_or_default())
        });
        // Too few say nothing.
        let enough = mine.len().min(others.len()) >= ROUNDS / 2;
        Record {
            workload: case.workload.into(),
            library: case.library.into(),
            two_threads_percent: enough
                .then(|| round(alone / median(mine).max(median(others)) * 100.0)),
            ..Record::default()
        }
        .print();
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::MAX)
}

/// How many calls take about 50 microseconds.
fn batch(run: &Run) -> u64 {
    run(WARM_UP);
    let mut calls = 16;
    while nanoseconds(run, calls) * as_f64(calls) < 50_000.0 {
        calls *= 2;
    }
    calls
}

fn nanoseconds(run: &Run, calls: u64) -> f64 {
    let began = Instant::now();
    run(calls);
    began.elapsed().as_secs_f64() * 1e9 / as_f64(calls)
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn as_f64(calls: u64) -> f64 {
    calls as f64
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

const SHARED: [&str; 6] = [
    "bare",
    "breaker",
    "rate-limit",
    "bulkhead",
    "stack",
    "stack-rate-limit",
];
const ROUNDS: usize = 200;
const WARM_UP: u64 = 500;
