//! `reqwest::Error`.

use std::error::Error as _;

use super::text::status;
use super::text::verdict;
use super::{Classify, walk};
use crate::Classification;

/// The cause inside, where it is of a known type, says more than these; see the walk.
impl Classify for reqwest::Error {
    fn classify(&self) -> Classification {
        walk::typed(self).unwrap_or_else(|| itself(self))
    }
}

/// What the error says apart from its sources.
pub(super) fn itself(error: &reqwest::Error) -> Classification {
    if let Some(status) = error
        .status()
        .and_then(|status| status::of(status.as_u16()))
    {
        return status.verdict.because(status.reason);
    }
    if error.is_timeout() {
        return verdict::TIMEOUT.because("reqwest: timed out");
    }
    if error.is_builder() {
        return verdict::VALIDATION.because("reqwest: the request cannot be built");
    }
    if error.is_redirect() {
        return verdict::SERVICE_FINAL.because("reqwest: redirected in circles");
    }
    // Certificates and protocols are told apart by their text alone: the types are those of
    // whichever TLS library was chosen.
    if let Some(source) = error.source() {
        let cause = walk::by_text(&source, source.source());
        if walk::says_something(&cause) {
            return cause;
        }
    }
    if error.is_connect() {
        return verdict::UNREACHED.because("reqwest: could not connect");
    }
    if error.is_decode() {
        return verdict::VALIDATION.because("reqwest: the answer is not what was expected");
    }
    verdict::NETWORK.because("reqwest: the exchange broke off")
}
