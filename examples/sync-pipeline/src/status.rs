//! `status`, `failed` and `clean`: what the store knows about runs.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use sync_pipeline::db::{Db, DbError};
use sync_pipeline::lock::RunLock;
use sync_pipeline::store::{FailedFilter, FailedLine, FailedPlace, RunInfo, Store};

use crate::COULD_NOT_RUN;
use crate::cli::{CleanArgs, Common, FailedArgs, StatusArgs};
use crate::report::Screen;
use crate::services::{self, Sending};

/// `sync-pipeline status`.
pub(crate) async fn status(
    common: &Common,
    args: &StatusArgs,
    screen: &mut Screen,
) -> anyhow::Result<ExitCode> {
    if args.ready {
        return ready(common, screen).await;
    }
    let Some(store) = existing(common, screen).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let runs = match &args.run_id {
        Some(id) => match store.run(id).await? {
            Some(run) => vec![run],
            None => bail!("there is no run `{id}`"),
        },
        None => store.runs(args.recent).await?,
    };
    if runs.is_empty() {
        screen.line("No runs");
    }
    for run in &runs {
        let state = state(common, run)?;
        screen.object(&run_json(run, state));
        screen.line(one_run(run, state));
    }
    Ok(ExitCode::SUCCESS)
}

/// `sync-pipeline failed`.
pub(crate) async fn failed(
    common: &Common,
    args: &FailedArgs,
    screen: &mut Screen,
) -> anyhow::Result<ExitCode> {
    let Some(store) = existing(common, screen).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let filter = FailedFilter {
        run_id: args.run_id.clone(),
        category: args.category.clone(),
        destination: None,
    };
    let lines = store
        .failed_lines(filter, FailedPlace::default(), args.limit)
        .await?;
    if lines.is_empty() {
        screen.line("No failed records");
    }
    for line in &lines {
        screen.object(&failed_json(line));
        let path = line.path.as_deref().unwrap_or("-");
        let waits = match &line.waits_for {
            Some(service) => format!(" (waits for {service})"),
            None => String::new(),
        };
        screen.line(format_args!(
            "{} line {}: {} {path} [{}:{}] tried {}x: {}{waits}",
            line.run_id,
            line.line,
            line.operation,
            line.category,
            line.severity,
            line.attempts,
            line.message,
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// `sync-pipeline clean`.
pub(crate) async fn clean(
    common: &Common,
    args: &CleanArgs,
    screen: &mut Screen,
) -> anyhow::Result<ExitCode> {
    let Some(store) = existing(common, screen).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let gone = store
        .clean(args.older_than, args.failed_too)
        .await
        .context("cleaning up")?;
    for id in &gone {
        // One that is locked is alive and will notice.
        if let Ok(Some(lock)) = RunLock::take(&common.db, id) {
            lock.remove();
        }
    }
    screen.object(&json!({"event": "cleaned", "runs": gone}));
    screen.line(format_args!("Forgot {} runs", gone.len()));
    Ok(ExitCode::SUCCESS)
}

/// Whether the index can be used at this moment.
async fn ready(common: &Common, screen: &mut Screen) -> anyhow::Result<ExitCode> {
    let db = services::open(common).await?;
    let sending = Sending {
        batch_size: 1,
        requests: 1,
    };
    let target = services::target(common, &db, sending)?;
    let answer = target.index.ready().await.map_err(anyhow::Error::new);
    let reason = answer.as_ref().err().map(crate::report::chain);
    screen.object(&json!({
        "event": "ready",
        "index": target.name,
        "ready": reason.is_none(),
        "reason": reason,
    }));
    match reason {
        None => {
            screen.line(format_args!("{}: ready", target.name));
            Ok(ExitCode::SUCCESS)
        }
        Some(reason) => {
            screen.line(format_args!("{}: not ready: {reason}", target.name));
            Ok(ExitCode::from(COULD_NOT_RUN))
        }
    }
}

async fn existing(common: &Common, screen: &mut Screen) -> anyhow::Result<Option<Store>> {
    match Db::open_existing(&common.db, services::db_options(common)).await {
        Ok(db) => Ok(Some(Store::new(db))),
        Err(error @ DbError::Missing { .. }) => {
            screen.line(format_args!("No runs: {error}"));
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// What a run is now: one that says it is running and that nobody works on was left behind.
fn state<'a>(common: &Common, run: &'a RunInfo) -> anyhow::Result<&'a str> {
    if run.status != "running" {
        return Ok(&run.status);
    }
    // The lock is given back at once; a run that begins just now may have to be asked for again.
    let free = RunLock::take(&common.db, &run.run_id)?.is_some();
    Ok(if free { "left behind" } else { "running" })
}

fn one_run(run: &RunInfo, state: &str) -> String {
    let dry = if run.dry_run { ", dry run" } else { "" };
    let ended = run.ended_at.as_deref().unwrap_or("-");
    format!(
        "{} {state}: {} done, {} skipped, {} failed; {} to {}, collection {}{dry}; {} to {ended}",
        run.run_id,
        run.success,
        run.skipped,
        run.failed,
        run.input,
        run.target,
        run.collection,
        run.started_at,
    )
}

fn run_json(run: &RunInfo, state: &str) -> Value {
    json!({
        "event": "run",
        "run_id": run.run_id,
        "status": state,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "input": run.input,
        "index": run.target,
        "collection": run.collection,
        "dry_run": run.dry_run,
        "done": run.success,
        "skipped": run.skipped,
        "failed": run.failed,
    })
}

fn failed_json(line: &FailedLine) -> Value {
    json!({
        "event": "failed",
        "run_id": line.run_id,
        "line": line.line,
        "operation": line.operation,
        "path": line.path,
        "repo": line.repo,
        "category": line.category,
        "severity": line.severity,
        "message": line.message,
        "waits_for": line.waits_for,
        "attempts": line.attempts,
        "last_attempt": line.last_attempt,
    })
}
