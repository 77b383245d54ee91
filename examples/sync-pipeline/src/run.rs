//! `sync` and `retry`: what is worked on, under which name, and how that ended.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use sync_pipeline::lock::RunLock;
use sync_pipeline::store::{FailedFilter, NewRun, Store};
use tokio::sync::Semaphore;

use crate::cli::{Common, RetryArgs, SyncArgs, WorkArgs};
use crate::feed::{self, Resume};
use crate::input::Input;
use crate::report::{self, Screen, Summary};
use crate::room::Room;
use crate::services::{self, Sending, Target};
use crate::steps::Pipeline;
use crate::stop::Stop;
use crate::tally::Tally;
use crate::work::{End, Work, WorkSettings};
use crate::{SOME_FAILED, status, telemetry};

/// `sync-pipeline sync`.
pub(crate) async fn sync(
    common: &Common,
    args: &SyncArgs,
    screen: &mut Screen,
) -> anyhow::Result<ExitCode> {
    let mut stop = Stop::listen()?;
    let beginning = async {
        let prepared = Prepared::new(common, &args.work, args.dry_run).await?;
        let input = Input::open(args).await?;
        let run = Run::begin(common, args, &prepared, &input).await?;
        anyhow::Ok((prepared, input, run))
    };
    let (prepared, input, run) = tokio::select! {
        begun = beginning => begun?,
        // There is nothing to finish: a run that has just begun is taken up again.
        signal = stop.wait() => return Ok(signal.into()),
    };
    screen.expect(input.progress());
    if run.resumed {
        screen.note(format_args!(
            "Taking up run {}: what it has done is skipped",
            run.id
        ));
    }
    let resume = run.resumed.then(|| {
        let max_retries = args.max_retries;
        (prepared.work.store.clone(), Resume { max_retries })
    });
    let feed = feed::lines(input, Arc::clone(&run.id), resume, prepared.lines.clone());
    let mut work = prepared.work;
    let worked = work.all(feed, &mut stop, screen).await;
    let status = worked.as_ref().map_or("aborted", |end| end.status());
    let ended = work
        .store
        .finish_run(&run.id, status, telemetry::breakers())
        .await;
    let end = match worked {
        Ok(end) => end,
        Err(error) => {
            // The store may be what broke: then its history says `running`, and this is the report.
            report::broke_off(screen, &run.id, &work.tally);
            return Err(error);
        }
    };
    ended.context("storing the end of the run")?;
    if end == End::Complete {
        run.lock.remove();
    }
    report::summary(
        screen,
        &Summary {
            run_id: Some(&run.id),
            status,
            target: &prepared.target,
            collection: &common.collection,
            dry_run: args.dry_run,
            end,
            tally: &work.tally,
        },
    );
    Ok(exit(end, &work.tally))
}

/// `sync-pipeline retry`.
pub(crate) async fn retry(
    common: &Common,
    args: &RetryArgs,
    screen: &mut Screen,
) -> anyhow::Result<ExitCode> {
    let mut stop = Stop::listen()?;
    let prepared = tokio::select! {
        prepared = Prepared::new(common, &args.work, false) => prepared?,
        signal = stop.wait() => return Ok(signal.into()),
    };
    if let Some(id) = &args.run_id {
        let run = status::named(&prepared.work.store, id).await?;
        ensure!(
            !run.dry_run,
            "run {id} was a dry run: nothing of it is to be tried again"
        );
        ensure!(
            (&run.target, &run.collection) == (&prepared.target, &common.collection),
            "run {id} wrote to {}, collection {}, and not to {}, collection {}",
            run.target,
            run.collection,
            prepared.target,
            common.collection,
        );
    }
    let filter = FailedFilter {
        run_id: args.run_id.clone(),
        category: args.category,
        destination: Some((prepared.target.clone(), common.collection.clone())),
    };
    let mut work = prepared.work;
    let feed = feed::failed(work.store.clone(), filter, prepared.lines);
    let end = work.all(feed, &mut stop, screen).await?;
    report::summary(
        screen,
        &Summary {
            run_id: None,
            status: end.status(),
            target: &prepared.target,
            collection: &common.collection,
            dry_run: false,
            end,
            tally: &work.tally,
        },
    );
    Ok(exit(end, &work.tally))
}

/// All that is there before the first line.
struct Prepared {
    work: Work,
    /// The index, by its name in the store.
    target: String,
    /// For the lines in flight.
    lines: Room,
}

impl Prepared {
    async fn new(common: &Common, args: &WorkArgs, dry_run: bool) -> anyhow::Result<Self> {
        let embedder = services::embedder(common)?;
        let db = services::open(common).await?;
        let sending = Sending {
            batch_size: args.batch_size.get(),
            requests: args.workers.get(),
        };
        let Target { index, name } =
            services::target(common, sending, std::future::ready(Ok(db.clone()))).await?;
        let bytes = args.memory_limit.get() << 20;
        // Those that are read and embedded, those of a batch on its way, those of the next.
        let in_flight = args.workers.get() + 2 * (index.batch_size() - 1);
        let pipeline = Pipeline {
            index,
            embedder,
            collection: common.collection.clone(),
            dry_run,
            max_file_size: args.max_file_size,
            workers: Arc::new(Semaphore::new(args.workers.get())),
            room: Room::new(bytes / 2),
        };
        let settings = WorkSettings {
            in_flight,
            stop_on_error: args.on_error == crate::cli::OnError::Stop,
            grace: args.grace,
            verbose: args.verbose,
        };
        Ok(Self {
            work: Work {
                pipeline: Arc::new(pipeline),
                store: Store::new(db),
                settings,
                tally: Tally::default(),
            },
            target: name,
            lines: Room::new(bytes / 2),
        })
    }
}

/// A run in the store, and the proof that it is alive.
struct Run {
    id: Arc<str>,
    resumed: bool,
    lock: RunLock,
}

impl Run {
    /// Takes up a run that was left behind, or begins one.
    async fn begin(
        common: &Common,
        args: &SyncArgs,
        prepared: &Prepared,
        input: &Input,
    ) -> anyhow::Result<Self> {
        let new = NewRun {
            input: input.name.clone(),
            fingerprint: input.fingerprint.clone(),
            target: prepared.target.clone(),
            collection: common.collection.clone(),
            dry_run: args.dry_run,
        };
        let store = &prepared.work.store;
        let left = if args.no_resume {
            Vec::new()
        } else {
            let left = store.unfinished(new.clone()).await;
            left.context("looking for a run that was left behind")?
        };
        for id in left {
            let Some(lock) = RunLock::take(&common.db, &id)? else {
                continue;
            };
            if store.resume(&id).await.context("taking up a run")? {
                return Ok(Self {
                    id: id.into(),
                    resumed: true,
                    lock,
                });
            }
            // Somebody else has completed it in the meantime.
            lock.remove();
        }
        let id = store
            .begin_run(new)
            .await
            .context("storing the begin of the run")?;
        let lock = RunLock::take(&common.db, &id)?
            .with_context(|| format!("run {id} is new and already locked"))?;
        // Only now may others see it as one that somebody works on.
        let begun = store.resume(&id).await.context("beginning the run")?;
        ensure!(begun, "run {id} is new and already forgotten");
        Ok(Self {
            id: id.into(),
            resumed: false,
            lock,
        })
    }
}

fn exit(end: End, tally: &Tally) -> ExitCode {
    match end {
        End::Stopped(signal) => signal.into(),
        End::Complete if tally.all_well() => ExitCode::SUCCESS,
        End::Complete | End::Failed => ExitCode::from(SOME_FAILED),
    }
}
