//! Arguments that every attempt gets anew.

/// A value of which every attempt can have its own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be handed to a second attempt",
    label = "this argument is given to every attempt, so it must be `Clone`",
    note = "borrow it, make it `Clone`, or set `retries = 0`, which moves it into the only attempt"
)]
pub trait Reuse: Sized {
    /// The value for one attempt.
    #[must_use]
    fn reuse(&self) -> Self;
}

// Without this, the compiler would speak of the missing `Clone` and not of what it is for.
#[diagnostic::do_not_recommend]
impl<T: Clone> Reuse for T {
    #[inline]
    fn reuse(&self) -> Self {
        self.clone()
    }
}

/// The value for one attempt.
#[inline]
pub fn reuse<T: Reuse>(value: &T) -> T {
    value.reuse()
}

/// As [`reuse`], for a type parameter: the compiler then proposes the bound that is missing.
#[inline]
pub fn reuse_generic<T: Clone>(value: &T) -> T {
    value.clone()
}
