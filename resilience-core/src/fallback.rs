//! What runs when a call would fail.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::{Category, Classification};

/// A failure that `fallback(.., on(..))` names.
#[derive(Clone, Copy, Debug)]
pub enum On {
    /// Errors of a category, and rejections of it.
    Category(Category),
    /// Rejections of a kind, by its name.
    Kind(&'static str),
}

impl On {
    /// Whether this names the failure, which the site takes for one of the category `adopted`.
    pub(crate) fn names(self, failure: &Classification, adopted: Category) -> bool {
        match self {
            Self::Category(category) => {
                category == adopted || (failure.is_rejection() && category == failure.category())
            }
            Self::Kind(kind) => failure.is_rejection() && failure.error_type() == Some(kind),
        }
    }
}

/// What a fallback returns: the function's own result, or a future of it. `W` tells the two
/// apart, and is inferred.
#[diagnostic::on_unimplemented(
    message = "a fallback returns what the function returns, or a future of it",
    label = "this is `{Self}`",
    note = "the function returns `{R}`"
)]
pub trait Answer<R, W: When>: Sized {
    /// The result, or what is to be waited for.
    fn answer(self) -> AnswerOf<R, W, Self>;
}

/// What [`Answer::answer`] gives for a fallback that returned an `A`.
pub type AnswerOf<R, W, A> = Answered<R, Waited<R, <W as When>::Later<A>>>;

/// When the result is there: [`Now`] or [`Later`].
pub trait When {
    /// What is to be waited for, given what the fallback returned.
    type Later<A>;
}

/// What a fallback returned.
#[derive(Debug)]
pub enum Answered<R, F> {
    /// The result.
    Now(R),
    /// A future of it.
    Later(F),
}

/// The result is there.
#[derive(Debug)]
pub struct Now;

/// The result has to be waited for.
#[derive(Debug)]
pub struct Later;

impl When for Now {
    /// Nothing, and so `Send` whatever the result is.
    type Later<A> = Infallible;
}

impl When for Later {
    type Later<A> = A;
}

impl<R> Answer<R, Now> for R {
    #[inline]
    fn answer(self) -> Answered<R, Waited<R, Infallible>> {
        Answered::Now(self)
    }
}

// Without this, the compiler would speak of the missing `Future` and not of what it is for.
#[diagnostic::do_not_recommend]
impl<R, F: Future<Output = R>> Answer<R, Later> for F {
    #[inline]
    fn answer(self) -> Answered<R, Waited<R, F>> {
        Answered::Later(Waited {
            later: self,
            poll: F::poll,
        })
    }
}

pin_project! {
    /// The future of a fallback. It asks for no bound: where there is something wrong with that, the
    /// compiler has said so already.
    #[must_use = "futures do nothing unless polled"]
    pub struct Waited<R, F> {
        #[pin]
        later: F,
        poll: fn(Pin<&mut F>, &mut Context<'_>) -> Poll<R>,
    }
}

impl<R, F> Future for Waited<R, F> {
    type Output = R;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let this = self.project();
        (this.poll)(this.later, cx)
    }
}

impl<R, F> fmt::Debug for Waited<R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waited")
    }
}
