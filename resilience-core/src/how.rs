//! How a call looks at an error of the user's type, and how an answer of ours becomes one.
//!
//! The macros know no types. They write down a [`Probe`] for the error type behind seven
//! references and call a method on it. The compiler looks for the method behind fewer and fewer
//! of them, so the impl behind the most references that fits is the one that is taken: without a
//! bound on the user's type, and in generic code by the bounds in scope.

use std::error::Error as StdError;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use crate::driver::{Attempt, Call};
use crate::fields::bounded;
use crate::outcome::{Outcome, Shape};
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

/// Writes an error down for people who know the program.
#[allow(
    unreachable_pub,
    reason = "part of the traits that generated code imports"
)]
pub type Text<E> = fn(&E, &mut fmt::Formatter<'_>) -> fmt::Result;

impl<'a, S: Shape> How<'a, S> {
    /// For a function whose error type can carry our answers.
    #[inline]
    #[must_use]
    pub fn rejecting(
        _: &Call<S>,
        classify: fn(&S::Error) -> Classification,
        text: Text<S::Error>,
        reject: fn(Error) -> S::Error,
    ) -> Self {
        Self {
            classify,
            text,
            reject: Some(reject),
            retry_if: None,
            fails_although_ok: false,
        }
    }

    /// For a function for which nothing is written that could answer instead of its body.
    #[inline]
    #[must_use]
    pub fn perhaps_rejecting(
        _: &Call<S>,
        classify: fn(&S::Error) -> Classification,
        text: Text<S::Error>,
        reject: Option<fn(Error) -> S::Error>,
    ) -> Self {
        Self {
            classify,
            text,
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
        self.decide((self.classify)(error), Some(error))
    }

    /// Whether `retry_if` was given.
    #[inline]
    pub(crate) fn decides(&self) -> bool {
        self.retry_if.is_some()
    }

    /// Gives `retry_if` the last word about another attempt.
    #[inline]
    pub(crate) fn decide(
        &self,
        classification: Classification,
        error: Option<&S::Error>,
    ) -> Classification {
        match (self.retry_if, error) {
            (Some(retry_if), Some(error)) if retry_if(error) => {
                classification.with_retry(Retry::Yes)
            }
            (Some(_), Some(_)) => classification.with_retry(Retry::No),
            _ => classification,
        }
    }

    /// The text of an error, with its sources, of bounded length.
    pub(crate) fn describe(&self, error: &S::Error) -> String {
        bounded(format_args!(
            "{}",
            Shown {
                text: self.text,
                error
            }
        ))
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

/// Stands for an error type while the compiler looks for what can be done with it.
pub struct Probe<E>(PhantomData<fn(&E)>);

impl<E> Probe<E> {
    /// For the error type of `call`.
    #[inline]
    pub fn of<S: Shape<Error = E>>(_: &Call<S>) -> Self {
        Self(PhantomData)
    }

    /// For the type of `error`.
    #[inline]
    pub fn at(_: &E) -> Self {
        Self(PhantomData)
    }

    /// For a type by its name.
    #[inline]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<E> Default for Probe<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E> fmt::Debug for Probe<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probe")
    }
}

/// What can be asked of a [`Probe`], from the most telling down. Their methods bear one name for
/// each question, and the traits are imported where only generated code stands.
pub mod probe {
    use super::{
        Classification, Error, Probe, StdError, Text, chain, display_text, fmt, type_name_text,
    };
    use crate::{Classify, classify};

    type Ask<E> = fn(&E) -> Classification;

    type AskUser<E> = fn(&E) -> Option<String>;

    /// An error that classifies itself.
    pub trait ByClassify<E> {
        /// How to classify it.
        fn __resilience_classify(&self) -> Ask<E>;
        /// How to say it in plain words.
        fn __resilience_user(&self) -> AskUser<E>;
    }

    impl<E: Classify> ByClassify<E> for &&&&&&Probe<E> {
        fn __resilience_classify(&self) -> Ask<E> {
            E::classify
        }

        fn __resilience_user(&self) -> AskUser<E> {
            E::user_message
        }
    }

    /// A standard error, perhaps one that borrows.
    pub trait ByError<E> {
        /// How to classify it.
        fn __resilience_classify(&self) -> Ask<E>;
        /// How to write it down.
        fn __resilience_text(&self) -> Text<E>;
    }

    impl<E: StdError> ByError<E> for &&&&&Probe<E> {
        fn __resilience_classify(&self) -> Ask<E> {
            classify::outer::<E>
        }

        fn __resilience_text(&self) -> Text<E> {
            |error, f| {
                write!(f, "{error}")?;
                chain(&error.to_string(), error.source(), f)
            }
        }
    }

    macro_rules! by_as_ref {
        ($($name:ident for $probe:ty, $error:ty, $doc:literal;)*) => {$(
            #[doc = $doc]
            pub trait $name<E> {
                /// How to classify it.
                fn __resilience_classify(&self) -> Ask<E>;
                /// How to write it down.
                fn __resilience_text(&self) -> Text<E>;
            }

            impl<E: AsRef<$error>> $name<E> for $probe {
                fn __resilience_classify(&self) -> Ask<E> {
                    |error| {
                        let error: &$error = error.as_ref();
                        classify::error(error)
                    }
                }

                fn __resilience_text(&self) -> Text<E> {
                    |error, f| {
                        let error: &$error = error.as_ref();
                        write!(f, "{error}")?;
                        chain(&error.to_string(), error.source(), f)
                    }
                }
            }
        )*};
    }

    by_as_ref! {
        ByAsRef for &&&&Probe<E>, dyn StdError, "A box of some standard error.";
        ByAsRefSend for &&&Probe<E>, dyn StdError + Send, "The same, `Send`.";
        ByAsRefSendSync for &&Probe<E>, dyn StdError + Send + Sync,
            "The same, `Send` and `Sync`: `anyhow::Error`.";
    }

    /// Something with a text.
    pub trait ByDisplay<E> {
        /// How to classify it.
        fn __resilience_classify(&self) -> Ask<E>;
        /// How to write it down.
        fn __resilience_text(&self) -> Text<E>;
    }

    impl<E: fmt::Display> ByDisplay<E> for &Probe<E> {
        fn __resilience_classify(&self) -> Ask<E> {
            classify::display::<E>
        }

        fn __resilience_text(&self) -> Text<E> {
            display_text::<E>
        }
    }

    /// Something of which nothing is known.
    pub trait ByNothing<E> {
        /// How to classify it.
        fn __resilience_classify(&self) -> Ask<E>;
        /// How to say it in plain words.
        fn __resilience_user(&self) -> AskUser<E>;
        /// How to write it down.
        fn __resilience_text(&self) -> Text<E>;
    }

    impl<E> ByNothing<E> for Probe<E> {
        fn __resilience_classify(&self) -> Ask<E> {
            |_| Classification::unknown()
        }

        fn __resilience_user(&self) -> AskUser<E> {
            |_| None
        }

        fn __resilience_text(&self) -> Text<E> {
            type_name_text::<E>
        }
    }

    /// A standard error that can be found behind a `dyn Error`.
    pub trait Found<E> {
        /// The error as its own type.
        fn __resilience_find<'a>(
            &self,
            error: &'a (dyn StdError + 'static),
        ) -> Option<&'a dyn Classify>;
    }

    impl<E: StdError + Classify + 'static> Found<E> for &Probe<E> {
        fn __resilience_find<'a>(
            &self,
            error: &'a (dyn StdError + 'static),
        ) -> Option<&'a dyn Classify> {
            error
                .downcast_ref::<E>()
                .map(|error| error as &dyn Classify)
        }
    }

    /// Something that cannot.
    pub trait NotFound<E> {
        /// Nothing.
        fn __resilience_find<'a>(
            &self,
            error: &'a (dyn StdError + 'static),
        ) -> Option<&'a dyn Classify>;
    }

    impl<E> NotFound<E> for Probe<E> {
        fn __resilience_find<'a>(
            &self,
            _: &'a (dyn StdError + 'static),
        ) -> Option<&'a dyn Classify> {
            None
        }
    }

    /// An error type that can carry our answers.
    pub trait Carries<E> {
        /// How it does.
        fn __resilience_reject(&self) -> Option<fn(Error) -> E>;
    }

    impl<E: From<Error>> Carries<E> for &Probe<E> {
        fn __resilience_reject(&self) -> Option<fn(Error) -> E> {
            Some(E::from)
        }
    }

    /// One that cannot.
    pub trait CarriesNot<E> {
        /// Not at all.
        fn __resilience_reject(&self) -> Option<fn(Error) -> E>;
    }

    impl<E> CarriesNot<E> for Probe<E> {
        fn __resilience_reject(&self) -> Option<fn(Error) -> E> {
            None
        }
    }
}

/// The sources of an error whose own text is `above`. Many errors end their text with that of
/// their source; it is written once.
fn chain(
    above: &str,
    mut source: Option<&(dyn StdError + 'static)>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let mut above = above.to_owned();
    // A chain that never ends is a mistake of its author's, not of whoever reports it.
    for _ in 0..LONGEST_CHAIN {
        let Some(error) = source else { break };
        let text = error.to_string();
        if !above.ends_with(&text) {
            write!(f, ": {text}")?;
        }
        above = text;
        source = error.source();
    }
    Ok(())
}

const LONGEST_CHAIN: usize = 64;

fn display_text<E: fmt::Display>(error: &E, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{error}")
}

fn type_name_text<E>(_: &E, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(std::any::type_name::<E>())
}
