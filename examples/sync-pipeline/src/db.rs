//! The one connection to SQLite, shared by the index and the checkpoint store.
//!
//! SQLite blocks, so every use runs on tokio's blocking threads, one at a time.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use resilience::{Category, Classification, Classify, Fault, Retry, Severity};
use rusqlite::{Connection, ErrorCode};

use crate::blocking;

/// A handle on the database. Clones share one connection.
#[derive(Clone, Debug)]
pub struct Db {
    connection: Arc<Mutex<Connection>>,
}

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DbError {
    /// The folder of the database cannot be made.
    #[error("cannot create the folder of `{}`", path.display())]
    Folder {
        /// The database.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It cannot be opened, or is no database.
    #[error("cannot open the database `{}`", path.display())]
    Open {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// It was written by a newer version of this program.
    #[error("the database has version {found}, this program knows up to {known}")]
    Version {
        /// The version in the file.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// It is not there, and the command at hand only reads.
    #[error("there is no database at `{}`: nothing has been synced yet", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// A statement failed.
    #[error("the database failed")]
    Sqlite(#[from] rusqlite::Error),
}

impl Db {
    /// Opens the database, which is created where it is missing.
    pub async fn open(path: &Path) -> Result<Self, DbError> {
        let path = path.to_owned();
        blocking::run(move || {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(|source| DbError::Folder {
                    path: path.clone(),
                    source,
                })?;
            }
            Self::connect(&path)
        })
        .await
    }

    /// Opens the database only if it is there.
    pub async fn open_existing(path: &Path) -> Result<Self, DbError> {
        let path = path.to_owned();
        blocking::run(move || {
            if !path.exists() {
                return Err(DbError::Missing { path });
            }
            Self::connect(&path)
        })
        .await
    }

    /// Runs `work` with the connection, off the runtime's own threads.
    pub async fn call<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut Connection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        let connection = Arc::clone(&self.connection);
        blocking::run(move || {
            // A panic while the lock was held rolled its transaction back: the connection is fine.
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut connection)
        })
        .await
    }

    fn connect(path: &Path) -> Result<Self, DbError> {
        let failed = |source| DbError::Open {
            path: path.to_owned(),
            source,
        };
        let connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
        // The first statement that touches the file: says so if it is no database.
        let found = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(failed)?;
        if found > VERSION {
            return Err(DbError::Version {
                found,
                known: VERSION,
            });
        }
        connection
            .pragma_update(None, "journal_mode", "WAL")
            .map_err(failed)?;
        connection
            .pragma_update(None, "synchronous", "NORMAL")
            .map_err(failed)?;
        connection
            .pragma_update(None, "foreign_keys", true)
            .map_err(failed)?;
        if found < VERSION {
            connection.execute_batch(SCHEMA).map_err(failed)?;
        }
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
        })
    }
}

impl Classify for DbError {
    fn classify(&self) -> Classification {
        match self {
            Self::Folder { .. } => Classification::new(Category::FILESYSTEM),
            Self::Version { .. } | Self::Missing { .. } => {
                Classification::new(Category::VALIDATION)
            }
            Self::Open { source, .. } | Self::Sqlite(source) => sqlite_failure(source),
        }
    }
}

resilience::register_classify!(DbError);

/// What kind of failure SQLite reports.
pub fn sqlite_failure(error: &rusqlite::Error) -> Classification {
    let Some(code) = error.sqlite_error_code() else {
        return Classification::unknown();
    };
    let file = Classification::new(Category::FILESYSTEM).with_reason(format!("SQLite: {code:?}"));
    match code {
        // A lock of somebody else (the busy timeout has waited for it once) or a passing fault.
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::SystemIoFailure => file,
        ErrorCode::DiskFull => file.with_severity(Severity::High).with_retry(Retry::No),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            file.with_severity(Severity::Critical).with_retry(Retry::No)
        }
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen => {
            file.with_retry(Retry::No).with_fault(Fault::Caller)
        }
        ErrorCode::OutOfMemory => Classification::new(Category::MEMORY),
        ErrorCode::ConstraintViolation => Classification::new(Category::CONFLICT),
        ErrorCode::TooBig | ErrorCode::TypeMismatch => Classification::new(Category::VALIDATION),
        _ => Classification::unknown(),
    }
}

/// How long a statement waits for another process's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const VERSION: i64 = 1;

/// One transaction, so that two processes that start together do not see half of it. Times are
/// RFC 3339, UTC, made by SQLite's own clock.
const SCHEMA: &str = "
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS collections (
    name TEXT PRIMARY KEY, model TEXT NOT NULL, dimensions INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY, collection TEXT NOT NULL, repo TEXT, path TEXT NOT NULL,
    content_hash TEXT NOT NULL, bytes INTEGER NOT NULL, indexed_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS chunks (
    document TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    collection TEXT NOT NULL, first_line INTEGER NOT NULL, last_line INTEGER NOT NULL,
    text TEXT NOT NULL, words TEXT NOT NULL, vector BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS chunks_of_document ON chunks (document);
CREATE INDEX IF NOT EXISTS chunks_of_collection ON chunks (collection);
CREATE TABLE IF NOT EXISTS sync_runs (
    run_id TEXT PRIMARY KEY, started_at TEXT NOT NULL, completed_at TEXT,
    input_source TEXT NOT NULL, collection TEXT NOT NULL, dry_run INTEGER NOT NULL,
    status TEXT NOT NULL, total_lines INTEGER NOT NULL DEFAULT 0,
    success_count INTEGER NOT NULL DEFAULT 0, skipped_count INTEGER NOT NULL DEFAULT 0,
    error_count INTEGER NOT NULL DEFAULT 0, changeset_info TEXT
);
CREATE TABLE IF NOT EXISTS completed_lines (
    run_id TEXT NOT NULL, line_number INTEGER NOT NULL, file_path TEXT, operation TEXT NOT NULL,
    repository TEXT, outcome TEXT NOT NULL, completed_at TEXT NOT NULL,
    processing_time_ms INTEGER NOT NULL, PRIMARY KEY (run_id, line_number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failed_lines (
    run_id TEXT NOT NULL, line_number INTEGER NOT NULL, file_path TEXT, operation TEXT NOT NULL,
    repository TEXT, error_message TEXT NOT NULL, payload BLOB NOT NULL,
    retry_count INTEGER NOT NULL, last_attempt TEXT NOT NULL, PRIMARY KEY (run_id, line_number)
);
CREATE TABLE IF NOT EXISTS error_events (
    id INTEGER PRIMARY KEY, stored_at TEXT NOT NULL, run_id TEXT NOT NULL,
    line_number INTEGER NOT NULL, operation TEXT NOT NULL, file_path TEXT,
    category TEXT NOT NULL, severity TEXT NOT NULL, message TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS error_counts (
    category TEXT NOT NULL, severity TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (category, severity)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS breaker_states (
    run_id TEXT NOT NULL, service TEXT NOT NULL, state TEXT NOT NULL, failures INTEGER NOT NULL,
    stored_at TEXT NOT NULL, PRIMARY KEY (run_id, service)
) WITHOUT ROWID;
PRAGMA user_version = 1;
COMMIT;
";

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn makes_its_folder_and_opens_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a/b/sync.db");
        assert!(matches!(
            Db::open_existing(&path).await,
            Err(DbError::Missing { .. })
        ));
        drop(Db::open(&path).await.expect("created"));
        drop(Db::open_existing(&path).await.expect("opened"));
    }

    #[tokio::test]
    async fn a_newer_database_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sync.db");
        let db = Db::open(&path).await.expect("created");
        db.call(|connection| connection.pragma_update(None, "user_version", 99))
            .await
            .expect("written");
        assert!(matches!(
            Db::open(&path).await,
            Err(DbError::Version { found: 99, .. })
        ));
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_said_to_be_none() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "x".repeat(5_000)).expect("written");
        let error = Db::open(file.path()).await.expect_err("no database");
        let failure = error.classify();
        assert_eq!(
            (failure.severity(1), failure.retry()),
            (Severity::Critical, Retry::No)
        );
    }
}
