//! What a program can see of its calls: log lines, a listener, counts, recent errors; and all of it
//! at a collector.
//!
//! `cargo run --example telemetry` exports nothing. To a collector:
//! `OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 cargo run --example telemetry`; to Axiom with
//! `AXIOM_TOKEN`, `AXIOM_EDGE` and `AXIOM_TRACES_DATASET`, `.._LOGS_..`, `.._METRICS_..`.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, bail};
use resilience::{Context, Event, Listener, Runtime, resilient, summary};
use resilience_otel::{Axiom, Config, Output, Telemetry};

static RUNS: AtomicU32 = AtomicU32::new(0);

/// Fails at every third run, and for good where the document has no name.
#[resilient(
    operation = "index_document",
    category = "weaviate",
    retries = 3,
    backoff(initial = "10ms"),
    fields(name, size = text.len())
)]
async fn index_document(name: &str, text: &str) -> anyhow::Result<()> {
    if name.is_empty() {
        bail!("invalid document: the name must not be empty");
    }
    if RUNS.fetch_add(1, Ordering::Relaxed) % 3 == 1 {
        // What stands behind `Bearer` and in a URL's query is masked wherever this text goes.
        bail!("503 Service Unavailable: PUT https://weaviate/v1?key=s3cr3t (Bearer s3cr3t)");
    }
    Ok(())
}

/// Hears everything that happens.
struct Bell;

impl Listener for Bell {
    fn on_event(&self, event: &Event<'_>) {
        if matches!(event, Event::RetryScheduled { .. }) {
            println!("bell: {event}");
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // The guard sends what is left when `main` returns.
    let _telemetry = set_up()?;
    Runtime::global().add_listener(Bell);

    let run = Context::new().session_id("run-1").agent("indexer");
    run.scope(async {
        for (line, name) in (1..).zip(["a.md", "b.md", "", "d.md"]) {
            let record = Context::new().file("list.txt").line(line);
            let indexed = record.scope(index_document(name, "text")).await;
            if let Err(error) = indexed {
                println!("line {line}: {error:#}");
            }
        }
    })
    .await;

    println!("\n{}\n\nrecent errors:", summary());
    for error in resilience::recent_errors(10) {
        println!("{error}");
    }
    Ok(())
}

/// Log lines on standard error and, where the environment names a place for it, the export.
fn set_up() -> anyhow::Result<Option<Telemetry>> {
    let config = Config::new("telemetry-example")
        .service_version(env!("CARGO_PKG_VERSION"))
        .output(Output::Text);
    let config = match Axiom::from_env() {
        Some(axiom) => config.axiom(axiom),
        None if std::env::var_os("OTEL_EXPORTER_OTLP_ENDPOINT").is_some() => config,
        None => {
            tracing_subscriber::fmt()
                .with_writer(std::io::stderr)
                .init();
            return Ok(None);
        }
    };
    let telemetry = resilience_otel::init(&config).context("telemetry")?;
    Ok(Some(telemetry))
}
