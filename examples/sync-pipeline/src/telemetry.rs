//! What the program gets from the `resilience` runtime: kinds of failures, breakers, the log, the
//! export.

use std::io::{self, Write};
use std::str::FromStr as _;

use anyhow::Context as _;
use indicatif::ProgressBar;
use resilience::{BreakerSummary, Category, Context, Runtime, Severity};
use resilience_otel::{Axiom, Config, Telemetry};
use sync_pipeline::store::BreakerState;
use tracing::Subscriber;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt;

use crate::cli::{ENDPOINT_VARIABLE, LOG_VARIABLE};
use crate::report::Screen;

/// What the calls for a record are about: part of all that is told of them.
pub(crate) fn about(run_id: &str, path: &str, line: u64) -> Context {
    Context::new()
        .session_id(run_id)
        .agent(PROGRAM)
        .file(path)
        .line(line)
}

/// The one category and severity under which a failed record is counted: those that the runtime
/// gave to the call for its line. A record that failed before any call is classified here.
pub(crate) fn kind_of(error: &anyhow::Error, run_id: &str, line: u64) -> (Category, Severity) {
    // Others fail at the same time, so the newest error need not be this one.
    let errors = resilience::recent_errors(usize::MAX);
    let of_this_record = errors.iter().rev().find(|error| {
        let about = &error.context;
        error.last && about.line == Some(line) && about.session_id.as_deref() == Some(run_id)
    });
    if let Some(found) = of_this_record {
        return (found.category, found.severity);
    }
    let classification = resilience::classify::error(error.as_ref());
    (classification.category(), classification.severity(1))
}

/// Every breaker of this process.
pub(crate) fn breakers() -> Vec<BreakerState> {
    let breaker = |breaker: BreakerSummary| BreakerState {
        service: breaker.service,
        state: breaker.state.as_str().to_owned(),
        failures: u64::from(breaker.failures),
    };
    resilience::summary()
        .breakers
        .into_iter()
        .map(breaker)
        .collect()
}

/// The export of traces, logs and metrics to the collector that the environment names, or to Axiom.
/// It sends what is left when it is dropped.
pub(crate) fn export() -> anyhow::Result<Option<Telemetry>> {
    let config = Config::new(PROGRAM).service_version(env!("CARGO_PKG_VERSION"));
    let config = match Axiom::from_env() {
        Some(axiom) => config.axiom(axiom),
        None if std::env::var_os(ENDPOINT_VARIABLE).is_some_and(|url| !url.is_empty()) => config,
        None => return Ok(None),
    };
    let telemetry = Telemetry::new(&config).context("setting up the export of telemetry")?;
    telemetry.watch(Runtime::global());
    Ok(Some(telemetry))
}

/// Sends the log to standard error, above the progress bar where there is one, and to the export.
/// Without its variable there are no lines: the program's own say what fails.
pub(crate) fn log_to(screen: &Screen, export: Option<&Telemetry>) -> anyhow::Result<()> {
    let level = match std::env::var(LOG_VARIABLE) {
        Ok(level) if !level.is_empty() => {
            LevelFilter::from_str(&level).with_context(|| format!("{LOG_VARIABLE} is `{level}`"))?
        }
        _ => LevelFilter::OFF,
    };
    subscriber(level, screen.bar(), export)
        .try_init()
        .context("setting up the log")
}

fn subscriber(
    level: LevelFilter,
    bar: Option<ProgressBar>,
    export: Option<&Telemetry>,
) -> impl Subscriber + SubscriberInitExt + use<> {
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(move || LogWriter { bar: bar.clone() })
        .with_filter(level);
    tracing_subscriber::registry()
        .with(lines)
        .with(export.map(Telemetry::layer))
}

/// Writes without tearing the progress bar.
struct LogWriter {
    bar: Option<ProgressBar>,
}

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &self.bar {
            Some(bar) => bar.suspend(|| io::stderr().write(bytes)),
            None => io::stderr().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// The name of this program, to a collector and in what is told of its calls.
const PROGRAM: &str = "sync-pipeline";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_log_and_export_no_call_makes_a_span() {
        let silent = subscriber(LevelFilter::OFF, None, None);
        assert_eq!(silent.max_level_hint(), Some(LevelFilter::OFF));
    }

    #[test]
    fn every_step_is_known_before_its_first_call_and_none_contradicts_another() {
        assert_eq!(resilience::problems(), []);
        let mut operations: Vec<_> = resilience::sites()
            .iter()
            .map(|site| site.operation.clone())
            .collect();
        operations.sort();
        assert_eq!(
            operations,
            [
                "embed_query",
                "generate_embedding",
                "index_document",
                "look_up_document",
                "remove_document",
                "sync_delete",
                "sync_document",
                "weaviate_batch",
                "weaviate_create",
                "weaviate_ready",
                "weaviate_sample",
                "weaviate_schema",
                "weaviate_search",
            ]
        );
    }
}
