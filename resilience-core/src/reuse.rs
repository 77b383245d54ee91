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

/// A value of which the body and the fallback can have their own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be handed to the body and to the fallback",
    label = "this argument is given to both, so it must be `Clone`",
    note = "borrow it, or make it `Clone`"
)]
pub trait Keep: Sized {
    /// The value for one of them.
    #[must_use]
    fn keep(&self) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Clone> Keep for T {
    #[inline]
    fn keep(&self) -> Self {
        self.clone()
    }
}

/// The value for the body, of a function with a fallback.
#[inline]
pub fn keep<T: Keep>(value: &T) -> T {
    value.keep()
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
