//! What an error type can do, found out without a bound on it.
//!
//! The macros know no types. They write down a [`Probe`] for the error type behind nine
//! references and call a method on it. The compiler looks for the method behind fewer and fewer
//! of them, so the impl behind the most references that fits is the one that is taken; in generic
//! code the bounds in scope decide. The traits' methods bear one name for each question, and the
//! traits are imported where only generated code stands.

#![allow(
    unreachable_pub,
    reason = "the types of what the traits' methods return"
)]

use std::error::Error as StdError;
use std::fmt;
use std::marker::PhantomData;

use crate::classify::write_chain;
use crate::driver::Call;
use crate::outcome::Shape;
use crate::{Classification, Classify, Error, classify};

/// Writes an error down for people who know the program.
pub type Text<E> = fn(&E, &mut fmt::Formatter<'_>) -> fmt::Result;

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

macro_rules! as_ref_look {
    ($error:ty) => {
        Look {
            classify: |error| {
                let error: &$error = error.as_ref();
                classify::error(error)
            },
            text: |error, f| {
                let error: &$error = error.as_ref();
                write_chain(error, error.source(), f)
            },
            user: no_user,
        }
    };
}

/// How errors of one type are looked at.
pub struct Look<E> {
    /// How to classify one.
    pub classify: fn(&E) -> Classification,
    /// How to write one down.
    pub text: Text<E>,
    /// How to say one in plain words.
    pub user: fn(&E) -> Option<String>,
}

impl<E> Look<E> {
    /// The same, classified by another function: `classify = path`.
    #[must_use]
    pub fn by(self, classify: fn(&E) -> Classification) -> Self {
        Self { classify, ..self }
    }
}

impl<E> fmt::Debug for Look<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Look")
    }
}

macro_rules! looks {
    ($($name:ident for $probe:ty, [$($bound:tt)*]: $doc:literal, $look:expr;)*) => {$(
        #[doc = $doc]
        pub trait $name<E> {
            /// How to look at it.
            fn __resilience_look(&self) -> Look<E>;
        }

        impl<E: $($bound)*> $name<E> for $probe {
            #[inline]
            fn __resilience_look(&self) -> Look<E> {
                $look
            }
        }
    )*};
}

looks! {
    ByClassifyError for &&&&&&&&Probe<E>, [Classify + StdError]:
        "A standard error that classifies itself.",
        Look { classify: E::classify, text: error_text::<E>, user: E::user_message };
    ByClassifyDisplay for &&&&&&&Probe<E>, [Classify + fmt::Display]:
        "Something with a text that classifies itself.",
        Look { classify: E::classify, text: display_text::<E>, user: E::user_message };
    ByClassify for &&&&&&Probe<E>, [Classify]:
        "Something that classifies itself.",
        Look { classify: E::classify, text: type_name_text::<E>, user: E::user_message };
    ByError for &&&&&Probe<E>, [StdError]:
        "A standard error, perhaps one that borrows.",
        Look { classify: classify::outer::<E>, text: error_text::<E>, user: no_user };
    ByAsRef for &&&&Probe<E>, [AsRef<dyn StdError>]:
        "A box of some standard error.",
        as_ref_look!(dyn StdError);
    ByAsRefSend for &&&Probe<E>, [AsRef<dyn StdError + Send>]:
        "The same, `Send`.",
        as_ref_look!(dyn StdError + Send);
    ByAsRefSendSync for &&Probe<E>, [AsRef<dyn StdError + Send + Sync>]:
        "The same, `Send` and `Sync`: `anyhow::Error`.",
        as_ref_look!(dyn StdError + Send + Sync);
    ByDisplay for &Probe<E>, [fmt::Display]:
        "Something with a text.",
        Look { classify: classify::display::<E>, text: display_text::<E>, user: no_user };
    ByNothing for Probe<E>, [Sized]:
        "Something of which nothing is known.",
        Look { classify: |_| Classification::unknown(), text: type_name_text::<E>, user: no_user };
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
    fn __resilience_find<'a>(&self, _: &'a (dyn StdError + 'static)) -> Option<&'a dyn Classify> {
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

fn error_text<E: StdError>(error: &E, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write_chain(error, error.source(), f)
}

fn no_user<E>(_: &E) -> Option<String> {
    None
}

fn display_text<E: fmt::Display>(error: &E, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{error}")
}

fn type_name_text<E>(_: &E, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(std::any::type_name::<E>())
}
