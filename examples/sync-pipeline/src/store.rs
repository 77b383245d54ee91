//! What happened to every line, kept for the processes that come later.
//!
//! Error counts and events add up over runs until they are reset. The state of a breaker is stored
//! as it was at the end of a run: history, not the state of anything that lives.

use resilience::{Category, Classification, Classify, Severity};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use crate::db::{Db, DbError, sqlite_failure};

/// The checkpoint tables of the database.
#[derive(Clone, Debug)]
pub struct Store {
    db: Db,
}

/// What a run is about.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// Where its lines come from.
    pub input: String,
    /// The collection it writes to.
    pub collection: String,
    /// Whether it only looks.
    pub dry_run: bool,
}

/// A line that was dealt with.
#[derive(Clone, Debug)]
pub struct Completed {
    /// Its number.
    pub line: u64,
    /// What it is about.
    pub path: Option<String>,
    /// `add`, `modify`, `delete` or `changeset`.
    pub operation: &'static str,
    /// The repository.
    pub repo: Option<String>,
    /// What was done.
    pub outcome: &'static str,
    /// How long that took.
    pub millis: u64,
}

/// A line that failed.
#[derive(Clone, Debug)]
pub struct Failed {
    /// Its number.
    pub line: u64,
    /// What it is about, where that can be read.
    pub path: Option<String>,
    /// `add`, `modify`, `delete`, or `parse` for a line that is no record.
    pub operation: &'static str,
    /// The repository.
    pub repo: Option<String>,
    /// What kind of failure it is.
    pub category: Category,
    /// How bad it is.
    pub severity: Severity,
    /// What went wrong, with its causes.
    pub message: String,
    /// The line itself.
    pub payload: Vec<u8>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunCounts {
    /// All lines that were not blank.
    pub total: u64,
    /// Those that were dealt with.
    pub success: u64,
    /// Those that were skipped.
    pub skipped: u64,
    /// Those that failed.
    pub failed: u64,
}

/// A breaker at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakerState {
    /// The service that it guards.
    pub service: String,
    /// `closed`, `open` or `half_open`.
    pub state: String,
    /// Consecutive failures.
    pub failures: u64,
}

/// The breakers of the newest run that stored any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakerHistory {
    /// The run.
    pub run_id: String,
    /// When they were stored, RFC 3339.
    pub stored_at: String,
    /// How they were.
    pub breakers: Vec<BreakerState>,
}

/// A failure as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredError {
    /// When, RFC 3339.
    pub stored_at: String,
    /// In which run.
    pub run_id: String,
    /// In which line of its input.
    pub line: u64,
    /// The operation.
    pub operation: String,
    /// The path, where there is one.
    pub path: Option<String>,
    /// What kind of failure it is.
    pub category: String,
    /// How bad it is.
    pub severity: String,
    /// What went wrong.
    pub message: String,
}

/// Why the store cannot do it. The run cannot go on without its store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database failed.
    #[error("the checkpoint store cannot be used")]
    Sqlite(#[from] rusqlite::Error),
    /// The database cannot be opened.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Store {
    /// The store in this database.
    pub const fn new(db: Db) -> Self {
        Self { db }
    }

    /// Begins a run and gives it its name.
    pub async fn begin_run(&self, run: NewRun) -> Result<String, StoreError> {
        let run_id = self
            .db
            .call(move |connection| {
                connection.query_row(
                    "INSERT INTO sync_runs
                         (run_id, started_at, input_source, collection, dry_run, status)
                     VALUES ('sync_' || strftime('%Y%m%d_%H%M%S', 'now') || '_' || ?1 || '_'
                             || lower(hex(randomblob(4))),
                         strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), ?2, ?3, ?4, 'running')
                     RETURNING run_id",
                    params![std::process::id(), run.input, run.collection, run.dry_run],
                    |row| row.get(0),
                )
            })
            .await?;
        Ok(run_id)
    }

    /// Ends a run. `status` is `completed` or `aborted`.
    pub async fn finish_run(
        &self,
        run_id: &str,
        status: &'static str,
        counts: RunCounts,
        breakers: Vec<BreakerState>,
    ) -> Result<(), StoreError> {
        let run_id = run_id.to_owned();
        self.db
            .call(move |connection| finish_run(connection, &run_id, status, counts, &breakers))
            .await?;
        Ok(())
    }

    /// Notes that a line was dealt with.
    pub async fn complete(&self, run_id: &str, line: Completed) -> Result<(), StoreError> {
        let run_id = run_id.to_owned();
        self.db
            .call(move |connection| {
                connection
                    .prepare(
                        "INSERT OR REPLACE INTO completed_lines VALUES
                         (?1, ?2, ?3, ?4, ?5, ?6, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), ?7)",
                    )?
                    .execute(params![
                        run_id,
                        line.line,
                        line.path,
                        line.operation,
                        line.repo,
                        line.outcome,
                        line.millis,
                    ])
            })
            .await?;
        Ok(())
    }

    /// Notes that a line failed, and counts its one failure.
    pub async fn fail(&self, run_id: &str, line: Failed) -> Result<(), StoreError> {
        let run_id = run_id.to_owned();
        self.db
            .call(move |connection| fail(connection, &run_id, &line))
            .await?;
        Ok(())
    }

    /// Keeps what a changeset record says about its repository.
    pub async fn note_changeset(&self, run_id: &str, info: String) -> Result<(), StoreError> {
        let run_id = run_id.to_owned();
        self.db
            .call(move |connection| {
                connection.execute(
                    "UPDATE sync_runs SET changeset_info = ?2 WHERE run_id = ?1",
                    params![run_id, info],
                )
            })
            .await?;
        Ok(())
    }

    /// How many failures of each category and severity there were, the most frequent first.
    pub async fn error_counts(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let counts = self
            .db
            .call(|connection| {
                connection
                    .prepare(
                        "SELECT category || ':' || severity, count FROM error_counts
                         ORDER BY count DESC, 1",
                    )?
                    .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                    .collect::<Result<_, rusqlite::Error>>()
            })
            .await?;
        Ok(counts)
    }

    /// The newest failures, the newest first.
    pub async fn recent_errors(&self, limit: u32) -> Result<Vec<StoredError>, StoreError> {
        let errors = self
            .db
            .call(move |connection| {
                connection
                    .prepare(
                        "SELECT stored_at, run_id, line_number, operation, file_path, category,
                             severity, message
                         FROM error_events ORDER BY id DESC LIMIT ?1",
                    )?
                    .query_map([limit], |row| {
                        Ok(StoredError {
                            stored_at: row.get(0)?,
                            run_id: row.get(1)?,
                            line: row.get(2)?,
                            operation: row.get(3)?,
                            path: row.get(4)?,
                            category: row.get(5)?,
                            severity: row.get(6)?,
                            message: row.get(7)?,
                        })
                    })?
                    .collect::<Result<_, rusqlite::Error>>()
            })
            .await?;
        Ok(errors)
    }

    /// The breakers as they were at the end of the newest run that had any.
    pub async fn breaker_history(&self) -> Result<Option<BreakerHistory>, StoreError> {
        let history = self
            .db
            .call(|connection| breaker_history(connection))
            .await?;
        Ok(history)
    }

    /// Forgets counts, events and breaker states. Says how many failures were counted.
    pub async fn reset_errors(&self) -> Result<u64, StoreError> {
        let forgotten = self
            .db
            .call(|connection| {
                let transaction = connection
                    // It reads before it writes: nobody may write in between.
                    .transaction_with_behavior(TransactionBehavior::Immediate)?;
                let count = transaction.query_row(
                    "SELECT coalesce(sum(count), 0) FROM error_counts",
                    [],
                    |row| row.get(0),
                )?;
                transaction.execute_batch(
                    "DELETE FROM error_counts; DELETE FROM error_events;
                     DELETE FROM breaker_states;",
                )?;
                transaction.commit()?;
                Ok::<u64, rusqlite::Error>(count)
            })
            .await?;
        Ok(forgotten)
    }
}

impl Classify for StoreError {
    fn classify(&self) -> Classification {
        match self {
            Self::Sqlite(error) => sqlite_failure(error),
            Self::Db(error) => error.classify(),
        }
    }
}

resilience::register_classify!(StoreError);

fn fail(connection: &mut Connection, run_id: &str, line: &Failed) -> rusqlite::Result<()> {
    let (category, severity) = (line.category.as_str(), line.severity.as_str());
    let transaction = connection.transaction()?;
    // A line is text, as a rule; then the column is easy to read.
    let payload: &dyn rusqlite::ToSql = match std::str::from_utf8(&line.payload) {
        Ok(text) => &text.to_owned(),
        Err(_) => &line.payload,
    };
    transaction.execute(
        "INSERT INTO failed_lines VALUES
         (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
         ON CONFLICT (run_id, line_number) DO UPDATE SET
             error_message = excluded.error_message, retry_count = retry_count + 1,
             last_attempt = excluded.last_attempt",
        params![
            run_id,
            line.line,
            line.path,
            line.operation,
            line.repo,
            line.message,
            payload
        ],
    )?;
    transaction.execute(
        "INSERT INTO error_events (stored_at, run_id, line_number, operation, file_path, category,
             severity, message)
         VALUES (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), ?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            run_id,
            line.line,
            line.operation,
            line.path,
            category,
            severity,
            line.message
        ],
    )?;
    transaction.execute(
        "DELETE FROM error_events WHERE id <= (SELECT max(id) FROM error_events) - ?1",
        [HISTORY],
    )?;
    transaction.execute(
        "INSERT INTO error_counts VALUES (?1, ?2, 1)
         ON CONFLICT (category, severity) DO UPDATE SET count = count + 1",
        params![category, severity],
    )?;
    transaction.commit()
}

fn finish_run(
    connection: &mut Connection,
    run_id: &str,
    status: &str,
    counts: RunCounts,
    breakers: &[BreakerState],
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute(
        "UPDATE sync_runs SET status = ?2, total_lines = ?3, success_count = ?4, skipped_count = ?5,
             error_count = ?6, completed_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
         WHERE run_id = ?1",
        params![run_id, status, counts.total, counts.success, counts.skipped, counts.failed],
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

fn breaker_history(connection: &Connection) -> rusqlite::Result<Option<BreakerHistory>> {
    let newest = connection
        .query_row(
            "SELECT run_id, stored_at FROM breaker_states ORDER BY stored_at DESC LIMIT 1",
            [],
            |row| Ok((row.get::<_, String>(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((run_id, stored_at)) = newest else {
        return Ok(None);
    };
    let breakers = connection
        .prepare(
            "SELECT service, state, failures FROM breaker_states WHERE run_id = ?1 ORDER BY service",
        )?
        .query_map([&run_id], |row| {
            Ok(BreakerState { service: row.get(0)?, state: row.get(1)?, failures: row.get(2)? })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Some(BreakerHistory {
        run_id,
        stored_at,
        breakers,
    }))
}

/// How many events are kept. The counts know of all.
const HISTORY: u32 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    async fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().expect("a folder");
        let db = Db::open(&folder.path().join("sync.db"))
            .await
            .expect("a database");
        (folder, Store::new(db))
    }

    async fn begin(store: &Store) -> String {
        let run = NewRun {
            input: "stdin".into(),
            collection: "C".into(),
            dry_run: false,
        };
        store.begin_run(run).await.expect("begun")
    }

    fn failed(line: u64, category: Category) -> Failed {
        Failed {
            line,
            path: Some("a".into()),
            operation: "modify",
            repo: None,
            category,
            severity: Severity::Low,
            message: format!("message {line}"),
            payload: b"a\xff".to_vec(),
        }
    }

    #[tokio::test]
    async fn a_run_has_a_name_of_its_own() {
        let (_folder, store) = store().await;
        let (first, second) = (begin(&store).await, begin(&store).await);
        assert_ne!(first, second);
        let parts: Vec<_> = first.split('_').collect();
        assert_eq!(
            parts.iter().map(|part| part.len()).collect::<Vec<_>>()[..3],
            [4, 8, 6]
        );
        assert_eq!(parts[3], std::process::id().to_string());
        assert_eq!(parts[4].len(), 8);
    }

    #[tokio::test]
    async fn failures_are_counted_and_kept_newest_first_until_reset() {
        let (_folder, store) = store().await;
        let run = begin(&store).await;
        for (line, category) in [
            (1, Category::FILESYSTEM),
            (2, Category::ENCODING),
            (3, Category::FILESYSTEM),
        ] {
            store
                .fail(&run, failed(line, category))
                .await
                .expect("stored");
        }
        let counts = store.error_counts().await.expect("read");
        assert_eq!(
            counts,
            [("filesystem:low".into(), 2), ("encoding:low".into(), 1)]
        );
        let recent = store.recent_errors(2).await.expect("read");
        assert_eq!(
            recent.iter().map(|error| error.line).collect::<Vec<_>>(),
            [3, 2]
        );
        let time = &recent[0].stored_at;
        assert!(
            time.len() == 24 && time.ends_with('Z') && time.as_bytes()[10] == b'T',
            "{time}"
        );
        assert_eq!(store.reset_errors().await.expect("reset"), 3);
        assert!(store.error_counts().await.expect("read").is_empty());
        assert!(store.recent_errors(9).await.expect("read").is_empty());
    }

    #[tokio::test]
    async fn breaker_states_are_those_of_the_newest_run() {
        let (_folder, store) = store().await;
        assert_eq!(store.breaker_history().await.expect("read"), None);
        let run = begin(&store).await;
        let open = BreakerState {
            service: "s".into(),
            state: "open".into(),
            failures: 5,
        };
        store
            .finish_run(&run, "completed", RunCounts::default(), vec![open.clone()])
            .await
            .expect("finished");
        let history = store
            .breaker_history()
            .await
            .expect("read")
            .expect("a history");
        assert_eq!((history.run_id, history.breakers), (run, vec![open]));
    }
}
