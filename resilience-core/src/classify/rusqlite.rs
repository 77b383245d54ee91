//! `rusqlite::Error`.

use rusqlite::Error;

use super::text::verdict;
use super::{Classify, sqlite};
use crate::Classification;

impl Classify for Error {
    fn classify(&self) -> Classification {
        match self {
            Self::SqliteFailure(failure, _) => {
                let (verdict, reason) = sqlite::of(failure.extended_code);
                verdict.because(reason)
            }
            Self::QueryReturnedNoRows => verdict::NOT_FOUND.because("sqlite: no rows"),
            Self::Utf8Error(..) => verdict::ENCODING.because("sqlite: text is not UTF-8"),
            // Wrong SQL, a wrong column or a wrong type: it stays wrong.
            _ => verdict::VALIDATION.because("sqlite: wrong statement or type"),
        }
    }
}
