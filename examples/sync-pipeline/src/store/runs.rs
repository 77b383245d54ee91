//! Runs: begun, left behind, taken up again, ended, cleaned up.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::store::{BreakerState, Store, StoreError, writing};

/// What a run is about. Only a run that agrees in all of it is taken up again.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// Where its lines come from.
    pub input: String,
    /// What its input is known by: a hash of the folder it is read in and of its first line. Each
    /// line has a hash of its own.
    pub fingerprint: String,
    /// The index it writes to.
    pub target: String,
    /// The collection it writes to.
    pub collection: String,
    /// Whether it only looks.
    pub dry_run: bool,
}

/// A run and what has become of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunInfo {
    /// Its name.
    pub run_id: String,
    /// `beginning`, `running`, `completed`, `interrupted`, `stopped` or `aborted`.
    pub status: String,
    /// When it began, RFC 3339.
    pub started_at: String,
    /// When it ended.
    pub ended_at: Option<String>,
    /// Where its lines come from.
    pub input: String,
    /// The index it writes to.
    pub target: String,
    /// The collection it writes to.
    pub collection: String,
    /// Whether it only looked.
    pub dry_run: bool,
    /// Lines that were dealt with, skipped ones left out.
    pub success: u64,
    /// Lines that were skipped.
    pub skipped: u64,
    /// Lines that failed.
    pub failed: u64,
}

impl Store {
    /// Begins a run and gives it its name. Nobody else takes it up before it is
    /// [taken up](Self::resume) by whoever holds its lock.
    pub async fn begin_run(&self, run: NewRun) -> Result<String, StoreError> {
        self.call(move |connection| {
            connection.query_row(
                "INSERT INTO sync_runs
                     (run_id, started_at, input_source, fingerprint, target, collection, dry_run,
                      status)
                 VALUES ('sync_' || strftime('%Y%m%d_%H%M%S', 'now') || '_' || ?1 || '_'
                         || lower(hex(randomblob(4))),
                     strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), ?2, ?3, ?4, ?5, ?6, 'beginning')
                 RETURNING run_id",
                params![
                    std::process::id(),
                    run.input,
                    run.fingerprint,
                    run.target,
                    run.collection,
                    run.dry_run
                ],
                |row| row.get(0),
            )
        })
        .await
    }

    /// The runs of this kind that did not reach the end of their input, the newest first. Some of
    /// them may be alive.
    pub async fn unfinished(&self, run: NewRun) -> Result<Vec<String>, StoreError> {
        self.call(move |connection| {
            connection
                .prepare(
                    "SELECT run_id FROM sync_runs
                     WHERE status NOT IN ('beginning', 'completed') AND fingerprint = ?1 AND target = ?2
                         AND collection = ?3 AND dry_run = ?4
                     ORDER BY started_at DESC, rowid DESC",
                )?
                .query_map(
                    params![run.fingerprint, run.target, run.collection, run.dry_run],
                    |row| row.get(0),
                )?
                .collect()
        })
        .await
    }

    /// Takes a run up again. Says whether there is anything to take up; the caller holds its lock.
    pub async fn resume(&self, run_id: &str) -> Result<bool, StoreError> {
        let run_id = run_id.to_owned();
        self.call(move |connection| {
            let rows = connection.execute(
                "UPDATE sync_runs SET status = 'running', completed_at = NULL
                 WHERE run_id = ?1 AND status <> 'completed'",
                [run_id],
            )?;
            Ok(rows == 1)
        })
        .await
    }

    /// Ends a run, with what its lines add up to. `status` is one of [`RunInfo::status`].
    pub async fn finish_run(
        &self,
        run_id: &str,
        status: &'static str,
        breakers: Vec<BreakerState>,
    ) -> Result<(), StoreError> {
        let run_id = run_id.to_owned();
        self.call(move |connection| finish(connection, &run_id, status, &breakers))
            .await
    }

    /// Keeps what a changeset record says about its repository.
    pub async fn note_changeset(&self, run_id: &str, info: String) -> Result<(), StoreError> {
        let run_id = run_id.to_owned();
        self.call(move |connection| {
            connection.execute(
                "UPDATE sync_runs SET changeset_info = ?2 WHERE run_id = ?1",
                params![run_id, info],
            )
        })
        .await?;
        Ok(())
    }

    /// The newest runs, the newest first.
    pub async fn runs(&self, limit: u32) -> Result<Vec<RunInfo>, StoreError> {
        self.call(move |connection| {
            connection
                .prepare(&format!(
                    "{RUN_INFO} ORDER BY started_at DESC, rowid DESC LIMIT ?1"
                ))?
                .query_map([limit], info)?
                .collect()
        })
        .await
    }

    /// One run.
    pub async fn run(&self, run_id: &str) -> Result<Option<RunInfo>, StoreError> {
        let run_id = run_id.to_owned();
        self.call(move |connection| {
            connection
                .query_row(&format!("{RUN_INFO} WHERE run_id = ?1"), [run_id], info)
                .optional()
        })
        .await
    }

    /// The runs that began more than so many days ago. A run with failed lines is not among them,
    /// since they would be lost with it, unless asked for. Some of them may be alive.
    pub async fn old_runs(&self, days: u32, failed_too: bool) -> Result<Vec<String>, StoreError> {
        self.call(move |connection| {
            connection
                .prepare(
                    "SELECT run_id FROM sync_runs r
                     WHERE started_at < strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?1)
                         AND (?2 OR NOT EXISTS (
                             SELECT 1 FROM failed_lines f WHERE f.run_id = r.run_id))
                     ORDER BY started_at",
                )?
                .query_map(params![format!("-{days} days"), failed_too], |row| {
                    row.get(0)
                })?
                .collect()
        })
        .await
    }

    /// Forgets a run, whose lock the caller holds. Failed lines that came in the meantime keep it,
    /// unless they are to be forgotten, too. Says whether it is gone.
    pub async fn forget(&self, run_id: &str, failed_too: bool) -> Result<bool, StoreError> {
        let run_id = run_id.to_owned();
        self.call(move |connection| forget(connection, &run_id, failed_too))
            .await
    }

    /// Gives the room of what was forgotten back to the disk. That takes some room itself.
    pub async fn compact(&self) -> Result<(), StoreError> {
        self.call(|connection| connection.execute_batch("VACUUM"))
            .await
    }
}

fn finish(
    connection: &mut Connection,
    run_id: &str,
    status: &str,
    breakers: &[BreakerState],
) -> rusqlite::Result<()> {
    let transaction = writing(connection)?;
    transaction.execute(
        "UPDATE sync_runs SET (success_count, skipped_count) = (
             SELECT count(*) - coalesce(sum(outcome = 'skipped'), 0),
                 coalesce(sum(outcome = 'skipped'), 0)
             FROM completed_lines WHERE run_id = ?1
         ), error_count = (SELECT count(*) FROM failed_lines WHERE run_id = ?1)
         WHERE run_id = ?1",
        [run_id],
    )?;
    transaction.execute(
        "UPDATE sync_runs SET status = ?2,
             total_lines = success_count + skipped_count + error_count,
             completed_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
         WHERE run_id = ?1",
        params![run_id, status],
    )?;
    for breaker in breakers {
        transaction.execute(
            "INSERT OR REPLACE INTO breaker_states VALUES
             (?1, ?2, ?3, ?4, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))",
            params![run_id, breaker.service, breaker.state, breaker.failures],
        )?;
    }
    transaction.commit()
}

fn forget(connection: &mut Connection, run_id: &str, failed_too: bool) -> rusqlite::Result<bool> {
    let transaction = writing(connection)?;
    let kept = transaction.query_row(
        "SELECT EXISTS (SELECT 1 FROM failed_lines WHERE run_id = ?1)",
        [run_id],
        |row| row.get(0),
    )?;
    if kept && !failed_too {
        return Ok(false);
    }
    for table in [
        "completed_lines",
        "failed_lines",
        "breaker_states",
        "sync_runs",
    ] {
        transaction.execute(&format!("DELETE FROM {table} WHERE run_id = ?1"), [run_id])?;
    }
    transaction.commit()?;
    Ok(true)
}

fn info(row: &Row<'_>) -> rusqlite::Result<RunInfo> {
    Ok(RunInfo {
        run_id: row.get(0)?,
        status: row.get(1)?,
        started_at: row.get(2)?,
        ended_at: row.get(3)?,
        input: row.get(4)?,
        target: row.get(5)?,
        collection: row.get(6)?,
        dry_run: row.get(7)?,
        success: row.get(8)?,
        skipped: row.get(9)?,
        failed: row.get(10)?,
    })
}

/// Counted from the lines themselves: a run that was killed has stored no sums.
const RUN_INFO: &str = "
SELECT run_id, status, started_at, completed_at, input_source, target, collection, dry_run,
    (SELECT count(*) FROM completed_lines c WHERE c.run_id = r.run_id AND outcome <> 'skipped'),
    (SELECT count(*) FROM completed_lines c WHERE c.run_id = r.run_id AND outcome = 'skipped'),
    (SELECT count(*) FROM failed_lines f WHERE f.run_id = r.run_id)
FROM sync_runs r";
