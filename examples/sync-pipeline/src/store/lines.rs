//! Lines: what has become of each, in the order in which they were dealt with.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use resilience::{Category, Classification, Classify, Severity};
use rusqlite::{Connection, Transaction, params};
use sha2::{Digest as _, Sha256};

use crate::db::sqlite_failure;
use crate::store::{Store, StoreError, writing};

/// What a line is known by when it comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineHash([u8; 16]);

/// What has become of a line.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The run it belongs to.
    pub run_id: Arc<str>,
    /// Its number.
    pub line: u64,
    /// What it is known by.
    pub hash: LineHash,
    /// What it is about, where that can be read.
    pub path: Option<String>,
    /// `add`, `modify`, `delete`, `changeset`, or `parse` for a line that is no record.
    pub operation: &'static str,
    /// The repository.
    pub repo: Option<String>,
    /// How long it took.
    pub took: Duration,
    /// How it ended.
    pub settled: Settled,
}

/// How a line ended.
#[derive(Clone, Debug)]
pub enum Settled {
    /// It was dealt with; `skipped` is one of the outcomes.
    Done(&'static str),
    /// It failed.
    Failed(Failure),
}

/// Why a line failed, and what a later attempt needs.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What kind of failure it is.
    pub category: Category,
    /// How bad it is.
    pub severity: Severity,
    /// What went wrong, with its causes.
    pub message: String,
    /// The service whose absence it was, if there is nothing wrong with the line itself.
    pub waits_for: Option<&'static str>,
    /// The line itself.
    pub payload: Vec<u8>,
}

/// What is stored about a line of a run that goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LineState {
    /// It was dealt with.
    Done {
        /// What it was.
        hash: LineHash,
        /// When work on it began, in seconds since 1970.
        began: f64,
    },
    /// It failed.
    Failed {
        /// What it was.
        hash: LineHash,
        /// How often it was tried.
        attempts: u32,
    },
}

/// Why lines cannot be stored, and at which of them that showed. Those before it are stored.
#[derive(Debug, thiserror::Error)]
#[error("the checkpoint store cannot be used")]
pub struct RecordError {
    /// The line.
    pub line: u64,
    /// How many entries before it are stored.
    pub stored: usize,
    /// What SQLite says.
    pub source: rusqlite::Error,
}

impl LineHash {
    /// Of a line's bytes.
    pub fn of(line: &[u8]) -> Self {
        let mut hash = [0; 16];
        hash.copy_from_slice(&Sha256::digest(line)[..16]);
        Self(hash)
    }

    /// As stored. A line of an older version has none, which is like no other.
    fn stored(bytes: &[u8]) -> Self {
        Self(bytes.try_into().unwrap_or_default())
    }
}

impl Store {
    /// Notes what has become of these lines, in one transaction.
    pub async fn record(&self, entries: Arc<Vec<Entry>>) -> Result<(), RecordError> {
        self.db
            .call(move |connection| record(connection, &entries))
            .await
    }

    /// What is known about the lines `from..to` of a run.
    pub async fn lines(
        &self,
        run_id: &str,
        from: u64,
        to: u64,
    ) -> Result<HashMap<u64, LineState>, StoreError> {
        let run_id = run_id.to_owned();
        self.call(move |connection| lines(connection, &run_id, from, to))
            .await
    }
}

impl Classify for RecordError {
    fn classify(&self) -> Classification {
        sqlite_failure(&self.source)
    }
}

resilience::register_classify!(RecordError);

fn record(connection: &mut Connection, entries: &[Entry]) -> Result<(), RecordError> {
    let at = |index: usize| {
        move |source| RecordError {
            line: entries.get(index).map_or(0, |entry: &Entry| entry.line),
            stored: index,
            source,
        }
    };
    let mut transaction = writing(connection).map_err(at(0))?;
    for (index, entry) in entries.iter().enumerate() {
        if let Err(error) = one(&mut transaction, entry) {
            // What came before it is whole. A full disk may have taken it all back already.
            return Err(match transaction.commit() {
                Ok(()) => at(index)(error),
                Err(_) => at(0)(error),
            });
        }
    }
    transaction.commit().map_err(at(0))
}

/// A line is stored with all that belongs to it, or not at all.
fn one(transaction: &mut Transaction<'_>, entry: &Entry) -> rusqlite::Result<()> {
    let point = transaction.savepoint()?;
    match &entry.settled {
        Settled::Done(outcome) => done(&point, entry, outcome)?,
        Settled::Failed(failure) => failed(&point, entry, failure)?,
    }
    point.commit()
}

fn done(connection: &Connection, entry: &Entry, outcome: &str) -> rusqlite::Result<()> {
    // What failed before for the same file is settled by this: to try it again would put an old
    // state in the place of a newer one.
    if outcome != "skipped" {
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO completed_lines
                     (run_id, line_number, file_path, operation, repository, outcome, completed_at,
                      processing_time_ms, line_hash)
                 SELECT f.run_id, f.line_number, f.file_path, f.operation, f.repository,
                     'superseded', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), 0, f.line_hash
                 FROM failed_lines f
                     JOIN sync_runs r ON r.run_id = f.run_id
                     JOIN sync_runs here ON here.run_id = ?1
                 WHERE f.file_path = ?3 AND f.repository IS ?4 AND r.collection = here.collection
                     AND r.target = here.target AND r.dry_run = here.dry_run
                     AND (r.rowid < here.rowid
                         OR (f.run_id = ?1 AND f.line_number < ?2))",
            )?
            .execute(params![entry.run_id, entry.line, entry.path, entry.repo])?;
        connection
            .prepare_cached(
                "DELETE FROM failed_lines WHERE file_path = ?1 AND EXISTS (
                     SELECT 1 FROM completed_lines c WHERE c.run_id = failed_lines.run_id
                         AND c.line_number = failed_lines.line_number)",
            )?
            .execute([&entry.path])?;
    }
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO completed_lines
                 (run_id, line_number, file_path, operation, repository, outcome, completed_at,
                  processing_time_ms, line_hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), ?7, ?8)",
        )?
        .execute(params![
            entry.run_id,
            entry.line,
            entry.path,
            entry.operation,
            entry.repo,
            outcome,
            u64::try_from(entry.took.as_millis()).unwrap_or(u64::MAX),
            entry.hash.0,
        ])?;
    connection
        .prepare_cached("DELETE FROM failed_lines WHERE run_id = ?1 AND line_number = ?2")?
        .execute(params![entry.run_id, entry.line])?;
    Ok(())
}

fn failed(connection: &Connection, entry: &Entry, failure: &Failure) -> rusqlite::Result<()> {
    let (category, severity) = (failure.category.as_str(), failure.severity.as_str());
    // A line is text, as a rule; then the column is easy to read.
    let payload: &dyn rusqlite::ToSql = match std::str::from_utf8(&failure.payload) {
        Ok(text) => &text.to_owned(),
        Err(_) => &failure.payload,
    };
    connection
        .prepare_cached(
            "INSERT INTO failed_lines (run_id, line_number, file_path, operation, repository,
                 error_message, payload, retry_count, last_attempt, line_hash, category, severity,
                 waits_for)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), ?8, ?9,
                 ?10, ?11)
             ON CONFLICT (run_id, line_number) DO UPDATE SET
                 error_message = excluded.error_message,
                 retry_count = CASE line_hash WHEN excluded.line_hash THEN retry_count + 1 ELSE 1 END,
                 last_attempt = excluded.last_attempt, file_path = excluded.file_path,
                 operation = excluded.operation, repository = excluded.repository,
                 payload = excluded.payload, line_hash = excluded.line_hash,
                 category = excluded.category, severity = excluded.severity,
                 waits_for = excluded.waits_for",
        )?
        .execute(params![
            entry.run_id,
            entry.line,
            entry.path,
            entry.operation,
            entry.repo,
            failure.message,
            payload,
            entry.hash.0,
            category,
            severity,
            failure.waits_for,
        ])?;
    // It may have been another line that was dealt with under this number.
    connection
        .prepare_cached("DELETE FROM completed_lines WHERE run_id = ?1 AND line_number = ?2")?
        .execute(params![entry.run_id, entry.line])?;
    connection
        .prepare_cached(
            "INSERT INTO error_events (stored_at, run_id, line_number, operation, file_path,
                 category, severity, message)
             VALUES (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), ?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            entry.run_id,
            entry.line,
            entry.operation,
            entry.path,
            category,
            severity,
            failure.message,
        ])?;
    connection
        .prepare_cached(
            "DELETE FROM error_events WHERE id <= (SELECT max(id) FROM error_events) - ?1",
        )?
        .execute([HISTORY])?;
    connection
        .prepare_cached(
            "INSERT INTO error_counts VALUES (?1, ?2, 1)
             ON CONFLICT (category, severity) DO UPDATE SET count = count + 1",
        )?
        .execute([category, severity])?;
    Ok(())
}

fn lines(
    connection: &Connection,
    run_id: &str,
    from: u64,
    to: u64,
) -> rusqlite::Result<HashMap<u64, LineState>> {
    let mut states = HashMap::new();
    let mut done = connection.prepare_cached(
        "SELECT line_number, line_hash,
             CAST(strftime('%s', completed_at) AS REAL)
                 + CAST(substr(completed_at, 21, 3) AS REAL) / 1000 - processing_time_ms / 1000.0
         FROM completed_lines WHERE run_id = ?1 AND line_number >= ?2 AND line_number < ?3",
    )?;
    let mut rows = done.query(params![run_id, from, to])?;
    while let Some(row) = rows.next()? {
        let state = LineState::Done {
            hash: LineHash::stored(row.get_ref(1)?.as_blob()?),
            began: row.get(2)?,
        };
        states.insert(row.get(0)?, state);
    }
    let mut failed = connection.prepare_cached(
        "SELECT line_number, line_hash, retry_count
         FROM failed_lines WHERE run_id = ?1 AND line_number >= ?2 AND line_number < ?3",
    )?;
    let mut rows = failed.query(params![run_id, from, to])?;
    while let Some(row) = rows.next()? {
        let state = LineState::Failed {
            hash: LineHash::stored(row.get_ref(1)?.as_blob()?),
            attempts: row.get(2)?,
        };
        states.insert(row.get(0)?, state);
    }
    Ok(states)
}

/// How many events are kept. The counts know of all.
const HISTORY: u32 = 1_000;
