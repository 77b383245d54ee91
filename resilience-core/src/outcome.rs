//! What an annotated function returns.

use std::fmt;
use std::marker::PhantomData;

/// What an annotated function returns: a `Result`.
///
/// Only the start of a call asks for it. Everything behind speaks of the [`Shape`], which the
/// compiler does not know for any other type: having reported that type, it says no more.
#[diagnostic::on_unimplemented(
    message = "an attribute of `resilience` needs a function that returns `Result<_, _>`, found \
               `{Self}`",
    label = "not a `Result`"
)]
pub trait Outcome: Sized {
    /// What is in it.
    type Shape: Shape<Result = Self>;
}

impl<T, E> Outcome for Result<T, E> {
    type Shape = ResultOf<T, E>;
}

/// A value of any type, where none is ever asked for: it says which type an attempt returns.
pub fn never<R>() -> R {
    unreachable!("it is called behind `if false`")
}

/// What is in a `Result`, as a type that is never a value.
pub trait Shape: sealed::Sealed {
    /// The `Result`.
    type Result;
    /// What an `Ok` holds.
    type Value;
    /// What an `Err` holds.
    type Error;

    /// The value, if it is one.
    fn value(result: &Self::Result) -> Option<&Self::Value>;

    /// The error, if it is one.
    fn error(result: &Self::Result) -> Option<&Self::Error>;

    /// A failure.
    fn from_error(error: Self::Error) -> Self::Result;
}

/// The shape of `Result<T, E>`.
pub struct ResultOf<T, E>(PhantomData<fn() -> Result<T, E>>);

impl<T, E> Shape for ResultOf<T, E> {
    type Result = Result<T, E>;
    type Value = T;
    type Error = E;

    #[inline]
    fn value(result: &Result<T, E>) -> Option<&T> {
        result.as_ref().ok()
    }

    #[inline]
    fn error(result: &Result<T, E>) -> Option<&E> {
        result.as_ref().err()
    }

    #[inline]
    fn from_error(error: E) -> Result<T, E> {
        Err(error)
    }
}

impl<T, E> fmt::Debug for ResultOf<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResultOf")
    }
}

mod sealed {
    pub trait Sealed {}

    impl<T, E> Sealed for super::ResultOf<T, E> {}
}
