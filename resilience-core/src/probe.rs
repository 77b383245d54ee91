//! What an error type can do, found out without a bound on it.
//!
//! The macros know no types. They write down a [`Probe`] for the error type behind seven
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

/// How to classify an error.
pub type Ask<E> = fn(&E) -> Classification;

/// How to say an error in plain words.
pub type AskUser<E> = fn(&E) -> Option<String>;

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
        |error, f| write_chain(error, error.source(), f)
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
                    write_chain(error, error.source(), f)
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

fn display_text<E: fmt::Display>(error: &E, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{error}")
}

fn type_name_text<E>(_: &E, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(std::any::type_name::<E>())
}
