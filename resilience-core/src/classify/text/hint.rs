//! How long the other side asks to wait.

use std::time::Duration;

use super::normal::Normal;
use super::table::signs::Unit;

/// Reads the time after a phrase such as `retry after`, which ends before the space at `space`.
///
/// `30`, `30s`, `1.5s`, `1m12s`, `250ms`, `5 minutes`. A bare number before another word ("retry
/// after 3 attempts") or a date is no time.
pub(super) fn wait(text: &Normal<'_>, space: usize, unit: Unit) -> Option<Duration> {
    let first = text.word_after(space);
    let (first, space) = match first {
        b"about" | b"approximately" | b"at" | b"least" | b"another" | b"for" | b"seconds"
        | b"is" => (
            text.word_after(space + 1 + first.len()),
            space + 1 + first.len(),
        ),
        _ => (first, space),
    };
    let end = space + 1 + first.len();
    let (seconds, bare) = amount(first)?;
    let seconds = if bare {
        let next = text.word_after(end);
        match unit_seconds(next) {
            Some(unit) => seconds * unit,
            // Another sentence, field or line begins; otherwise the number counts something else.
            None if next.is_empty() || !joined(text, space + 1, end) => match unit {
                Unit::Seconds => seconds,
                Unit::Milliseconds => seconds / 1_000.0,
            },
            None => return None,
        }
    } else {
        seconds
    };
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|wait| *wait <= LONGEST)
}

/// `1m12.5s` is 72.5 seconds; whether the number had no unit of its own.
fn amount(word: &[u8]) -> Option<(f64, bool)> {
    let word = std::str::from_utf8(word).ok()?;
    if !word.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let mut seconds = 0.0;
    let mut rest = word;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        if rest.is_empty() && digits == word.len() {
            return Some((number, true));
        }
        let letters = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        seconds += number * unit_seconds(&rest.as_bytes()[..letters])?;
        rest = &rest[letters..];
    }
    Some((seconds, false))
}

fn unit_seconds(word: &[u8]) -> Option<f64> {
    Some(match word {
        b"ms" | b"millis" | b"millisecond" | b"milliseconds" => 0.001,
        b"s" | b"sec" | b"secs" | b"second" | b"seconds" => 1.0,
        b"m" | b"min" | b"mins" | b"minute" | b"minutes" => 60.0,
        b"h" | b"hr" | b"hour" | b"hours" => 3_600.0,
        b"d" | b"day" | b"days" => 86_400.0,
        _ => return None,
    })
}

/// Whether the word that starts at `start` and the one after the space at `end` belong to one run
/// of words.
fn joined(text: &Normal<'_>, start: usize, end: usize) -> bool {
    let (_, from) = text.raw_range(start, end);
    text.raw.get(from).is_some_and(|&byte| {
        matches!(byte, b'-' | b'/' | b'%' | b'\\') || byte.is_ascii_alphabetic()
    }) || (text.raw.get(from) == Some(&b' ')
        && text
            .raw
            .get(from + 1)
            .is_some_and(u8::is_ascii_alphanumeric))
}

/// Longer than this is a mistake of the other side or of ours.
const LONGEST: Duration = Duration::from_secs(31 * 86_400);

#[cfg(test)]
mod tests {
    use crate::classify::text;

    #[test]
    fn times_are_read_in_the_forms_that_servers_write() {
        for (message, milliseconds) in [
            ("429 Too Many Requests, retry after 30 seconds", 30_000),
            ("rate limited: Retry-After: 31", 31_000),
            (
                "status: 429, headers: {\"retry-after\": \"7\", \"x\": \"y\"}",
                7_000,
            ),
            ("Rate limit reached. Please try again in 1.4s. Visit", 1_400),
            ("Rate limit reached. Please try again in 6m12s.", 372_000),
            ("Rate limit reached. Please try again in 250ms.", 250),
            ("too many requests, retry_after_ms=1500", 1_500),
            ("429 Quota exceeded, \"retryDelay\": \"34s\"", 34_000),
            ("rate limited, try again in 5 minutes", 300_000),
        ] {
            let found = text(message).retry_after().map(|wait| wait.as_millis());
            assert_eq!(found, Some(milliseconds), "{message}");
        }
    }

    #[test]
    fn other_numbers_are_no_times() {
        for message in [
            "rate limited, giving up, will retry after 3 attempts of others",
            "429 Too Many Requests, Retry-After: Wed, 21 Oct 2026 07:28:00 GMT",
            "429 Too Many Requests, retry after 2026-10-21",
            "rate limited, retry after 99999999999999999999 seconds",
            "rate limited, retry after",
        ] {
            assert_eq!(text(message).retry_after(), None, "{message}");
        }
    }
}
