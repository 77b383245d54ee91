//! Counts the allocations of every case. A program of its own, since counting takes time.

use allocation_counter::measure;
use guard::ours;
use peers::record::Record;
use peers::{Case, cases};

fn main() {
    let Ok(tokio) = guard::tokio() else { return };
    let _inside = tokio.enter();
    if let Err(problems) = ours::load() {
        eprintln!("{problems}");
        std::process::exit(1);
    }
    let cases = cases::cases();
    for case in &cases {
        count(case, "");
    }
    ours::listen();
    for case in cases
        .iter()
        .filter(|case| case.workload == "stack" && case.library == "resilience")
    {
        count(case, "-listener");
    }
}

fn count(case: &Case, suffix: &str) {
    let calls = if case.sleeps { 10 } else { 1_000 };
    (case.run)(calls);
    // What a batch itself allocates falls out of the difference.
    let once = measure(|| (case.run)(calls));
    let twice = measure(|| (case.run)(2 * calls));
    Record {
        workload: format!("{}{suffix}", case.workload),
        library: case.library.into(),
        allocations: Some(per_call(twice.count_total - once.count_total, calls)),
        bytes_allocated: Some(per_call(twice.bytes_total - once.bytes_total, calls)),
        ..Record::default()
    }
    .print();
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn per_call(of_all: u64, calls: u64) -> f64 {
    (of_all as f64 / calls as f64 * 10.0).round() / 10.0
}
