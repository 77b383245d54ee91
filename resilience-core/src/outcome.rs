//! What an annotated function returns.

/// What an annotated function returns: a `Result`.
#[diagnostic::on_unimplemented(
    message = "an attribute of `resilience` needs a function that returns `Result<_, _>`, found \
               `{Self}`",
    label = "not a `Result`"
)]
pub trait Outcome: sealed::Sealed + Sized {
    /// What an `Ok` holds.
    type Value;
    /// What an `Err` holds.
    type Error;

    /// The value, if this is one.
    fn value(&self) -> Option<&Self::Value>;

    /// The error, if this is one.
    fn error(&self) -> Option<&Self::Error>;

    /// A failure.
    fn from_error(error: Self::Error) -> Self;
}

impl<T, E> Outcome for Result<T, E> {
    type Value = T;
    type Error = E;

    #[inline]
    fn value(&self) -> Option<&T> {
        self.as_ref().ok()
    }

    #[inline]
    fn error(&self) -> Option<&E> {
        self.as_ref().err()
    }

    #[inline]
    fn from_error(error: E) -> Self {
        Err(error)
    }
}

mod sealed {
    pub trait Sealed {}

    impl<T, E> Sealed for Result<T, E> {}
}
