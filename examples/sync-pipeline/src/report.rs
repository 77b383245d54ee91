//! What the user sees: a progress bar on a terminal, plain lines elsewhere, a summary.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use resilience::{Category, Severity};
use sync_pipeline::store::BreakerState;

use crate::run::{Label, Run, Tally};
use crate::steps::Outcome;
use crate::telemetry;

/// Standard output, and the progress bar on standard error.
///
/// A reader that goes away (`| head`) is no failure: what is left to say is dropped.
#[derive(Debug)]
pub(crate) struct Screen {
    bar: Option<ProgressBar>,
    closed: bool,
}

impl Screen {
    /// Lines only.
    pub(crate) const fn plain() -> Self {
        Self {
            bar: None,
            closed: false,
        }
    }

    /// Lines, with a progress bar where standard error is a terminal.
    pub(crate) fn with_progress() -> Self {
        if !io::stderr().is_terminal() {
            return Self::plain();
        }
        // How many records there are is known when the input ends: no bar to fill, but a count.
        let bar = ProgressBar::new_spinner();
        if let Ok(style) =
            ProgressStyle::with_template("{spinner} {elapsed_precise} {msg} ({rate})")
        {
            bar.set_style(style.with_key(
                "rate",
                |state: &ProgressState, text: &mut dyn fmt::Write| {
                    let _ = write!(text, "{:.0}/s", state.per_sec());
                },
            ));
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Self {
            bar: Some(bar),
            closed: false,
        }
    }

    /// The progress bar, for others that write to standard error.
    pub(crate) fn bar(&self) -> Option<ProgressBar> {
        self.bar.clone()
    }

    /// Prints one line. Control characters of paths and messages are shown, not obeyed.
    pub(crate) fn line(&mut self, text: impl fmt::Display) {
        if self.closed {
            return;
        }
        let text = text.to_string();
        let write = || writeln!(io::stdout().lock(), "{}", printable(&text));
        let written = match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        };
        self.closed = written.is_err();
    }

    /// Shows how far the run is.
    pub(crate) fn progress(&mut self, tally: &Tally) {
        match &self.bar {
            Some(bar) => {
                bar.set_position(tally.records);
                bar.set_message(counts(tally));
            }
            None if tally.records > 0 && tally.records.is_multiple_of(PROGRESS_EVERY) => {
                self.line(format_args!("… {}", counts(tally)));
            }
            None => {}
        }
    }

    /// Takes the progress bar away.
    pub(crate) fn finish_progress(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// The end of a run.
pub(crate) fn summary(screen: &mut Screen, run: &Run, breakers: &[BreakerState]) {
    let tally = &run.tally;
    let dry = if run.pipeline.dry_run {
        ", dry run"
    } else {
        ""
    };
    screen.line(format_args!(
        "Run {} (collection {}{dry})",
        run.id, run.pipeline.collection
    ));
    screen.line(format_args!("  {}", counts(tally)));
    if run.pipeline.dry_run {
        screen.line("  The index was not touched.");
    } else if tally.nothing_changed() && tally.failed == 0 {
        screen.line("  Nothing changed: the index is up to date.");
    } else if tally.nothing_changed() {
        screen.line("  Nothing changed in the index.");
    }
    let (attempts, retries) = telemetry::attempts();
    screen.line(format_args!(
        "  {attempts} attempts of annotated steps, {retries} of them retries"
    ));
    if !tally.kinds.is_empty() {
        screen.line("Failed records by category:severity");
        let mut kinds: Vec<_> = tally.kinds.iter().collect();
        kinds.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        for (kind, count) in kinds.iter().take(TOP_KINDS) {
            screen.line(format_args!("  {count:>6}  {kind}"));
        }
        if let Some(rest) = kinds.len().checked_sub(TOP_KINDS).filter(|rest| *rest > 0) {
            screen.line(format_args!(
                "          and {rest} more: see `errors --summary`"
            ));
        }
    }
    let not_closed: Vec<_> = breakers.iter().filter(|it| it.state != "closed").collect();
    if !not_closed.is_empty() {
        screen.line("Breakers that are not closed");
        for breaker in not_closed {
            screen.line(format_args!("  {}", self::breaker(breaker)));
        }
    }
}

/// A run that could not go on: what happened last.
pub(crate) fn broke_off(screen: &mut Screen, run: &Run) {
    screen.finish_progress();
    screen.line(format_args!(
        "Run {} broke off: {}",
        run.id,
        counts(&run.tally)
    ));
    if !run.tally.recent.is_empty() {
        screen.line("The most recent failed records, the newest first");
        for text in run.tally.recent.iter().rev() {
            screen.line(format_args!("  {text}"));
        }
    }
}

/// What became of a record that did not fail.
pub(crate) fn outcome(outcome: &Outcome, label: &Label) -> String {
    let path = label
        .path
        .as_deref()
        .or(label.repo.as_deref())
        .unwrap_or("");
    match outcome {
        Outcome::Indexed { chunks } => format!("indexed {path} (chunks: {chunks})"),
        Outcome::Unchanged => format!("unchanged {path}"),
        Outcome::Deleted => format!("deleted {path}"),
        Outcome::NotThere => format!("nothing to delete: {path} is not in the index"),
        Outcome::Changeset => format!("changeset of {path} noted"),
        Outcome::Skipped(skip) => format!("skipped {path}: {skip}"),
        Outcome::WouldIndex { op, bytes } => format!("would {op} {path} ({bytes} bytes)"),
        Outcome::WouldDelete => format!("would delete {path}"),
    }
}

/// What became of a record that failed.
pub(crate) fn failure(
    line: u64,
    label: &Label,
    category: Category,
    severity: Severity,
    message: &str,
) -> String {
    match &label.path {
        Some(path) => format!("line {line}: failed {path} [{category}:{severity}]: {message}"),
        None => format!("line {line}: failed [{category}:{severity}]: {message}"),
    }
}

/// An error with its causes. A cause whose text the one before has already said is left out.
pub(crate) fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if text.is_empty() {
            text = cause;
        } else if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

/// A breaker's service and state.
pub(crate) fn breaker(breaker: &BreakerState) -> String {
    let failures = if breaker.failures == 1 {
        "failure"
    } else {
        "failures"
    };
    format!(
        "{}: {} ({} {failures})",
        breaker.service, breaker.state, breaker.failures
    )
}

fn counts(tally: &Tally) -> String {
    let mut text = format!(
        "{} {}: {} indexed, {} unchanged, {} deleted, {} skipped, {} failed",
        tally.records,
        if tally.records == 1 {
            "record"
        } else {
            "records"
        },
        tally.indexed,
        tally.unchanged,
        tally.deleted,
        tally.skipped,
        tally.failed,
    );
    for (count, what) in [
        (tally.not_there, "not in the index"),
        (tally.changesets, "changesets noted"),
    ] {
        if count > 0 {
            text += &[", ", &count.to_string(), " ", what].concat();
        }
    }
    text
}

fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Without a progress bar, one line after so many records.
const PROGRESS_EVERY: u64 = 500;
const TOP_KINDS: usize = 5;

#[cfg(test)]
mod tests {
    use anyhow::{Context as _, anyhow};

    use super::*;

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(printable("a\u{1b}[31mb\n"), "a\\u{1b}[31mb\\n");
        assert_eq!(printable("é…"), "é…");
    }

    #[test]
    fn a_chain_says_nothing_twice() {
        let error = Err::<(), _>(anyhow!("inner"))
            .context("outer: inner")
            .expect_err("an error");
        assert_eq!(chain(&error), "outer: inner");
        assert_eq!(chain(&anyhow!("inner").context("outer")), "outer: inner");
    }
}
