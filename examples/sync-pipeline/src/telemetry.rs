//! What the program gets from the `resilience` runtime: kinds of failures, breakers, the log.

use std::io::{self, Write};
use std::str::FromStr as _;

use anyhow::{Context as _, anyhow};
use indicatif::ProgressBar;
use resilience::{BreakerSummary, Category, FieldValue, Severity};
use sync_pipeline::store::BreakerState;
use tracing_subscriber::filter::LevelFilter;

use crate::cli::LOG_VARIABLE;
use crate::report::Screen;

/// The one category and severity under which a failed record is counted: those that the runtime
/// gave to the call for its line. A record that failed before any call is classified here.
pub(crate) fn kind_of(
    error: &anyhow::Error,
    line: u64,
    path: Option<&str>,
) -> (Category, Severity) {
    let (line, path) = (FieldValue::from(line), path.map(FieldValue::from));
    // Others fail at the same time, so the newest error need not be this one.
    let errors = resilience::recent_errors(usize::MAX);
    let of_this_call = errors.iter().rev().find(|error| {
        let field = |name| error.fields.get(name);
        error.last && field("line") == Some(&line) && field("path") == path.as_ref()
    });
    if let Some(found) = of_this_call {
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

/// How often the annotated functions of this process ran, and how many of these were retries.
pub(crate) fn attempts() -> (u64, u64) {
    let summary = resilience::summary();
    (summary.attempts, summary.retries)
}

/// Sends the log to standard error, above the progress bar where there is one. Without the variable
/// there is none: the program's own lines say what fails.
pub(crate) fn log_to(screen: &Screen) -> anyhow::Result<()> {
    let level = match std::env::var(LOG_VARIABLE) {
        Ok(level) if !level.is_empty() => {
            LevelFilter::from_str(&level).with_context(|| format!("{LOG_VARIABLE} is `{level}`"))?
        }
        _ => LevelFilter::OFF,
    };
    let bar = screen.bar();
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .with_writer(move || LogWriter { bar: bar.clone() })
        .try_init()
        .map_err(|error| anyhow!(error))
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

#[cfg(test)]
mod tests {
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
                "sync_add",
                "sync_delete",
                "sync_modify",
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
