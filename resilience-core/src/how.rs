//! How a call looks at an error of the user's type, and how an answer of ours becomes one.

use std::fmt;

use crate::driver::{Attempt, Call};
use crate::outcome::{Outcome, Shape};
use crate::probe::{Look, Text};
use crate::{Classification, Error, Retry};

/// How the errors of one annotated function are looked at. Made where an attempt has ended and
/// gone before the next one.
pub struct How<'a, S: Shape> {
    classify: fn(&S::Error) -> Classification,
    text: Text<S::Error>,
    reject: Option<fn(Error) -> S::Error>,
    retry_if: Option<&'a Predicate<'a, S::Error>>,
    fails_although_ok: bool,
}

/// What `retry_if` says of an error.
type Predicate<'a, E> = dyn Fn(&E) -> bool + 'a;

impl<'a, S: Shape> How<'a, S> {
    /// For a function whose error type can carry our answers.
    #[expect(clippy::needless_pass_by_value, reason = "made where it is used")]
    #[inline]
    #[must_use]
    pub fn rejecting(_: &Call<S>, look: Look<S::Error>, reject: fn(Error) -> S::Error) -> Self {
        Self {
            classify: look.classify,
            text: look.text,
            reject: Some(reject),
            retry_if: None,
            fails_although_ok: false,
        }
    }

    /// For a function for which nothing is written that could answer instead of its body.
    #[expect(clippy::needless_pass_by_value, reason = "made where it is used")]
    #[inline]
    #[must_use]
    pub fn perhaps_rejecting(
        _: &Call<S>,
        look: Look<S::Error>,
        reject: Option<fn(Error) -> S::Error>,
    ) -> Self {
        Self {
            classify: look.classify,
            text: look.text,
            reject,
            retry_if: None,
            fails_although_ok: false,
        }
    }

    /// Lets `retry_if` say whether the error at hand is worth another attempt.
    #[inline]
    #[must_use]
    pub fn retry_if<F: Fn(&S::Error) -> bool>(how: Self, predicate: &'a F) -> Self {
        Self {
            retry_if: Some(predicate),
            ..how
        }
    }

    /// Lets `retry_if_ok` make a success a failed attempt.
    #[inline]
    #[must_use]
    pub fn retry_if_ok(
        how: Self,
        out: &Attempt<S::Result>,
        predicate: impl FnOnce(&S::Value) -> bool,
    ) -> Self {
        let value = Attempt::body(out).and_then(S::value);
        Self {
            fails_although_ok: value.is_some_and(predicate),
            ..how
        }
    }

    /// What the error is.
    #[inline]
    pub(crate) fn classify(&self, error: &S::Error) -> Classification {
        let mut classification = (self.classify)(error);
        self.decide(&mut classification, Some(error));
        classification
    }

    /// Whether `retry_if` was given.
    #[inline]
    pub(crate) fn decides(&self) -> bool {
        self.retry_if.is_some()
    }

    /// Gives `retry_if` the last word about another attempt.
    #[inline]
    pub(crate) fn decide(&self, classification: &mut Classification, error: Option<&S::Error>) {
        if let (Some(retry_if), Some(error)) = (self.retry_if, error) {
            let retry = if retry_if(error) {
                Retry::Yes
            } else {
                Retry::No
            };
            classification.set_retry(retry);
        }
    }

    /// The text of an error, with its sources.
    pub(crate) fn describe<'b>(&self, error: &'b S::Error) -> impl fmt::Display + use<'b, S> {
        Shown {
            text: self.text,
            error,
        }
    }

    /// Whether `retry_if_ok` said yes.
    #[inline]
    pub(crate) fn fails_although_ok(&self) -> bool {
        self.fails_although_ok
    }

    /// An answer of ours, as what the function returns.
    #[inline]
    pub(crate) fn reject(&self, error: Error) -> S::Result {
        match self.reject {
            Some(reject) => S::from_error(reject(error)),
            // The macros leave the bound out only where the attribute turns off everything that
            // answers, and no setting undoes that.
            None => unreachable!("nothing answers for this function, and yet: {error}"),
        }
    }
}

impl<S: Shape> Clone for How<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: Shape> Copy for How<'_, S> {}

impl<S: Shape> fmt::Debug for How<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("How")
            .field("rejects", &self.reject.is_some())
            .field("decides", &self.decides())
            .field("fails_although_ok", &self.fails_although_ok)
            .finish_non_exhaustive()
    }
}

struct Shown<'a, E> {
    text: Text<E>,
    error: &'a E,
}

impl<E> fmt::Display for Shown<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.text)(self.error, f)
    }
}

/// An error type that can carry our answers.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot carry an answer of `resilience`",
    label = "the breaker or a time limit may answer instead of the body, as an error of this type",
    note = "add `impl From<resilience::Error> for {Self}`; with thiserror that is a variant \
            `Resilience(#[from] resilience::Error)`; in generic code it is a bound: \
            `where {Self}: From<resilience::Error>`",
    note = "for a type that is not your own write `reject_with = path`, a function from \
            `resilience::Error` to `{Self}`",
    note = "or let nothing answer: `breaker = off, timeout = off`"
)]
pub trait Rejection: Sized {
    /// The answer as this type.
    fn rejection(error: Error) -> Self;
}

// Without this, the compiler would speak of the missing `From` and not of what it is for.
#[diagnostic::do_not_recommend]
impl<E: From<Error>> Rejection for E {
    fn rejection(error: Error) -> Self {
        error.into()
    }
}

/// The way from our answers to an error type that is spelt out in the signature: the one bound on
/// it.
#[inline]
pub fn reject<E: Rejection>() -> fn(Error) -> E {
    E::rejection
}

/// As [`reject`], for an error type behind an alias of the whole result.
#[inline]
pub fn reject_in<R>() -> fn(Error) -> <R::Shape as Shape>::Error
where
    R: Outcome<Shape: Shape<Error: Rejection>>,
{
    Rejection::rejection
}

/// As [`reject`], for a type parameter: the compiler then proposes the bound that is missing.
#[inline]
pub fn reject_generic<E: From<Error>>() -> fn(Error) -> E {
    E::from
}
