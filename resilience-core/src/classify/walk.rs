//! Through an error and its sources to the cause that says most.

use std::error::Error;
use std::fmt::Display;
use std::io;
use std::sync::Arc;

use super::{Classify, registry, text};
use crate::{Category, Classification, Effect};

/// What the types in the chain say; `None` if none of them is known or says anything.
///
/// An answer of our own runtime wins wherever it stands: retrying it would defeat it. Then the
/// outermost registered type: whoever wrote it has looked at what is inside. Then the innermost
/// of the known types, which is the cause of the others.
pub(super) fn typed(error: &(dyn Error + 'static)) -> Option<Classification> {
    let mut registered = None;
    let mut innermost = None;
    let mut unsent = false;
    for link in chain(error) {
        if let Some(own) = own(link) {
            return Some(own);
        }
        if registered.is_none() {
            registered = registry::classify(link);
        }
        innermost = known(link).filter(says_something).or(innermost);
        unsent |= is_unsent(link);
        if knows_its_cause(link) {
            break;
        }
    }
    if unsent {
        innermost = innermost.map(|found| found.with_effect(Effect::None));
    }
    match registered {
        Some(found) if says_something(&found) => Some(found),
        // A registered type that cannot tell leaves it to its sources.
        _ => innermost,
    }
}

/// What the text of the outermost error says; if nothing, the text of the first source that says
/// something: context that applications put on top names the step that failed, not the cause.
pub(super) fn by_text(
    outermost: &(impl Display + ?Sized),
    source: Option<&(dyn Error + 'static)>,
) -> Classification {
    let found = text::Window::of(&outermost, text::bytes);
    if says_something(&found) {
        return found;
    }
    let of_source = source.and_then(|source| {
        chain(source)
            .map(|link| text::Window::of(&link, text::bytes))
            .find(says_something)
    });
    of_source.unwrap_or(found)
}

/// The error and its sources, outermost first, entering what `source()` hides.
pub(crate) fn chain<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    // A chain that leads back to itself would never end.
    std::iter::successors(Some(error), |link| inner(*link)).take(LONGEST)
}

fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    // `source()` of these is that of what they hold, which skips a link.
    if let Some(io) = error.downcast_ref::<io::Error>() {
        return io
            .get_ref()
            .map(|inner| inner as &(dyn Error + 'static))
            .or_else(|| error.source());
    }
    if let Some(shared) = error.downcast_ref::<Arc<dyn Error + Send + Sync>>() {
        return Some(&**shared);
    }
    if let Some(shared) = error.downcast_ref::<Arc<dyn Error>>() {
        return Some(&**shared);
    }
    if let Some(shared) = error.downcast_ref::<Arc<io::Error>>() {
        return Some(&**shared);
    }
    if let Some(boxed) = error.downcast_ref::<Box<io::Error>>() {
        return Some(&**boxed);
    }
    error.source()
}

/// Our own runtime's answers.
fn own(error: &(dyn Error + 'static)) -> Option<Classification> {
    error.downcast_ref::<crate::Error>().map(Classify::classify)
}

/// What our own runtime's answer says to people.
pub(super) fn own_message(error: &(dyn Error + 'static)) -> Option<String> {
    error.downcast_ref().map(crate::Error::user_message)
}

/// Whether a type has looked at its sources and said what they mean to it: a missing object is not
/// the missing file that it would have been in.
fn knows_its_cause(error: &(dyn Error + 'static)) -> bool {
    #[cfg(feature = "object_store")]
    if let Some(error) = error.downcast_ref::<object_store::Error>() {
        return super::object_store::knows_its_cause(error);
    }
    #[cfg(not(feature = "object_store"))]
    let _ = error;
    false
}

/// Whether a client says that it failed before it sent anything, which the cause inside, such as a
/// time limit, cannot know.
fn is_unsent(error: &(dyn Error + 'static)) -> bool {
    #[cfg(feature = "reqwest")]
    if let Some(error) = error.downcast_ref::<reqwest::Error>() {
        return error.is_connect();
    }
    #[cfg(not(feature = "reqwest"))]
    let _ = error;
    false
}

/// The types that this crate knows.
fn known(error: &(dyn Error + 'static)) -> Option<Classification> {
    macro_rules! first_of {
        ($($ty:ty),* $(,)?) => {
            $(if let Some(error) = error.downcast_ref::<$ty>() {
                return Some(Classify::classify(error));
            })*
        };
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return Some(super::io::itself(error));
    }
    #[cfg(feature = "reqwest")]
    if let Some(error) = error.downcast_ref::<reqwest::Error>() {
        return Some(super::reqwest::itself(error));
    }
    #[cfg(feature = "hyper")]
    if let Some(error) = error.downcast_ref::<hyper::Error>() {
        return Some(super::hyper::itself(error));
    }
    #[cfg(feature = "object_store")]
    if let Some(error) = error.downcast_ref::<object_store::Error>() {
        return Some(super::object_store::itself(error));
    }
    #[cfg(feature = "redis")]
    if let Some(error) = error.downcast_ref::<redis::RedisError>() {
        return Some(super::redis::itself(error));
    }
    #[cfg(feature = "sqlx")]
    if let Some(error) = error.downcast_ref::<sqlx_core::Error>() {
        return Some(super::sqlx::itself(error));
    }
    #[cfg(feature = "tokio-postgres")]
    if let Some(error) = error.downcast_ref::<tokio_postgres::Error>() {
        return Some(super::tokio_postgres::itself(error));
    }
    #[cfg(feature = "tonic")]
    if let Some(error) = error.downcast_ref::<tonic::Status>() {
        return Some(super::tonic::itself(error));
    }
    #[cfg(feature = "rusqlite")]
    first_of!(rusqlite::Error);
    #[cfg(feature = "toml")]
    first_of!(toml::de::Error);
    #[cfg(all(feature = "serde", feature = "toml"))]
    first_of!(toml::ser::Error);
    #[cfg(feature = "serde_json")]
    first_of!(serde_json::Error);
    first_of!(
        tokio::time::error::Elapsed,
        tokio::task::JoinError,
        tokio::sync::AcquireError,
        tokio::sync::TryAcquireError,
        tokio::sync::oneshot::error::RecvError,
        tokio::sync::oneshot::error::TryRecvError,
        tokio::sync::broadcast::error::RecvError,
        tokio::sync::broadcast::error::TryRecvError,
        tokio::sync::mpsc::error::TryRecvError,
        tokio::sync::watch::error::RecvError,
        std::str::Utf8Error,
        std::string::FromUtf8Error,
        std::string::FromUtf16Error,
        std::char::DecodeUtf16Error,
        std::char::ParseCharError,
        std::char::CharTryFromError,
        std::char::TryFromCharError,
        std::num::ParseIntError,
        std::num::ParseFloatError,
        std::num::TryFromIntError,
        std::str::ParseBoolError,
        std::net::AddrParseError,
        std::ffi::NulError,
        std::ffi::FromBytesWithNulError,
        std::ffi::FromBytesUntilNulError,
        std::ffi::IntoStringError,
        std::array::TryFromSliceError,
        std::collections::TryReserveError,
        std::alloc::LayoutError,
        std::sync::mpsc::RecvError,
        std::sync::mpsc::RecvTimeoutError,
        std::sync::mpsc::TryRecvError,
        std::env::VarError,
        std::path::StripPrefixError,
        std::time::SystemTimeError,
        std::cell::BorrowError,
        std::cell::BorrowMutError,
        std::thread::AccessError,
    );
    None
}

/// Whether an answer is more than "unknown".
pub(super) fn says_something(classification: &Classification) -> bool {
    classification.category() != Category::UNKNOWN
        || classification.retry() != crate::Retry::Unsure
        || classification.is_rejection()
}

/// Deeper chains do not occur.
pub(super) const LONGEST: usize = 64;
