//! Many records at a time: handed out in order, worked on at once, recorded as they end.
//!
//! Records about the same document follow one another; all others are independent. What is
//! recorded is what has happened: a process that is killed leaves at worst records that were
//! indexed and not yet recorded, and to index them again changes nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sync_pipeline::embed::EmbedError;
use sync_pipeline::index::{IndexError, object_id};
use sync_pipeline::record::{Change, Changeset, Record};
use sync_pipeline::store::{Entry, Failure, LineHash, RecordError, Settled, Store};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinSet};
use uuid::Uuid;

use crate::feed::{Fed, Job};
use crate::report::{self, Screen};
use crate::steps::{self, Outcome, Pipeline};
use crate::stop::{Signal, Stop};
use crate::tally::Tally;
use crate::telemetry;

/// What the records are worked on with.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) store: Store,
    pub(crate) settings: WorkSettings,
    pub(crate) tally: Tally,
}

/// How to go about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WorkSettings {
    /// How many records are in flight at most.
    pub(crate) in_flight: usize,
    /// Whether the first failed record ends the run.
    pub(crate) stop_on_error: bool,
    /// How long records in flight may take after a signal.
    pub(crate) grace: Duration,
    /// Whether to print a line for every record.
    pub(crate) verbose: bool,
}

/// Why there was no more work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The input was over.
    Complete,
    /// A record failed, and that was to be the end.
    Failed,
    /// Somebody asked to stop.
    Stopped(Signal),
}

impl End {
    /// The name, as in the store.
    pub(crate) const fn status(self) -> &'static str {
        match self {
            Self::Complete => "completed",
            Self::Failed => "stopped",
            Self::Stopped(_) => "interrupted",
        }
    }
}

impl Work {
    /// Works until the feed ends, or there is a reason to stop. Records in flight are finished in
    /// any case. An error here is one of the run, not of a record.
    pub(crate) async fn all(
        &mut self,
        mut feed: mpsc::Receiver<Fed>,
        stop: &mut Stop,
        screen: &mut Screen,
    ) -> anyhow::Result<End> {
        let mut flight = Flight::default();
        let mut end = End::Complete;
        let mut open = true;
        let mut broken = None;
        let mut until = None;
        while open || !flight.is_empty() {
            let room = flight.len() < self.settings.in_flight;
            tokio::select! {
                biased;
                signal = stop.wait(), if until.is_none() => {
                    end = End::Stopped(signal);
                    open = false;
                    until = Some(tokio::time::Instant::now() + self.settings.grace);
                    screen.note(format_args!(
                        "{}: finishing {} records; once more to stop at once",
                        signal.name(),
                        flight.len(),
                    ));
                }
                // Those that do not end in time are done again by the next process.
                () = sleep_until(until), if until.is_some() => break,
                finished = flight.next(), if !flight.is_empty() => {
                    let failed_before = self.tally.failed;
                    self.settle(finished, screen).await?;
                    if self.settings.stop_on_error && self.tally.failed > failed_before && open {
                        open = false;
                        end = End::Failed;
                    }
                }
                next = feed.recv(), if open && room => match next {
                    Some(Fed::Job(job)) => flight.start(&self.pipeline, &self.store, *job),
                    Some(Fed::Done) => self.tally.done_before += 1,
                    Some(Fed::GivenUp) => self.tally.given_up += 1,
                    Some(Fed::Broken(error)) => {
                        open = false;
                        broken = Some(error);
                    }
                    None => open = false,
                },
            }
        }
        screen.finish_progress();
        match broken {
            Some(error) => Err(error),
            None => Ok(end),
        }
    }

    /// Records what has ended, and then tells about it.
    async fn settle(&mut self, finished: Vec<Finished>, screen: &mut Screen) -> anyhow::Result<()> {
        let (entries, told): (Vec<_>, Vec<_>) =
            finished.into_iter().map(Finished::into_entry).unzip();
        let entries = Arc::new(entries);
        let recorded = self.store.record(Arc::clone(&entries)).await;
        let shown = match &recorded {
            Ok(()) => entries.len(),
            // The one that could not be recorded may be the one that explains why.
            Err(RecordError { stored, .. }) => stored + 1,
        };
        for (entry, outcome) in entries.iter().zip(told).take(shown) {
            match (&entry.settled, outcome) {
                (Settled::Failed(failure), _) => {
                    let text = report::failure(entry, failure);
                    screen.record(&text, || report::failure_json(entry, failure));
                    let kind = (failure.category, failure.severity);
                    self.tally.fail(kind, failure.waits_for, text);
                }
                (Settled::Done(_), Some(outcome)) => {
                    self.tally.count(&outcome);
                    if self.settings.verbose || outcome.is_worth_a_line() {
                        let text = report::outcome(entry, &outcome);
                        screen.record(&text, || report::outcome_json(entry, &outcome));
                    }
                }
                (Settled::Done(_), None) => {}
            }
            screen.progress(&self.tally);
        }
        recorded.map_err(|error| {
            let line = error.line;
            anyhow::Error::new(error).context(format!("the run broke off at line {line}"))
        })
    }
}

async fn sleep_until(until: Option<tokio::time::Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}

/// The records that are being worked on. Dropped, they end where they are.
#[derive(Debug, Default)]
struct Flight {
    tasks: JoinSet<Finished>,
    /// By document: the newest record about it, and how to hear of its end.
    newest: HashMap<Uuid, (u64, oneshot::Receiver<()>)>,
    started: u64,
}

impl Flight {
    fn len(&self) -> usize {
        self.tasks.len()
    }

    fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    fn start(&mut self, pipeline: &Arc<Pipeline>, store: &Store, job: Job) {
        self.started += 1;
        let number = self.started;
        let document = match &job.record {
            Ok(Record::Change(change)) => Some(object_id(
                &pipeline.collection,
                change.repo.as_deref(),
                &change.path,
            )),
            _ => None,
        };
        let turn = document.map(|id| {
            let (ends, ended) = oneshot::channel();
            let before = self.newest.insert(id, (number, ended));
            Turn {
                id,
                number,
                before: before.map(|(_, ended)| ended),
                ends,
            }
        });
        let (pipeline, store) = (Arc::clone(pipeline), store.clone());
        self.tasks.spawn(work_on(pipeline, store, job, turn));
    }

    /// Waits for a record to end; others that have ended by then come along.
    async fn next(&mut self) -> Vec<Finished> {
        let mut finished = Vec::new();
        if let Some(first) = self.tasks.join_next().await {
            finished.push(no_panic(first));
        }
        while finished.len() < RECORDED_AT_ONCE
            && let Some(next) = self.tasks.try_join_next()
        {
            finished.push(no_panic(next));
        }
        for (id, number) in finished.iter().filter_map(|it| it.turn) {
            if self
                .newest
                .get(&id)
                .is_some_and(|newest| newest.0 == number)
            {
                self.newest.remove(&id);
            }
        }
        finished
    }
}

/// A record's place in the row of those about the same document.
#[derive(Debug)]
struct Turn {
    id: Uuid,
    number: u64,
    before: Option<oneshot::Receiver<()>>,
    /// Dropped at the end.
    ends: oneshot::Sender<()>,
}

/// A record that has been worked on.
#[derive(Debug)]
struct Finished {
    run_id: Arc<str>,
    number: u64,
    hash: LineHash,
    label: Label,
    took: Duration,
    result: Result<Outcome, Failure>,
    turn: Option<(Uuid, u64)>,
}

impl Finished {
    fn into_entry(self) -> (Entry, Option<Outcome>) {
        let (settled, outcome) = match self.result {
            Ok(outcome) => (Settled::Done(outcome.name()), Some(outcome)),
            Err(failure) => (Settled::Failed(failure), None),
        };
        let entry = Entry {
            run_id: self.run_id,
            line: self.number,
            hash: self.hash,
            path: self.label.path,
            operation: self.label.operation,
            repo: self.label.repo,
            took: self.took,
            settled,
        };
        (entry, outcome)
    }
}

async fn work_on(pipeline: Arc<Pipeline>, store: Store, job: Job, turn: Option<Turn>) -> Finished {
    let (turn, before, _ends) = match turn {
        Some(turn) => (Some((turn.id, turn.number)), turn.before, Some(turn.ends)),
        None => (None, None, None),
    };
    if let Some(before) = before {
        // It ends with a dropped sender: that is the message.
        let _ = before.await;
    }
    let started = Instant::now();
    let number = job.number;
    let (label, result) = match job.record {
        Ok(Record::Change(change)) => {
            let about = telemetry::about(&job.run_id, &change.path, number);
            let result = about.scope(steps::apply(&pipeline, &change)).await;
            (Label::of(change), result)
        }
        Ok(Record::Changeset(set)) => {
            let label = Label::changeset(&set);
            (label, note(&store, &job.run_id, set).await)
        }
        Err(error) => (Label::unreadable(error.path.clone()), Err(error.into())),
    };
    let result = result.map_err(|error| {
        let (category, severity) = telemetry::kind_of(&error, &job.run_id, number);
        Failure {
            category,
            severity,
            message: report::chain(&error),
            waits_for: waits_for(&error),
            payload: job.bytes,
        }
    });
    drop(job.place);
    Finished {
        run_id: job.run_id,
        number,
        hash: job.hash,
        label,
        took: started.elapsed(),
        result,
        turn,
    }
}

/// The service whose absence made a record fail that has nothing wrong with it.
fn waits_for(error: &anyhow::Error) -> Option<&'static str> {
    let classification = resilience::classify::error(error.as_ref());
    let absent =
        classification.is_rejection() || classification.fault() == resilience::Fault::Remote;
    if !absent {
        return None;
    }
    error.chain().find_map(|cause| {
        if cause.is::<EmbedError>() {
            Some("the embedding service")
        } else if cause.is::<IndexError>() {
            Some("the index")
        } else {
            None
        }
    })
}

async fn note(store: &Store, run_id: &str, set: Changeset) -> anyhow::Result<Outcome> {
    let info = serde_json::json!({ "repo": set.repo, "new_changeset": set.info });
    store.note_changeset(run_id, info.to_string()).await?;
    Ok(Outcome::Changeset)
}

fn no_panic(finished: Result<Finished, JoinError>) -> Finished {
    match finished {
        Ok(finished) => finished,
        // Nobody aborts a task while others are waited for, so what is left is a panic.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// How a record is called in reports and in the store.
#[derive(Debug)]
struct Label {
    path: Option<String>,
    operation: &'static str,
    repo: Option<String>,
}

impl Label {
    fn of(change: Change) -> Self {
        Self {
            path: Some(change.path),
            operation: change.op.as_str(),
            repo: change.repo,
        }
    }

    fn changeset(set: &Changeset) -> Self {
        Self {
            path: None,
            operation: "changeset",
            repo: set.repo.clone(),
        }
    }

    const fn unreadable(path: Option<String>) -> Self {
        Self {
            path,
            operation: "parse",
            repo: None,
        }
    }
}

/// How many records go into one transaction.
const RECORDED_AT_ONCE: usize = 128;
