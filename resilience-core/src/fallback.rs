//! What runs when a call would fail.

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

/// What a fallback returns: the function's own result, or a future of it. `When` tells the two
/// apart, and is inferred.
#[diagnostic::on_unimplemented(
    message = "a fallback returns what the function returns, or a future of it",
    label = "this is `{Self}`",
    note = "the function returns `{R}`"
)]
pub trait Answer<R, When>: Sized {
    /// What is to be polled.
    fn answer(self) -> Answering<Self>;

    /// The result, when it is there.
    fn poll(answering: Pin<&mut Answering<Self>>, cx: &mut Context<'_>) -> Poll<R>;
}

/// The result is there.
#[derive(Debug)]
pub struct Now;

/// The result has to be waited for.
#[derive(Debug)]
pub struct Later;

pin_project! {
    /// What a fallback returned.
    #[project = AnsweringProjection]
    pub enum Answering<A> {
        /// The result.
        Now { result: Option<A> },
        /// A future of it.
        Later { #[pin] future: A },
    }
}

impl<R> Answer<R, Now> for R {
    #[inline]
    fn answer(self) -> Answering<R> {
        Answering::Now { result: Some(self) }
    }

    #[inline]
    fn poll(answering: Pin<&mut Answering<R>>, _: &mut Context<'_>) -> Poll<R> {
        match answering.project() {
            AnsweringProjection::Now { result } => result.take().map_or(Poll::Pending, Poll::Ready),
            AnsweringProjection::Later { .. } => Poll::Pending,
        }
    }
}

// Without this, the compiler would speak of the missing `Future` and not of what it is for.
#[diagnostic::do_not_recommend]
impl<R, F: Future<Output = R>> Answer<R, Later> for F {
    #[inline]
    fn answer(self) -> Answering<F> {
        Answering::Later { future: self }
    }

    #[inline]
    fn poll(answering: Pin<&mut Answering<F>>, cx: &mut Context<'_>) -> Poll<R> {
        match answering.project() {
            AnsweringProjection::Later { future } => future.poll(cx),
            AnsweringProjection::Now { .. } => Poll::Pending,
        }
    }
}

pin_project! {
    /// A future of what a fallback returned. It asks for no bound: where there is something wrong
    /// with that, the compiler has said so already.
    #[must_use = "futures do nothing unless polled"]
    pub struct Waited<A, R> {
        #[pin]
        answering: Answering<A>,
        poll: fn(Pin<&mut Answering<A>>, &mut Context<'_>) -> Poll<R>,
    }
}

impl<A, R> Waited<A, R> {
    #[inline]
    pub(crate) fn new<When>(answer: A) -> Self
    where
        A: Answer<R, When>,
    {
        Self {
            answering: answer.answer(),
            poll: A::poll,
        }
    }
}

impl<A, R> Future for Waited<A, R> {
    type Output = R;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let this = self.project();
        (this.poll)(this.answering, cx)
    }
}

impl<A> fmt::Debug for Answering<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answering")
    }
}

impl<A, R> fmt::Debug for Waited<A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waited")
    }
}
