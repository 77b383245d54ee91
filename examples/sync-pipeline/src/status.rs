//! `status`, `failed` and `clean`: what the store knows about runs.

use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::{Value, json};
use sync_pipeline::lock::{self, RunLock};
use sync_pipeline::store::{FailedFilter, FailedLine, FailedPlace, RunInfo, Store};

use crate::COULD_NOT_RUN;
use crate::cli::{CleanArgs, Common, FailedArgs, StatusArgs};
use crate::report::{Screen, counted};
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
    let Some(store) = services::stored(common, "runs", screen).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let runs = match &args.run_id {
        Some(id) => vec![named(&store, id).await?],
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
    let Some(store) = services::stored(common, "runs", screen).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    if let Some(id) = &args.run_id {
        named(&store, id).await?;
    }
    let filter = FailedFilter {
        run_id: args.run_id.clone(),
        category: args.category,
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
    let Some(store) = services::stored(common, "runs", screen).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let mut gone = Vec::new();
    for id in store.old_runs(args.older_than, args.failed_too).await? {
        // One that is locked is alive.
        let Some(lock) = RunLock::take(&common.db, &id)? else {
            continue;
        };
        let forgotten = store.forget(&id, args.failed_too).await;
        if forgotten.context("cleaning up")? {
            gone.push(id);
        }
        lock.remove();
    }
    screen.object(&json!({"event": "cleaned", "runs": gone}));
    screen.line(format_args!("Forgot {}", counted(gone.len() as u64, "run")));
    if !gone.is_empty() {
        let compacted = store.compact().await;
        compacted.context("giving their room back to the disk")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether the index can be used at this moment.
async fn ready(common: &Common, screen: &mut Screen) -> anyhow::Result<ExitCode> {
    let target = services::target(common, Sending::NOTHING, services::open(common)).await?;
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

/// A run that somebody has named.
pub(crate) async fn named(store: &Store, id: &str) -> anyhow::Result<RunInfo> {
    let run = store.run(id).await?;
    run.with_context(|| format!("there is no run `{id}`"))
}

/// What a run is now: one that says it is running and that nobody works on was left behind.
fn state<'a>(common: &Common, run: &'a RunInfo) -> anyhow::Result<&'a str> {
    if run.status != "running" {
        return Ok(&run.status);
    }
    Ok(if lock::is_held(&common.db, &run.run_id)? {
        "running"
    } else {
        "left behind"
    })
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
