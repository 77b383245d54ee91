//! The loop over the records of one run.

use std::collections::{BTreeMap, VecDeque};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use sync_pipeline::index::SqliteIndex;
use sync_pipeline::lines::{Line, Lines};
use sync_pipeline::record::{self, Change, Changeset, Problem, Record, RecordError};
use sync_pipeline::store::{Completed, Failed, NewRun, RunCounts, Store};
use tokio::io::{AsyncBufRead, BufReader};

use crate::cli::{Common, SyncArgs};
use crate::report::{self, Screen};
use crate::steps::{self, Outcome, Pipeline};
use crate::{SOME_FAILED, embedder, open, telemetry};

/// `sync-pipeline sync`.
pub(crate) async fn sync(
    common: &Common,
    args: &SyncArgs,
    screen: &mut Screen,
) -> anyhow::Result<ExitCode> {
    let embedder = embedder(common)?;
    let db = open(common).await?;
    let pipeline = Pipeline {
        index: Box::new(SqliteIndex::new(db.clone())),
        embedder,
        collection: common.collection.clone(),
        dry_run: args.dry_run,
        max_file_size: args.max_file_size,
    };
    let mut run = Run::begin(Store::new(db), pipeline, args.verbose).await?;
    let input = Lines::new(BufReader::new(tokio::io::stdin()), MAX_LINE);
    match run.all(input, screen).await {
        Ok(()) => {
            run.finish("completed")
                .await
                .context("storing the end of the run")?;
            report::summary(screen, &run, &telemetry::breakers());
            Ok(if run.tally.failed > 0 {
                ExitCode::from(SOME_FAILED)
            } else {
                ExitCode::SUCCESS
            })
        }
        Err(error) => {
            // The store may be what broke: then its history says `running`, and this is the report.
            let _ = run.finish("aborted").await;
            report::broke_off(screen, &run);
            Err(error)
        }
    }
}

/// One run: what it works with and what has become of its records so far.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) id: String,
    pub(crate) pipeline: Pipeline,
    pub(crate) tally: Tally,
    store: Store,
    verbose: bool,
}

/// What has become of the records.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) records: u64,
    pub(crate) indexed: u64,
    pub(crate) unchanged: u64,
    pub(crate) deleted: u64,
    pub(crate) not_there: u64,
    pub(crate) changesets: u64,
    pub(crate) skipped: u64,
    pub(crate) failed: u64,
    /// How often each `category:severity` was the reason.
    pub(crate) kinds: BTreeMap<String, u64>,
    /// The newest failures, oldest first.
    pub(crate) recent: VecDeque<String>,
}

impl Run {
    async fn begin(store: Store, pipeline: Pipeline, verbose: bool) -> anyhow::Result<Self> {
        let new = NewRun {
            input: "stdin".to_owned(),
            collection: pipeline.collection.clone(),
            dry_run: pipeline.dry_run,
        };
        let id = store
            .begin_run(new)
            .await
            .context("storing the begin of the run")?;
        Ok(Self {
            id,
            pipeline,
            tally: Tally::default(),
            store,
            verbose,
        })
    }

    /// Goes through all lines. An error here is one of the run, not of a record.
    async fn all<R: AsyncBufRead + Unpin>(
        &mut self,
        mut input: Lines<R>,
        screen: &mut Screen,
    ) -> anyhow::Result<()> {
        while let Some(line) = input.next().await.context("reading the input")? {
            let number = line.number;
            self.line(line, screen)
                .await
                .with_context(|| format!("the run broke off at line {number}"))?;
            screen.progress(&self.tally);
        }
        screen.finish_progress();
        Ok(())
    }

    async fn line(&mut self, line: Line, screen: &mut Screen) -> anyhow::Result<()> {
        let started = Instant::now();
        let number = line.number;
        let record = if line.cut {
            Err(RecordError::new(Problem::TooLong { limit: MAX_LINE }))
        } else {
            record::parse(&line.bytes)
        };
        let (label, outcome) = match record {
            Ok(None) => return Ok(()),
            Ok(Some(Record::Change(change))) => {
                let outcome = steps::apply(&self.pipeline, &change, number).await;
                (Label::of(change), outcome)
            }
            Ok(Some(Record::Changeset(set))) => (Label::changeset(&set), self.changeset(set).await),
            Err(error) => (Label::unreadable(error.path.clone()), Err(error.into())),
        };
        self.tally.records += 1;
        match outcome {
            Ok(outcome) => {
                self.tally.count(&outcome);
                if self.verbose || outcome.is_worth_a_line() {
                    screen.line(format_args!(
                        "line {number}: {}",
                        report::outcome(&outcome, &label)
                    ));
                }
                let done = Completed {
                    line: number,
                    path: label.path,
                    operation: label.operation,
                    repo: label.repo,
                    outcome: outcome.name(),
                    millis: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
                };
                self.store.complete(&self.id, done).await?;
            }
            Err(error) => {
                let (category, severity) = telemetry::kind_of(&error, number);
                let message = report::chain(&error);
                let text = report::failure(number, &label, category, severity, &message);
                screen.line(format_args!("{text}"));
                self.tally.fail(format!("{category}:{severity}"), text);
                let failed = Failed {
                    line: number,
                    path: label.path,
                    operation: label.operation,
                    repo: label.repo,
                    category,
                    severity,
                    message,
                    payload: line.bytes,
                };
                self.store.fail(&self.id, failed).await?;
            }
        }
        Ok(())
    }

    async fn changeset(&self, set: Changeset) -> anyhow::Result<Outcome> {
        let info = serde_json::json!({ "repo": set.repo, "new_changeset": set.info });
        self.store
            .note_changeset(&self.id, info.to_string())
            .await?;
        Ok(Outcome::Changeset)
    }

    async fn finish(&self, status: &'static str) -> anyhow::Result<()> {
        let tally = &self.tally;
        let counts = RunCounts {
            total: tally.records,
            success: tally.records - tally.failed - tally.skipped,
            skipped: tally.skipped,
            failed: tally.failed,
        };
        self.store
            .finish_run(&self.id, status, counts, telemetry::breakers())
            .await?;
        Ok(())
    }
}

impl Tally {
    fn count(&mut self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Indexed { .. } | Outcome::WouldIndex { .. } => &mut self.indexed,
            Outcome::Unchanged => &mut self.unchanged,
            Outcome::Deleted | Outcome::WouldDelete => &mut self.deleted,
            Outcome::NotThere => &mut self.not_there,
            Outcome::Changeset => &mut self.changesets,
            Outcome::Skipped(_) => &mut self.skipped,
        };
        *counter += 1;
    }

    fn fail(&mut self, kind: String, text: String) {
        self.failed += 1;
        *self.kinds.entry(kind).or_default() += 1;
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(text);
    }

    /// Whether the index is as it was before.
    pub(crate) const fn nothing_changed(&self) -> bool {
        self.indexed == 0 && self.deleted == 0
    }
}

/// How a record is called in reports and in the store.
#[derive(Debug)]
pub(crate) struct Label {
    pub(crate) path: Option<String>,
    pub(crate) operation: &'static str,
    pub(crate) repo: Option<String>,
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

/// Content comes in records of up to some 100 KB; more than this is no record.
const MAX_LINE: usize = 16 * 1024 * 1024;
/// How many failures are shown when a run breaks off.
const RECENT: usize = 3;
