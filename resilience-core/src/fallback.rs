//! What runs when a call would fail.

use std::fmt;
use std::future::{Future, Ready, ready};
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

/// What a fallback returns: the function's own result, or a future of it. `When` tells the two
/// apart, and is inferred.
#[diagnostic::on_unimplemented(
    message = "a fallback returns what the function returns, or a future of it",
    label = "this is `{Self}`",
    note = "the function returns `{R}`"
)]
pub trait Answer<R, When> {
    /// A future of the result.
    type Future: Future<Output = R>;

    /// A future of the result.
    fn answer(self) -> Self::Future;
}

/// The result is there.
#[derive(Debug)]
pub struct Now;

/// The result has to be waited for.
#[derive(Debug)]
pub struct Later;

impl<R> Answer<R, Now> for R {
    type Future = Ready<R>;

    #[inline]
    fn answer(self) -> Ready<R> {
        ready(self)
    }
}

// Without this, the compiler would speak of the missing `Future` and not of what it is for.
#[diagnostic::do_not_recommend]
impl<R, F: Future<Output = R>> Answer<R, Later> for F {
    type Future = Waited<F, R>;

    #[inline]
    fn answer(self) -> Waited<F, R> {
        Waited {
            future: self,
            poll: F::poll,
        }
    }
}

pin_project! {
    /// The future that a fallback returned. It asks for no bound: the compiler has already said
    /// what is wrong with something that is no future.
    pub struct Waited<F, R> {
        #[pin]
        future: F,
        poll: fn(Pin<&mut F>, &mut Context<'_>) -> Poll<R>,
    }
}

impl<F, R> Future for Waited<F, R> {
    type Output = R;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let this = self.project();
        (this.poll)(this.future, cx)
    }
}

impl<F, R> fmt::Debug for Waited<F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waited")
    }
}
