//! `sqlx::Error`, by what the database answered: SQLSTATE or `SQLite`'s result code.

use sqlx_core::error::{DatabaseError, Error, ErrorKind};

use super::text::verdict;
use super::{Classify, sql, sqlite, walk};
use crate::{Classification, Retry};

/// The cause inside, where it is of a known type, says more than these; see the walk.
impl Classify for Error {
    fn classify(&self) -> Classification {
        walk::typed(self).unwrap_or_else(|| itself(self))
    }
}

/// What the error says apart from its sources.
pub(super) fn itself(error: &Error) -> Classification {
    match error {
        Error::Database(answer) => of_database(&**answer),
        Error::RowNotFound => verdict::NOT_FOUND.because("sqlx: no rows"),
        // Nothing was sent: there was no connection to send it on.
        Error::PoolTimedOut => verdict::TIMEOUT
            .unprocessed()
            .because("sqlx: no connection became free"),
        Error::PoolClosed => verdict::CANCELLED
            .unprocessed()
            .because("sqlx: the pool is closed"),
        Error::WorkerCrashed => verdict::UNKNOWN
            .retry(Retry::No)
            .because("sqlx: the worker crashed"),
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::AnyDriverError(_) => {
            let found = walk::by_text(error, None);
            if walk::says_something(&found) {
                return found;
            }
            verdict::NETWORK.because("sqlx: the exchange broke off")
        }
        Error::BeginFailed => verdict::SERVICE_UNSURE.because("sqlx: no transaction began"),
        // Wrong settings, columns or types: they stay wrong.
        _ => verdict::VALIDATION.because("sqlx: wrong setting, column or type"),
    }
}

fn of_database(answer: &dyn DatabaseError) -> Classification {
    let code = answer.code().unwrap_or_default();
    if let Some(found) = sql::of_state(&code, answer.message()) {
        return found;
    }
    match answer.kind() {
        ErrorKind::UniqueViolation | ErrorKind::ForeignKeyViolation => {
            verdict::CONFLICT.because("sqlx: constraint")
        }
        ErrorKind::NotNullViolation | ErrorKind::CheckViolation => {
            verdict::VALIDATION.because("sqlx: constraint on a value")
        }
        // SQLSTATEs have five characters; `SQLite` numbers its answers, with four digits at most.
        _ => match code.parse() {
            Ok(number) if code.len() < 5 => {
                let (verdict, reason) = sqlite::of(number);
                verdict.because(reason)
            }
            _ => walk::by_text(answer.message(), None),
        },
    }
}
