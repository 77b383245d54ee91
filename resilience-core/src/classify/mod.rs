//! From an error to its [`Classification`]: typed first, text last.
//!
//! [`error`] walks an error and its sources. A type that implements [`Classify`] and is known
//! here, or was registered with [`register_classify!`](crate::register_classify), answers for
//! itself; where there is none, the [`text`] decides.

#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "hyper")]
mod hyper;
mod io;
mod message;
#[cfg(feature = "object_store")]
mod object_store;
#[cfg(feature = "redis")]
mod redis;
mod registry;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "rusqlite")]
mod rusqlite;
#[cfg(feature = "serde_json")]
mod serde_json;
#[cfg(any(feature = "sqlx", feature = "tokio-postgres"))]
mod sql;
#[cfg(any(feature = "rusqlite", feature = "sqlx"))]
mod sqlite;
#[cfg(feature = "sqlx")]
mod sqlx;
mod std_types;
mod text;
mod tokio;
#[cfg(feature = "tokio-postgres")]
mod tokio_postgres;
#[cfg(feature = "toml")]
mod toml;
#[cfg(feature = "tonic")]
mod tonic;
mod walk;

use std::error::Error;
use std::fmt::Display;
use std::sync::Arc;

pub(crate) use self::message::write_chain;
pub use self::message::{technical, user_message};
pub use self::registry::Registration;
pub use self::text::Rules;
pub(crate) use self::walk::chain;
use crate::Classification;

/// An error that knows what kind of failure it is.
pub trait Classify {
    /// What this failure is.
    fn classify(&self) -> Classification;

    /// A text for people who do not know the code: true, without internals. `None` leaves it to
    /// the category.
    fn user_message(&self) -> Option<String> {
        None
    }
}

/// Classifies an error by the types in its chain of sources, else by its text.
///
/// ```
/// use std::io;
/// use resilience_core::{Category, classify};
///
/// let inner = io::Error::from(io::ErrorKind::ConnectionRefused);
/// let error: Box<dyn std::error::Error> = Box::new(io::Error::other(inner));
/// assert_eq!(classify::error(error.as_ref()).category(), Category::NETWORK);
/// ```
pub fn error(error: &(dyn Error + 'static)) -> Classification {
    walk::typed(error).unwrap_or_else(|| walk::by_text(error, error.source()))
}

/// Classifies an error that may borrow: by the types of its sources, else by its text.
///
/// The type of the error itself cannot be looked at; [`error`] does that where it is `'static`.
pub fn outer<E: Error + ?Sized>(error: &E) -> Classification {
    let source = error.source();
    source
        .and_then(walk::typed)
        .unwrap_or_else(|| walk::by_text(&error, source))
}

/// Classifies what a value displays. No more than the first and last 4 KiB are looked at.
pub fn display<D: Display + ?Sized>(value: &D) -> Classification {
    text::Window::of(&value, text::bytes)
}

/// Classifies a text. No more than the first and last 4 KiB are looked at.
///
/// ```
/// use std::time::Duration;
/// use resilience_core::{Category, Retry, classify};
///
/// let throttled = classify::text("429 Too Many Requests: please try again in 20s");
/// assert_eq!(throttled.category(), Category::RATE_LIMIT);
/// assert_eq!(throttled.retry_after(), Some(Duration::from_secs(20)));
///
/// assert_eq!(classify::text("processed 429 lines").category(), Category::UNKNOWN);
/// ```
pub fn text(text: &str) -> Classification {
    text::bytes(text.as_bytes())
}

impl<T: Classify + ?Sized> Classify for Box<T> {
    fn classify(&self) -> Classification {
        (**self).classify()
    }

    fn user_message(&self) -> Option<String> {
        (**self).user_message()
    }
}

impl<T: Classify + ?Sized> Classify for Arc<T> {
    fn classify(&self) -> Classification {
        (**self).classify()
    }

    fn user_message(&self) -> Option<String> {
        (**self).user_message()
    }
}
