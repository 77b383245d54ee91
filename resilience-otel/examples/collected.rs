//! Calls with known ends, exported to the collector that the `OTEL_*` variables name. Prints as
//! JSON what it knows it did, for `tests/collector.sh` to compare.
//!
//! `cargo run -p resilience-otel --example collected`

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use resilience::testing::Fault;
use resilience::{Category, Context, Error, Runtime, fail_fast, resilient};
use resilience_otel::Config;
use serde_json::json;

#[resilient(
    operation = "index_file",
    category = "weaviate",
    retries = 2,
    backoff(initial = "5ms"),
    breaker(failure_threshold = 6),
    fields(line)
)]
async fn index_file(line: u32) -> Result<(), Error> {
    tokio::time::sleep(Duration::from_millis(2)).await;
    Ok(())
}

#[resilient(operation = "sync_file", retries = 1, backoff(initial = "5ms"), breaker = off)]
async fn sync_file(line: u32) -> Result<(), Error> {
    index_file(line).await
}

#[fail_fast(operation = "plan", require(line > 0, field = "line", "must be positive"))]
async fn plan(line: u32) -> Result<(), Error> {
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = Config::new("collected").service_version("1.0.0");
    let telemetry = resilience_otel::init(&config)?;
    let runtime = Runtime::global();
    // Two attempts fail and the call recovers; later nine fail in a row: two calls give up, the
    // breaker opens at the sixth, and the last calls are refused.
    runtime.inject("index_file", Fault::error(Category::NETWORK).times(2));
    runtime.inject(
        "index_file",
        Fault::error(Category::WEAVIATE).after(4).times(9),
    );
    let run = Context::new().session_id("run-7").agent("sync");
    let lines = run.scope(async {
        for line in 0..12 {
            let record = Context::new().file("src/main.rs").line(line.into());
            let ends = record.scope(async { (plan(line).await, sync_file(line).await) });
            // How each of them ends is in the summary.
            drop(ends.await);
        }
    });
    lines.await;
    let happened = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64();
    // No flush: what is seen meanwhile has come by itself.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let summary = runtime.summary();
    let recent = runtime.recent_errors(100);
    let delivery = telemetry.shutdown();
    let known = json!({
        "happened": happened,
        "summary": summary,
        "recent": recent,
        "delivered": { "spans": delivery.spans.delivered, "logs": delivery.logs.delivered },
        "complete": delivery.is_complete(),
    });
    println!("{known}");
    Ok(())
}
