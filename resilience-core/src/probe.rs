//! What an error type can do, found out without a bound on it.
//!
//! The macros know no types. They make a [`Probe`] for the error type and call a method on it. The
//! method stands on each of a row of types, under a bound on the error type, and each of these
//! types dereferences to the next: the compiler takes the first one whose bound holds. In generic
//! code the bounds in scope decide. Unlike selection by traits behind more and more references,
//! this asks one question for each step, and needs no trait in scope.

#![allow(
    unreachable_pub,
    reason = "types that generated code names, or that its calls return"
)]

use std::error::Error as StdError;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use crate::classify::write_chain;
use crate::driver::Call;
use crate::outcome::Shape;
use crate::{Classification, Classify, Error, classify};

/// Where the question how to look at an error of type `E` starts.
pub type Probe<E> = ClassifyingError<E>;

/// Asks about the error type of a call.
#[inline]
pub fn probe<S: Shape>(_: &Call<S>) -> Probe<S::Error> {
    ClassifyingError(PhantomData)
}

/// Asks about the type of an error at hand.
#[inline]
pub fn probe_at<E>(_: &E) -> Probe<E> {
    ClassifyingError(PhantomData)
}

/// Asks whether the error type of a call can carry our answers.
#[inline]
pub fn carrier<S: Shape>(_: &Call<S>) -> Carrier<S::Error> {
    Carrier(PhantomData)
}

/// How errors of one type are looked at.
pub struct Look<E> {
    /// How to classify one.
    pub classify: fn(&E) -> Classification,
    /// How to write one down for people who know the program.
    pub text: Text<E>,
    /// How to say one in plain words.
    pub user: fn(&E) -> Option<String>,
}

/// Writes an error down for people who know the program.
pub type Text<E> = fn(&E, &mut fmt::Formatter<'_>) -> fmt::Result;

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

/// A type in a row, with what it answers where its bound holds, and the type to ask otherwise.
macro_rules! step {
    (
        $(#[$attr:meta])*
        $name:ident<E: $bound:path $(, + $more:path)?> $(else $next:ident)?:
        $(#[$method_attr:meta])*
        fn $method:ident() -> $answer:ty { $value:expr }
    ) => {
        $(#[$attr])*
        pub struct $name<E>(PhantomData<fn(&E)>);

        impl<E: $bound $(+ $more)?> $name<E> {
            $(#[$method_attr])*
            #[allow(clippy::unnecessary_wraps, reason = "one signature along the row")]
            #[inline]
            pub fn $method(&self) -> $answer {
                $value
            }
        }

        $(impl<E> Deref for $name<E> {
            type Target = $next<E>;

            #[inline]
            fn deref(&self) -> &$next<E> {
                &$next(PhantomData)
            }
        })?

        impl<E> fmt::Debug for $name<E> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

macro_rules! boxed_look {
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

macro_rules! looks {
    ($(
        $doc:literal $name:ident<E: $bound:path $(, + $more:path)?> $(else $next:ident)?: $look:expr;
    )*) => {$(
        step! {
            #[doc = $doc]
            $name<E: $bound $(, + $more)?> $(else $next)?:
            /// How to look at it.
            fn __resilience_look() -> Look<E> { $look }
        }
    )*};
}

looks! {
    "A standard error that classifies itself."
    ClassifyingError<E: Classify, + StdError> else ClassifyingText:
        Look { classify: E::classify, text: error_text::<E>, user: E::user_message };
    "Something with a text that classifies itself."
    ClassifyingText<E: Classify, + fmt::Display> else Classifying:
        Look { classify: E::classify, text: display_text::<E>, user: E::user_message };
    "Something that classifies itself."
    Classifying<E: Classify> else Standard:
        Look { classify: E::classify, text: type_name_text::<E>, user: E::user_message };
    "A standard error, perhaps one that borrows."
    Standard<E: StdError> else Boxed:
        Look { classify: classify::outer::<E>, text: error_text::<E>, user: no_user };
    "A box of some standard error."
    Boxed<E: AsRef<dyn StdError>> else BoxedSend:
        boxed_look!(dyn StdError);
    "The same, `Send`."
    BoxedSend<E: AsRef<dyn StdError + Send>> else BoxedSendSync:
        boxed_look!(dyn StdError + Send);
    "The same, `Send` and `Sync`: `anyhow::Error`."
    BoxedSendSync<E: AsRef<dyn StdError + Send + Sync>> else Textual:
        boxed_look!(dyn StdError + Send + Sync);
    "Something with a text."
    Textual<E: fmt::Display> else Opaque:
        Look { classify: classify::display::<E>, text: display_text::<E>, user: no_user };
    "Something of which nothing is known."
    Opaque<E: Sized>:
        Look { classify: |_| Classification::unknown(), text: type_name_text::<E>, user: no_user };
}

step! {
    /// Where the question starts whether an error type can carry our answers.
    Carrier<E: From<Error>> else NoCarrier:
    /// How it does.
    fn __resilience_reject() -> Option<fn(Error) -> E> { Some(E::from) }
}

step! {
    /// One that cannot.
    NoCarrier<E: Sized>:
    /// Not at all.
    fn __resilience_reject() -> Option<fn(Error) -> E> { None }
}

/// Where the question starts whether a type can be found behind a `dyn Error`.
pub struct Finder<E>(PhantomData<fn(&E)>);

impl<E> Finder<E> {
    /// For a type by its name.
    #[inline]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<E: StdError + Classify + 'static> Finder<E> {
    /// The error as that type.
    pub fn __resilience_find<'a>(
        &self,
        error: &'a (dyn StdError + 'static),
    ) -> Option<&'a dyn Classify> {
        error
            .downcast_ref::<E>()
            .map(|error| error as &dyn Classify)
    }
}

impl<E> Deref for Finder<E> {
    type Target = Unfindable;

    fn deref(&self) -> &Unfindable {
        &Unfindable
    }
}

impl<E> Default for Finder<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E> fmt::Debug for Finder<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Finder")
    }
}

/// A type that is no standard error.
#[derive(Debug)]
pub struct Unfindable;

impl Unfindable {
    /// Nothing.
    #[expect(
        clippy::unused_self,
        reason = "called as its neighbours in the row are"
    )]
    pub fn __resilience_find<'a>(
        &self,
        _: &'a (dyn StdError + 'static),
    ) -> Option<&'a dyn Classify> {
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

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::Category;

    /// What is said of an error of this type, and how it is written down.
    macro_rules! look {
        ($error:expr) => {{
            let error = $error;
            let look = probe_at(&error).__resilience_look();
            let shown = Shown(look.text, &error).to_string();
            ((look.classify)(&error).category(), shown)
        }};
    }

    struct Shown<'a, E>(Text<E>, &'a E);

    impl<E> fmt::Display for Shown<'_, E> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            (self.0)(self.1, f)
        }
    }

    /// Implements what its parameter says, with a text that would be `network`.
    #[derive(Debug)]
    struct Says<K>(K);

    impl<K> fmt::Display for Says<K> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("connection refused")
        }
    }

    #[derive(Debug)]
    struct Own;

    impl StdError for Says<Own> {}

    impl Classify for Says<Own> {
        fn classify(&self) -> Classification {
            Classification::new(Category::MEMORY)
        }
    }

    struct Silent;

    impl Classify for Silent {
        fn classify(&self) -> Classification {
            Classification::new(Category::AUTH)
        }
    }

    /// A standard error that borrows.
    #[derive(Debug)]
    struct Borrows<'a>(&'a str);

    impl fmt::Display for Borrows<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl StdError for Borrows<'_> {}

    struct Nothing;

    #[test]
    fn the_most_telling_way_is_taken() {
        let refused = "connection refused".to_owned();
        assert_eq!(look!(Says(Own)), (Category::MEMORY, refused.clone()));
        assert_eq!(look!(Silent).0, Category::AUTH);
        assert_eq!(
            look!(Borrows(&refused)),
            (Category::NETWORK, refused.clone())
        );
        let boxed: Box<dyn StdError> = Box::new(Says(Own));
        assert_eq!(look!(boxed).1, refused);
        let boxed: Box<dyn StdError + Send> = Box::new(io::Error::other("x"));
        assert_eq!(look!(boxed).1, "x");
        let boxed: Box<dyn StdError + Send + Sync> = refused.clone().into();
        assert_eq!(look!(boxed), (Category::NETWORK, refused.clone()));
        assert_eq!(look!(refused.clone()), (Category::NETWORK, refused));
        let (category, text) = look!(Nothing);
        assert_eq!(category, Category::UNKNOWN);
        assert!(text.ends_with("Nothing"), "{text}");
    }

    #[test]
    fn in_generic_code_the_bounds_in_scope_decide() {
        fn bare<E>(error: E) -> Category {
            look!(error).0
        }
        fn bound<E: Classify>(error: E) -> Category {
            look!(error).0
        }
        assert_eq!(bare(Says(Own)), Category::UNKNOWN);
        assert_eq!(bound(Says(Own)), Category::MEMORY);
    }

    #[test]
    fn what_can_carry_our_answers_is_found_out() {
        assert!(
            Carrier::<io::Error>(PhantomData)
                .__resilience_reject()
                .is_some()
        );
        assert!(Carrier::<u8>(PhantomData).__resilience_reject().is_none());
    }
}
