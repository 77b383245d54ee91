//! What options take, and what they say of anything else.

use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use resilience::Category;

/// Fractional seconds, more than none.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let wrong = || format!("a number of seconds above 0, such as 0.5, up to {MAX_SECONDS}");
    let seconds: f64 = text.parse().map_err(|_| wrong())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() && seconds <= MAX_SECONDS => Ok(duration),
        _ => Err(wrong()),
    }
}

pub(super) fn category(name: &str) -> Result<Category, String> {
    Category::built_in(name).ok_or_else(|| {
        let names = Category::BUILT_IN.map(Category::as_str);
        format!("one of {}", names.join(", "))
    })
}

pub(super) fn count(text: &str) -> Result<NonZeroUsize, String> {
    match text.parse::<NonZeroUsize>() {
        Ok(count) if count.get() <= MAX_COUNT => Ok(count),
        _ => Err(format!("a number from 1 to {MAX_COUNT}")),
    }
}

pub(super) fn dimensions(text: &str) -> Result<usize, String> {
    count(text).map(NonZeroUsize::get)
}

pub(super) fn megabytes(text: &str) -> Result<NonZeroU64, String> {
    match text.parse::<NonZeroU64>() {
        Ok(megabytes) if megabytes.get() <= MAX_MEGABYTES => Ok(megabytes),
        _ => Err(format!("a number from 1 to {MAX_MEGABYTES}")),
    }
}

/// The names that vector databases take for a collection.
pub(super) fn collection(name: &str) -> Result<String, String> {
    let fits = name.len() <= 255
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if fits {
        Ok(name.to_owned())
    } else {
        Err("a capital letter, then letters, digits and `_`, at most 255 in all".to_owned())
    }
}

/// More would not fit into a number of bytes.
const MAX_MEGABYTES: u64 = 1 << 30;
/// More at a time than this only takes memory.
const MAX_COUNT: usize = 10_000;
/// Some eleven days: SQLite counts milliseconds in 31 bits.
const MAX_SECONDS: f64 = 1_000_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_may_have_fractions_and_are_neither_none_nor_too_many() {
        assert_eq!(seconds("0.001"), Ok(Duration::from_millis(1)));
        assert_eq!(seconds("1e6"), Ok(Duration::from_secs(1_000_000)));
        for text in ["0", "-1", "x", "inf", "NaN", "1e40", "1e18", "1000001"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_collection_has_a_name_that_every_index_takes() {
        assert!(collection("SRC_ENTERPRISE__").is_ok());
        for name in ["", "files", "A b", "Ä", "A:b"] {
            assert!(collection(name).is_err(), "{name}");
        }
    }
}
