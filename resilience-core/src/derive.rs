//! What the expansion of `#[derive(Classify)]` calls.

use std::time::Duration;

use crate::Classification;

/// A time that the other side asked to wait, perhaps.
#[diagnostic::on_unimplemented(
    message = "`retry_after` is a `Duration` or an `Option<Duration>`, found `{Self}`",
    label = "not a `Duration`"
)]
pub trait RetryAfter {
    /// The time.
    fn retry_after(self) -> Option<Duration>;
}

impl RetryAfter for Duration {
    fn retry_after(self) -> Option<Duration> {
        Some(self)
    }
}

impl RetryAfter for Option<Duration> {
    fn retry_after(self) -> Option<Duration> {
        self
    }
}

/// A classification with what a field or an expression says about waiting: for the derive.
#[must_use]
pub fn retry_after(classification: Classification, after: impl RetryAfter) -> Classification {
    match after.retry_after() {
        Some(after) => classification.with_retry_after(after),
        None => classification,
    }
}
