//! `serde_json::Error`.

use super::text::verdict;
use super::{Classify, io};
use crate::Classification;

impl Classify for serde_json::Error {
    fn classify(&self) -> Classification {
        // Reading the document failed, not the document.
        if let Some((verdict, reason)) = self.io_error_kind().and_then(io::of_kind) {
            return verdict.because(reason);
        }
        verdict::VALIDATION.because("serde_json: not the expected JSON")
    }
}
