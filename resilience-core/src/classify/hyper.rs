//! `hyper::Error`.

use std::error::Error as _;

use hyper::Error;

use super::text::verdict;
use super::{Classify, walk};
use crate::Classification;

/// The cause inside, where it is of a known type, says more than these; see the walk.
impl Classify for Error {
    fn classify(&self) -> Classification {
        walk::typed(self).unwrap_or_else(|| itself(self))
    }
}

/// What the error says apart from its sources.
pub(super) fn itself(error: &Error) -> Classification {
    if error.is_timeout() {
        return verdict::TIMEOUT.because("hyper: timed out");
    }
    // The connection was gone before the request was written.
    if error.is_canceled() {
        return verdict::UNREACHED.because("hyper: the request was never sent");
    }
    if error.is_parse() {
        return verdict::VALIDATION.because("hyper: not HTTP");
    }
    // A body that failed by itself, a service that failed.
    if error.is_user() {
        return error.source().map_or_else(
            || verdict::VALIDATION.because("hyper: wrong use"),
            |source| walk::by_text(&source, source.source()),
        );
    }
    verdict::NETWORK.because("hyper: the exchange broke off")
}
