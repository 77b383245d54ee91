//! The one connection to SQLite, shared by the index and the checkpoint store.
//!
//! SQLite blocks, so every use runs on tokio's blocking threads, one at a time.

mod schema;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use resilience::{Category, Classification, Classify, Fault, Retry, Severity};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use tokio::sync::Mutex;

use crate::blocking;

/// A handle on the database. Clones share one connection.
#[derive(Clone, Debug)]
pub struct Db {
    connection: Arc<Mutex<Connection>>,
}

/// How to use the database.
#[derive(Clone, Copy, Debug)]
pub struct DbOptions {
    /// How long a statement waits for another process's lock.
    pub busy_timeout: Duration,
    /// What the file may grow to; no limit but the disk's without one.
    pub max_bytes: Option<u64>,
}

impl Default for DbOptions {
    fn default() -> Self {
        Self {
            busy_timeout: Duration::from_secs(30),
            max_bytes: None,
        }
    }
}

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DbError {
    /// The folder of the database cannot be made, or not be looked into.
    #[error("cannot use the folder of `{}`", path.display())]
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
    pub async fn open(path: &Path, options: DbOptions) -> Result<Self, DbError> {
        let path = path.to_owned();
        blocking::run(move || {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(|source| DbError::Folder {
                    path: path.clone(),
                    source,
                })?;
            }
            Self::connect(&path, options)
        })
        .await
    }

    /// Opens the database only if it is there. One that cannot be written to can be read.
    pub async fn open_existing(path: &Path, options: DbOptions) -> Result<Self, DbError> {
        let path = path.to_owned();
        blocking::run(move || match path.try_exists() {
            Ok(true) => match Self::connect(&path, options) {
                Err(error) if error.is_read_only() => Self::look_into(&path).ok_or(error),
                connected => connected,
            },
            Ok(false) => Err(DbError::Missing { path }),
            Err(source) => Err(DbError::Folder { path, source }),
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
        // Waited for here, so that those who wait hold no thread. A panic while the lock was held
        // rolled its transaction back: the connection is fine.
        let mut connection = Arc::clone(&self.connection).lock_owned().await;
        blocking::run(move || work(&mut connection)).await
    }

    /// Opens a database that nobody can write to, because its folder or its disk does not let
    /// anybody. Nothing where there is a log beside it: whoever writes that one can write.
    fn look_into(path: &Path) -> Option<Self> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        if Path::new(&log).exists() {
            return None;
        }
        let escaped = path
            .to_str()?
            .replace('%', "%25")
            .replace('?', "%3f")
            .replace('#', "%23");
        let uri = format!("file:{escaped}?immutable=1");
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(uri, flags).ok()?;
        let current = version(&connection).ok()? == schema::VERSION;
        current.then(|| Self::of(connection))
    }

    fn of(connection: Connection) -> Self {
        Self {
            connection: Arc::new(Mutex::new(connection)),
        }
    }

    fn connect(path: &Path, options: DbOptions) -> Result<Self, DbError> {
        let failed = |source| DbError::Open {
            path: path.to_owned(),
            source,
        };
        let mut connection = Connection::open(path).map_err(failed)?;
        connection
            .busy_timeout(options.busy_timeout)
            .map_err(failed)?;
        // The first statement that touches the file: says so if it is no database.
        let found = version(&connection).map_err(failed)?;
        if found > schema::VERSION {
            return Err(DbError::Version {
                found,
                known: schema::VERSION,
            });
        }
        write_ahead(&connection, options.busy_timeout).map_err(failed)?;
        let settings = [("synchronous", "NORMAL"), ("foreign_keys", "ON")];
        for (name, value) in settings {
            connection
                .pragma_update(None, name, value)
                .map_err(failed)?;
        }
        // Copied into the file after so many pages: each time, the disk has to confirm twice.
        connection
            .pragma_update_and_check(None, "wal_autocheckpoint", CHECKPOINT_PAGES, |_| Ok(()))
            .map_err(failed)?;
        if let Some(bytes) = options.max_bytes {
            limit(&connection, bytes).map_err(failed)?;
        }
        if found < schema::VERSION {
            migrate(&mut connection).map_err(failed)?;
        }
        Ok(Self::of(connection))
    }
}

impl DbError {
    fn is_read_only(&self) -> bool {
        matches!(self, Self::Open { source, .. }
            if source.sqlite_error_code() == Some(ErrorCode::ReadOnly))
    }
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Changing the journal needs the file alone for a moment, and SQLite does not wait for that by
/// itself where two processes ask for it at once.
fn write_ahead(connection: &Connection, patience: Duration) -> rusqlite::Result<()> {
    let until = Instant::now() + patience;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && Instant::now() < until =>
            {
                std::thread::sleep(Duration::from_millis(10));
            }
            other => return other,
        }
    }
}

fn limit(connection: &Connection, bytes: u64) -> rusqlite::Result<()> {
    let page: u64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let pages = i64::try_from(bytes / page.max(1)).unwrap_or(i64::MAX);
    // It answers with the limit that now holds.
    connection.pragma_update_and_check(None, "max_page_count", pages.max(1), |_| Ok(()))
}

/// One transaction: of two processes that start together, the second finds the work done.
fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = usize::try_from(version(&transaction)?).unwrap_or_default();
    for step in schema::STEPS.iter().skip(found) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", schema::VERSION)?;
    transaction.commit()
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

/// 32 MB with pages of the usual size.
const CHECKPOINT_PAGES: u32 = 8_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn makes_its_folder_and_opens_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a/b/sync.db");
        assert!(matches!(
            Db::open_existing(&path, DbOptions::default()).await,
            Err(DbError::Missing { .. })
        ));
        drop(
            Db::open(&path, DbOptions::default())
                .await
                .expect("created"),
        );
        drop(
            Db::open_existing(&path, DbOptions::default())
                .await
                .expect("opened"),
        );
    }

    #[tokio::test]
    async fn a_database_that_nobody_can_write_to_can_be_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("what? 100%#.db");
        let options = DbOptions::default();
        let db = Db::open(&path, options).await.expect("created");
        assert!(Db::look_into(&path).is_none(), "somebody writes to it");
        drop(db);
        let db = Db::look_into(&path).expect("opened");
        let documents: u64 = db
            .call(|it| it.query_row("SELECT count(*) FROM documents", [], |row| row.get(0)))
            .await
            .expect("read");
        assert_eq!(documents, 0);
        let error = db
            .call(|it| it.execute("DELETE FROM documents", []))
            .await
            .expect_err("read-only");
        assert_eq!(error.sqlite_error_code(), Some(ErrorCode::ReadOnly));
    }

    #[tokio::test]
    async fn a_newer_database_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sync.db");
        let db = Db::open(&path, DbOptions::default())
            .await
            .expect("created");
        db.call(|connection| connection.pragma_update(None, "user_version", 99))
            .await
            .expect("written");
        assert!(matches!(
            Db::open(&path, DbOptions::default()).await,
            Err(DbError::Version { found: 99, .. })
        ));
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_said_to_be_none() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "x".repeat(5_000)).expect("written");
        let error = Db::open(file.path(), DbOptions::default())
            .await
            .expect_err("no database");
        let failure = error.classify();
        assert_eq!(
            (failure.severity(1), failure.retry()),
            (Severity::Critical, Retry::No)
        );
    }

    #[tokio::test]
    async fn a_database_of_the_first_version_is_brought_up_to_date() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sync.db");
        let old = Connection::open(&path).expect("made");
        old.execute_batch(schema::STEPS[0]).expect("the old tables");
        old.pragma_update(None, "user_version", 1).expect("written");
        old.execute_batch(
            "INSERT INTO failed_lines VALUES ('r', 1, 'a', 'add', NULL, 'm', 'p', 1, 't')",
        )
        .expect("a failed line");
        drop(old);
        let db = Db::open(&path, DbOptions::default()).await.expect("opened");
        let category: String = db
            .call(|connection| {
                connection.query_row("SELECT category FROM failed_lines", [], |row| row.get(0))
            })
            .await
            .expect("the new column");
        assert_eq!(category, "unknown");
    }

    #[tokio::test]
    async fn a_full_database_is_full_and_keeps_what_it_has() {
        let folder = tempfile::tempdir().expect("a folder");
        let options = DbOptions {
            max_bytes: Some(200_000),
            ..DbOptions::default()
        };
        let db = Db::open(&folder.path().join("sync.db"), options)
            .await
            .expect("opened");
        let error = db
            .call(|connection| {
                connection.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1)")?;
                connection.execute("INSERT INTO t VALUES (zeroblob(300000))", [])
            })
            .await
            .expect_err("no room");
        let failure = sqlite_failure(&error);
        assert_eq!(
            (failure.severity(1), failure.retry()),
            (Severity::High, Retry::No)
        );
        let rows: u64 = db
            .call(|connection| connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)))
            .await
            .expect("counted");
        assert_eq!(rows, 1);
    }
}
