//! What the program gets from the `resilience` runtime: kinds of failures, breakers, the log.

use std::io::{self, Write};
use std::str::FromStr as _;

use anyhow::{Context as _, anyhow};
use indicatif::ProgressBar;
use resilience::{BreakerSummary, Category, Classification, Classify as _, Severity};
use sync_pipeline::content::ContentError;
use sync_pipeline::embed::EmbedError;
use sync_pipeline::index::IndexError;
use sync_pipeline::record::RecordError;
use sync_pipeline::store::BreakerState;
use tracing_subscriber::filter::LevelFilter;

use crate::cli::LOG_VARIABLE;
use crate::report::Screen;

/// The one category and severity under which a failed record is counted.
pub(crate) fn kind_of(error: &anyhow::Error) -> (Category, Severity) {
    let classification = error
        .chain()
        .find_map(classify)
        .unwrap_or_else(Classification::unknown);
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

/// Sends the log to standard error, above the progress bar where there is one.
pub(crate) fn log_to(screen: &Screen) -> anyhow::Result<()> {
    let level = match std::env::var(LOG_VARIABLE) {
        Ok(level) if !level.is_empty() => {
            LevelFilter::from_str(&level).with_context(|| format!("{LOG_VARIABLE} is `{level}`"))?
        }
        _ => LevelFilter::ERROR,
    };
    let bar = screen.bar();
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .with_writer(move || LogWriter { bar: bar.clone() })
        .try_init()
        .map_err(|error| anyhow!(error))
}

fn classify(error: &(dyn std::error::Error + 'static)) -> Option<Classification> {
    if let Some(error) = error.downcast_ref::<RecordError>() {
        return Some(error.classify());
    }
    if let Some(error) = error.downcast_ref::<ContentError>() {
        return Some(error.classify());
    }
    if let Some(error) = error.downcast_ref::<EmbedError>() {
        return Some(error.classify());
    }
    error.downcast_ref::<IndexError>().map(IndexError::classify)
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
