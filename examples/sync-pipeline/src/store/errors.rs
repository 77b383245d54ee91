//! Errors and breakers as history: counted, listed, reset.

use rusqlite::{Connection, OptionalExtension as _};

use crate::store::{Store, StoreError, writing};

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

impl Store {
    /// How many failures of each category and severity there were, the most frequent first.
    pub async fn error_counts(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let counts = self
            .call(|connection| {
                connection
                    .prepare(
                        "SELECT category || ':' || severity, count FROM error_counts
                         ORDER BY count DESC, 1",
                    )?
                    .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                    .collect()
            })
            .await?;
        Ok(counts)
    }

    /// The newest failures, the newest first.
    pub async fn recent_errors(&self, limit: u32) -> Result<Vec<StoredError>, StoreError> {
        let errors = self
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
                    .collect()
            })
            .await?;
        Ok(errors)
    }

    /// The breakers as they were at the end of the newest run that had any.
    pub async fn breaker_history(&self) -> Result<Option<BreakerHistory>, StoreError> {
        let history = self.call(|connection| breaker_history(connection)).await?;
        Ok(history)
    }

    /// Forgets counts, events and breaker states. Says how many failures were counted.
    pub async fn reset_errors(&self) -> Result<u64, StoreError> {
        let forgotten = self
            .call(|connection| {
                let transaction = writing(connection)?;
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
                Ok(count)
            })
            .await?;
        Ok(forgotten)
    }
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
