//! `sync-pipeline errors`: what earlier processes stored.

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde_json::json;
use sync_pipeline::store::{Store, StoredError};

use crate::cli::{Common, ErrorsArgs};
use crate::report::{self, Screen, counted};
use crate::services;

/// `sync-pipeline errors`.
pub(crate) async fn errors(
    common: &Common,
    args: &ErrorsArgs,
    screen: &mut Screen,
) -> anyhow::Result<ExitCode> {
    let Some(store) = services::stored(common, "errors", screen).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    if args.reset {
        let forgotten = store.reset_errors().await?;
        screen.object(&json!({"event": "reset", "forgotten": forgotten}));
        screen.line(format_args!("Forgot {}", counted(forgotten, "error")));
        return Ok(ExitCode::SUCCESS);
    }
    if args.summary {
        summary(&store, screen).await?;
    }
    match args.recent {
        Some(limit) => recent(&store, limit, screen).await?,
        None if !args.summary => recent(&store, DEFAULT_RECENT, screen).await?,
        None => {}
    }
    Ok(ExitCode::SUCCESS)
}

async fn summary(store: &Store, screen: &mut Screen) -> anyhow::Result<()> {
    let counts = store.error_counts().await?;
    let total: u64 = counts.iter().map(|(_, count)| count).sum();
    let history = store.breaker_history().await?;
    screen.object(&json!({
        "event": "summary",
        "total": total,
        "kinds": counts.iter().cloned().collect::<BTreeMap<_, _>>(),
        "breakers_of_run": history.as_ref().map(|history| json!({
            "run_id": history.run_id,
            "stored_at": history.stored_at,
            "breakers": history.breakers.iter().map(report::breaker_json).collect::<Vec<_>>(),
        })),
    }));
    screen.line(format_args!(
        "Failed records of all runs since the last reset: {total}"
    ));
    for (kind, count) in counts {
        screen.line(format_args!("  {count:>6}  {kind}"));
    }
    let Some(history) = history else {
        screen.line("Breakers: no run has stored any");
        return Ok(());
    };
    screen.line(format_args!(
        "Breakers as they were at the end of run {} ({}); a breaker lives as long as its process",
        history.run_id, history.stored_at,
    ));
    for breaker in &history.breakers {
        screen.line(format_args!("  {}", report::breaker(breaker)));
    }
    Ok(())
}

async fn recent(store: &Store, limit: u32, screen: &mut Screen) -> anyhow::Result<()> {
    let errors = store.recent_errors(limit).await?;
    if errors.is_empty() {
        screen.line("No recent errors");
        return Ok(());
    }
    screen.line(format_args!(
        "The newest {} errors, the newest first",
        errors.len()
    ));
    for error in &errors {
        screen.object(&json!({
            "event": "error",
            "stored_at": error.stored_at,
            "run_id": error.run_id,
            "line": error.line,
            "operation": error.operation,
            "path": error.path,
            "category": error.category,
            "severity": error.severity,
            "message": error.message,
        }));
        screen.line(format_args!("  {}", one(error)));
    }
    Ok(())
}

fn one(error: &StoredError) -> String {
    let StoredError {
        stored_at,
        line,
        operation,
        category,
        severity,
        message,
        ..
    } = error;
    let path = error.path.as_deref().unwrap_or("-");
    format!("{stored_at}  line {line}  {operation}  {path}  {category}:{severity}  {message}")
}

const DEFAULT_RECENT: u32 = 10;
