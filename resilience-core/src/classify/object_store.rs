//! `object_store::Error`.

use std::error::Error as _;

use object_store::Error;

use super::text::verdict;
use super::{Classify, walk};
use crate::{Classification, Retry};

impl Classify for Error {
    fn classify(&self) -> Classification {
        walk::typed(self).unwrap_or_else(|| itself(self))
    }
}

/// Whether the store has placed its cause; `Generic` leaves that to who reads it.
pub(super) fn knows_its_cause(error: &Error) -> bool {
    !matches!(error, Error::Generic { .. })
}

/// What the error says apart from its sources.
pub(super) fn itself(error: &Error) -> Classification {
    match error {
        Error::NotFound { .. } => verdict::NOT_FOUND.because("object store: not found"),
        Error::AlreadyExists { .. } => verdict::CONFLICT.because("object store: already exists"),
        Error::Precondition { .. } => verdict::CONFLICT.because("object store: precondition"),
        Error::NotModified { .. } => verdict::CONFLICT.because("object store: not modified"),
        Error::PermissionDenied { .. } => verdict::AUTH.because("object store: permission denied"),
        Error::Unauthenticated { .. } => verdict::AUTH.because("object store: unauthenticated"),
        Error::NotSupported { .. }
        | Error::NotImplemented { .. }
        | Error::InvalidPath { .. }
        | Error::UnknownConfigurationKey { .. } => {
            verdict::VALIDATION.because("object store: the request cannot be done")
        }
        Error::Generic { source, .. } => {
            let found = walk::by_text(source, source.source());
            if walk::says_something(&found) {
                return found;
            }
            verdict::SERVICE
                .retry(Retry::Unsure)
                .because("object store: failed")
        }
        other => walk::by_text(other, other.source()),
    }
}
