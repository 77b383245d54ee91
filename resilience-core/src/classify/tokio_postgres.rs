//! `tokio_postgres::Error`, by SQLSTATE.

use std::error::Error as _;

use tokio_postgres::Error;

use super::text::verdict;
use super::{Classify, sql, walk};
use crate::Classification;

/// The cause inside, where it is of a known type, says more than these; see the walk.
impl Classify for Error {
    fn classify(&self) -> Classification {
        walk::typed(self).unwrap_or_else(|| itself(self))
    }
}

/// What the error says apart from its sources.
pub(super) fn itself(error: &Error) -> Classification {
    if let Some(answer) = error.as_db_error() {
        return sql::of_state(answer.code().code(), answer.message())
            .unwrap_or_else(|| walk::by_text(answer.message(), None));
    }
    if error.is_closed() {
        return verdict::NETWORK.because("postgres: connection closed");
    }
    walk::by_text(error, error.source())
}
