//! What the user sees: a progress bar on a terminal, plain lines elsewhere, a summary.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressState, ProgressStyle};
use serde_json::{Value, json};
use sync_pipeline::store::{BreakerState, Entry, Failure};

use crate::input::InputProgress;
use crate::steps::Outcome;
use crate::tally::Tally;
use crate::telemetry;
use crate::work::End;

/// Standard output, and the progress bar on standard error.
///
/// Where nobody can write any more, the work goes on and what is left to say is dropped.
#[derive(Debug)]
pub(crate) struct Screen {
    bar: Option<ProgressBar>,
    input: Arc<OnceLock<Arc<InputProgress>>>,
    format: Format,
    closed: Option<io::Error>,
}

/// Who reads the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A person.
    Text,
    /// A program: one JSON object a line.
    Json,
}

impl Screen {
    /// Lines only.
    pub(crate) fn plain(format: Format) -> Self {
        Self {
            bar: None,
            input: Arc::default(),
            format,
            closed: None,
        }
    }

    /// Lines, with a progress bar where standard error is a terminal.
    pub(crate) fn with_progress(format: Format) -> Self {
        let mut screen = Self::plain(format);
        if !io::stderr().is_terminal() {
            return screen;
        }
        // How many records there are is known when the input ends: no bar to fill, but a count.
        let bar = ProgressBar::new_spinner();
        if let Ok(style) =
            ProgressStyle::with_template("{spinner} {elapsed_precise} {msg} ({rate}{left})")
        {
            let input = Arc::clone(&screen.input);
            let style = style
                .with_key(
                    "rate",
                    |state: &ProgressState, text: &mut dyn fmt::Write| {
                        let _ = write!(text, "{:.0}/s", state.per_sec());
                    },
                )
                .with_key(
                    "left",
                    move |state: &ProgressState, text: &mut dyn fmt::Write| {
                        let left = input.get().and_then(|input| input.left(state.elapsed()));
                        if let Some(left) = left {
                            let _ = write!(text, ", {} left", HumanDuration(left));
                        }
                    },
                );
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        screen.bar = Some(bar);
        screen
    }

    /// Looks at this input to say how long it will take.
    pub(crate) fn expect(&mut self, input: Arc<InputProgress>) {
        // There is one input in a run.
        let _ = self.input.set(input);
    }

    /// The progress bar, for others that write to standard error.
    pub(crate) fn bar(&self) -> Option<ProgressBar> {
        self.bar.clone()
    }

    /// Prints one line, for people.
    pub(crate) fn line(&mut self, text: impl fmt::Display) {
        if self.format == Format::Text {
            self.print(&text.to_string());
        }
    }

    /// Prints one object, for programs.
    pub(crate) fn object(&mut self, object: &Value) {
        if self.format == Format::Json {
            self.print(&object.to_string());
        }
    }

    /// Something that everybody should know.
    pub(crate) fn note(&mut self, text: fmt::Arguments<'_>) {
        match self.format {
            Format::Text => self.line(text),
            Format::Json => self.object(&json!({"event": "note", "text": text.to_string()})),
        }
    }

    /// What has become of a record.
    pub(crate) fn record(&mut self, text: &str, object: impl FnOnce() -> Value) {
        match self.format {
            Format::Text => self.line(text),
            Format::Json => self.object(&object()),
        }
    }

    fn print(&mut self, text: &str) {
        if self.closed.is_some() {
            return;
        }
        let write = || writeln!(io::stdout().lock(), "{}", printable(text));
        let written = match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        };
        self.closed = written.err();
    }

    /// Whether everything was said. A reader that goes away (`| head`) has heard enough.
    pub(crate) fn all_said(self) -> io::Result<()> {
        match self.closed {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
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
#[derive(Debug)]
pub(crate) struct Summary<'a> {
    /// The run; a retry goes through the lines of many.
    pub(crate) run_id: Option<&'a str>,
    pub(crate) status: &'static str,
    pub(crate) target: &'a str,
    pub(crate) collection: &'a str,
    pub(crate) dry_run: bool,
    pub(crate) end: End,
    pub(crate) tally: &'a Tally,
}

/// Tells the end of a run, and what to do next.
pub(crate) fn summary(screen: &mut Screen, summary: &Summary<'_>) {
    let breakers = telemetry::breakers();
    screen.object(&summary_json(summary));
    let Summary {
        tally, collection, ..
    } = summary;
    let dry = if summary.dry_run { ", dry run" } else { "" };
    match summary.run_id {
        Some(id) => screen.line(format_args!("Run {id} (collection {collection}{dry})")),
        None => screen.line(format_args!(
            "Failed records again (collection {collection})"
        )),
    }
    screen.line(format_args!("  {}", counts(tally)));
    if let Some(changed) = what_changed(summary) {
        screen.line(format_args!("  {changed}"));
    }
    let resilience::Summary {
        attempts, retries, ..
    } = resilience::summary();
    screen.line(format_args!(
        "  {} of annotated steps, {retries} of them retries",
        counted(attempts, "attempt")
    ));
    let kinds = tally.top_kinds();
    if !kinds.is_empty() {
        screen.line("Failed records by category:severity");
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
    let next = next_steps(summary);
    if !next.is_empty() {
        screen.line("What to do next");
        for step in next {
            screen.line(format_args!("  {step}"));
        }
    }
}

/// What the index is like now, where the counts alone do not say it.
fn what_changed(summary: &Summary<'_>) -> Option<&'static str> {
    let Summary { tally, end, .. } = summary;
    if tally.records == 0 && tally.all_well() && tally.done_before == 0 && *end == End::Complete {
        Some("There was nothing to do: no records.")
    } else if summary.dry_run {
        Some("The index was not touched: this is what a run would do.")
    } else if !tally.nothing_changed() {
        None
    } else if tally.all_well() && *end == End::Complete {
        Some("Nothing changed: the index is up to date.")
    } else {
        Some("Nothing changed in the index.")
    }
}

fn next_steps(summary: &Summary<'_>) -> Vec<String> {
    let tally = summary.tally;
    let mut steps = Vec::new();
    if summary.end != End::Complete {
        steps.push(match summary.run_id {
            Some(_) => "the same command with the same input goes on where this run ended".into(),
            None => "the same command goes on with what is left".to_owned(),
        });
    }
    if summary.dry_run {
        return steps;
    }
    let waiting: u64 = tally.waiting.values().sum();
    for (service, records) in &tally.waiting {
        steps.push(format!(
            "{records} kept until {service} answers again: then `sync-pipeline retry`"
        ));
    }
    if tally.kinds.keys().any(|kind| kind.starts_with("auth:")) {
        steps.push("credentials were refused: look at the keys in the environment".to_owned());
    }
    let others = tally.failed - waiting + tally.given_up;
    if others > 0 {
        steps.push(format!(
            "{others} to look at: `sync-pipeline failed` lists them, \
             `sync-pipeline retry` tries them again"
        ));
    }
    steps
}

fn summary_json(summary: &Summary<'_>) -> Value {
    json!({
        "event": "summary",
        "run_id": summary.run_id,
        "status": summary.status,
        "index": summary.target,
        "collection": summary.collection,
        "dry_run": summary.dry_run,
        "counts": summary.tally,
        "runtime": resilience::summary(),
    })
}

/// A run that could not go on: what happened last.
pub(crate) fn broke_off(screen: &mut Screen, run_id: &str, tally: &Tally) {
    screen.finish_progress();
    screen.object(&json!({"event": "broke_off", "run_id": run_id, "counts": tally}));
    screen.line(format_args!("Run {run_id} broke off: {}", counts(tally)));
    if !tally.recent.is_empty() {
        screen.line("The most recent failed records, the newest first");
        for text in tally.recent.iter().rev() {
            screen.line(format_args!("  {text}"));
        }
    }
    screen.line("The same command with the same input goes on where this run ended.");
}

/// What became of a record that did not fail.
pub(crate) fn outcome(entry: &Entry, outcome: &Outcome) -> String {
    let path = entry
        .path
        .as_deref()
        .or(entry.repo.as_deref())
        .unwrap_or("");
    let line = entry.line;
    match outcome {
        Outcome::Indexed { chunks } => format!("line {line}: indexed {path} (chunks: {chunks})"),
        Outcome::Unchanged => format!("line {line}: unchanged {path}"),
        Outcome::Deleted => format!("line {line}: deleted {path}"),
        Outcome::NotThere => {
            format!("line {line}: nothing to delete: {path} is not in the index")
        }
        Outcome::Changeset => format!("line {line}: changeset of {path} noted"),
        Outcome::Skipped(skip) => format!("line {line}: skipped {path}: {skip}"),
        Outcome::WouldIndex { op, bytes } => {
            format!("line {line}: would {op} {path} ({bytes} bytes)")
        }
        Outcome::WouldDelete => format!("line {line}: would delete {path}"),
    }
}

pub(crate) fn outcome_json(entry: &Entry, outcome: &Outcome) -> Value {
    let mut object = record_json(entry, outcome.name());
    object["reason"] = match outcome {
        Outcome::Skipped(skip) => skip.to_string().into(),
        _ => Value::Null,
    };
    object
}

/// What became of a record that failed.
pub(crate) fn failure(entry: &Entry, failure: &Failure) -> String {
    let Failure {
        category,
        severity,
        message,
        ..
    } = failure;
    let line = entry.line;
    match &entry.path {
        Some(path) => format!("line {line}: failed {path} [{category}:{severity}]: {message}"),
        None => format!("line {line}: failed [{category}:{severity}]: {message}"),
    }
}

pub(crate) fn failure_json(entry: &Entry, failure: &Failure) -> Value {
    let mut object = record_json(entry, "failed");
    object["category"] = failure.category.as_str().into();
    object["severity"] = failure.severity.as_str().into();
    object["message"] = failure.message.as_str().into();
    object["waits_for"] = failure.waits_for.into();
    object
}

/// What is told of every record.
fn record_json(entry: &Entry, outcome: &str) -> Value {
    json!({
        "event": "record",
        "run_id": &*entry.run_id,
        "line": entry.line,
        "operation": entry.operation,
        "path": entry.path,
        "repo": entry.repo,
        "outcome": outcome,
    })
}

/// An error with its causes, in one line. What others wrote into it may hold secrets; nobody keeps or
/// shows them.
pub(crate) fn chain(error: &anyhow::Error) -> String {
    resilience::redact(&resilience::technical(error.as_ref())).into_owned()
}

/// A breaker's service and state.
pub(crate) fn breaker(breaker: &BreakerState) -> String {
    let failures = counted(breaker.failures, "failure");
    format!("{}: {} ({failures})", breaker.service, breaker.state)
}

pub(crate) fn breaker_json(breaker: &BreakerState) -> Value {
    json!({
        "service": breaker.service,
        "state": breaker.state,
        "failures": breaker.failures,
    })
}

/// `1 run`, `2 runs`.
pub(crate) fn counted(count: u64, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}

fn counts(tally: &Tally) -> String {
    let mut text = format!(
        "{}: {} indexed, {} unchanged, {} deleted, {} skipped, {} failed",
        counted(tally.records, "record"),
        tally.indexed,
        tally.unchanged,
        tally.deleted,
        tally.skipped,
        tally.failed,
    );
    let changesets = counted(tally.changesets, "changeset");
    for (count, what) in [
        (
            tally.not_there,
            format!("{} not in the index", tally.not_there),
        ),
        (tally.changesets, format!("{changesets} noted")),
        (
            tally.done_before,
            format!("{} done before", tally.done_before),
        ),
        (
            tally.given_up,
            format!("{} given up before", tally.given_up),
        ),
    ] {
        if count > 0 {
            text += ", ";
            text += &what;
        }
    }
    text
}

/// Control characters of paths and messages are shown, not obeyed.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
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
    use super::*;

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(printable("a\u{1b}[31mb\n"), "a\\u{1b}[31mb\\n");
        assert_eq!(printable("é…"), "é…");
    }
}
