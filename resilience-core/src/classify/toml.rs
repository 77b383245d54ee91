//! `toml`'s errors.

use super::Classify;
use super::text::verdict;
use crate::Classification;

impl Classify for toml::de::Error {
    fn classify(&self) -> Classification {
        verdict::VALIDATION.because("toml: not the expected TOML")
    }
}

#[cfg(feature = "serde")]
impl Classify for toml::ser::Error {
    fn classify(&self) -> Classification {
        verdict::VALIDATION.because("toml: cannot be written as TOML")
    }
}
