//! Failed lines, to be listed and tried again.

use resilience::Category;
use rusqlite::{Row, params};

use crate::store::{Store, StoreError};

/// A line that failed, as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedLine {
    /// Its place among all failed lines.
    pub place: FailedPlace,
    /// The run it belongs to.
    pub run_id: String,
    /// Its number.
    pub line: u64,
    /// What it is about, where that can be read.
    pub path: Option<String>,
    /// The repository.
    pub repo: Option<String>,
    /// The operation.
    pub operation: String,
    /// What kind of failure it was.
    pub category: String,
    /// How bad it was.
    pub severity: String,
    /// What went wrong.
    pub message: String,
    /// The service it waits for.
    pub waits_for: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was tried last, RFC 3339.
    pub last_attempt: String,
    /// The line itself.
    pub payload: Vec<u8>,
}

/// A place among all failed lines: by run, then by line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FailedPlace {
    run: i64,
    line: u64,
}

/// Which failed lines.
#[derive(Clone, Debug, Default)]
pub struct FailedFilter {
    /// Those of this run.
    pub run_id: Option<String>,
    /// Those of this category.
    pub category: Option<Category>,
    /// Those of runs that wrote to this index and collection.
    pub destination: Option<(String, String)>,
}

impl Store {
    /// Failed lines after a [place](FailedLine::place), run by run, in the order of the input.
    /// Those of dry runs count only where the filter names the run.
    pub async fn failed_lines(
        &self,
        filter: FailedFilter,
        after: FailedPlace,
        limit: u32,
    ) -> Result<Vec<FailedLine>, StoreError> {
        let (target, collection) = filter.destination.unzip();
        self.call(move |connection| {
            connection
                .prepare_cached(
                    "SELECT r.rowid, f.run_id, line_number, file_path, repository, operation,
                         category, severity, error_message, waits_for, retry_count, last_attempt,
                         CAST(payload AS BLOB)
                     FROM failed_lines f JOIN sync_runs r ON r.run_id = f.run_id
                     WHERE (r.rowid, f.line_number) > (?1, ?7) AND (?2 IS NULL OR f.run_id = ?2)
                         AND (?3 IS NULL OR category = ?3)
                         AND (?4 IS NULL OR (r.target = ?4 AND r.collection = ?5))
                         AND (NOT r.dry_run OR ?2 IS NOT NULL)
                     ORDER BY r.rowid, f.line_number LIMIT ?6",
                )?
                .query_map(
                    params![
                        after.run,
                        filter.run_id,
                        filter.category.map(Category::as_str),
                        target,
                        collection,
                        limit,
                        after.line,
                    ],
                    failed_line,
                )?
                .collect()
        })
        .await
    }
}

fn failed_line(row: &Row<'_>) -> rusqlite::Result<FailedLine> {
    Ok(FailedLine {
        place: FailedPlace {
            run: row.get(0)?,
            line: row.get(2)?,
        },
        run_id: row.get(1)?,
        line: row.get(2)?,
        path: row.get(3)?,
        repo: row.get(4)?,
        operation: row.get(5)?,
        category: row.get(6)?,
        severity: row.get(7)?,
        message: row.get(8)?,
        waits_for: row.get(9)?,
        attempts: row.get(10)?,
        last_attempt: row.get(11)?,
        payload: row.get(12)?,
    })
}
