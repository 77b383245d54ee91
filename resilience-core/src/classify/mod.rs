//! From an error to its [`Classification`]: typed first, text last.

use crate::Classification;

/// An error that knows what kind of failure it is.
pub trait Classify {
    /// What this failure is.
    fn classify(&self) -> Classification;

    /// A text for people who do not know the code: true, without internals. `None` leaves it to
    /// the category.
    fn user_message(&self) -> Option<String> {
        None
    }
}
