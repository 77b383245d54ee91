//! Classification by text, for what has no type.
//!
//! One pass brings the text into a normal form (`normal`), one pass finds every phrase of the
//! tables (`lexicon`) in it (`matcher`), and the numbers that stand in a known position are read as codes
//! (`numbers`). Of everything found the highest [`Rank`](rule::Rank) decides and, among equals,
//! the last: messages name their cause after what it caused.

mod hint;
mod lexicon;
mod matcher;
mod normal;
mod numbers;
mod phrases;
mod position;
mod rule;
mod rules;
mod table;
mod window;

pub(super) use self::rule::verdict;
pub use self::rules::Rules;
pub(super) use self::table::os;
#[cfg(any(feature = "sqlx", feature = "tokio-postgres"))]
pub(super) use self::table::sql;
#[cfg(any(feature = "http", feature = "reqwest"))]
pub(super) use self::table::status;
pub(super) use self::window::Window;

use self::normal::Normal;
use crate::Classification;

/// Classifies bytes that should be text; other bytes count as letters.
pub(super) fn bytes(text: &[u8]) -> Classification {
    normalised(text, matcher::decide)
}

/// Gives the normal form of a text, or of its two ends, to `read`.
fn normalised<R>(text: &[u8], read: impl FnOnce(&Normal<'_>) -> R) -> R {
    // Room is cleared before use, so a short text gets little.
    if text.len() <= SHORT {
        let mut room = normal::Room::<{ normal::room_for(SHORT) }>::new();
        return read(&room.normalise(text));
    }
    if text.len() <= USUAL {
        let mut room = normal::Room::<{ normal::room_for(USUAL) }>::new();
        return read(&room.normalise(text));
    }
    let text = window::ends(text);
    let mut room = normal::HeapRoom::new(text.len());
    read(&room.normalise(&text))
}

/// Up to this length nothing is allocated. Nearly all error messages are shorter.
const USUAL: usize = 480;

/// Most error messages are shorter than this.
const SHORT: usize = 128;
