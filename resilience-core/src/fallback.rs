//! What runs when a call would fail.

use std::future::{Future, Ready, ready};

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

impl<R, F: Future<Output = R>> Answer<R, Later> for F {
    type Future = F;

    #[inline]
    fn answer(self) -> F {
        self
    }
}
