//! What happened to every line, kept for the processes that come later.
//!
//! Error counts and events add up over runs until they are reset. The state of a breaker is stored
//! as it was at the end of a run: history, not the state of anything that lives.

mod errors;
mod failed;
mod lines;
mod runs;

use resilience::{Classification, Classify};
use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use crate::store::errors::{BreakerHistory, BreakerState, StoredError};
pub use crate::store::failed::{FailedFilter, FailedLine, FailedPlace};
pub use crate::store::lines::{Entry, Failure, LineHash, LineState, RecordError, Settled};
pub use crate::store::runs::{NewRun, RunInfo};

use crate::db::{Db, sqlite_failure};

/// The checkpoint tables of the database.
#[derive(Clone, Debug)]
pub struct Store {
    db: Db,
}

/// Why the store cannot do it. The run cannot go on without its store.
#[derive(Debug, thiserror::Error)]
#[error("the checkpoint store cannot be used")]
pub struct StoreError(#[from] rusqlite::Error);

impl Store {
    /// The store in this database.
    pub const fn new(db: Db) -> Self {
        Self { db }
    }

    async fn call<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
        T: Send + 'static,
    {
        Ok(self.db.call(work).await?)
    }
}

impl Classify for StoreError {
    fn classify(&self) -> Classification {
        sqlite_failure(&self.0)
    }
}

resilience::register_classify!(StoreError);

/// A transaction that will write. It takes its turn at once: nobody writes between what it reads
/// and what it writes.
fn writing(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

#[cfg(test)]
mod tests;
