//! How words stand in a text: as a name, as a message, or among other words.

use super::normal::Normal;

/// How words stand in the text.
pub(super) enum Position {
    /// The name of a field, an option, an event: quoted as one word, or with its value.
    Data,
    /// An identifier such as `NotFound`, or alone between punctuation, as in `error: timeout`.
    Clear,
    /// Among other words.
    Prose,
}

pub(super) fn position(text: &Normal<'_>, start: usize, end: usize) -> Position {
    let (start, end) = text.raw_range(start, end);
    let (before, found, after) = (&text.raw[..start], &text.raw[start..end], &text.raw[end..]);
    if is_value(after) {
        return Position::Data;
    }
    // An identifier counts as a whole: `channel_not_found`, `query_wait_timeout`.
    let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let left = before.iter().rev().take_while(|byte| in_name(byte)).count();
    let right = after.iter().take_while(|byte| in_name(byte)).count();
    let (before, after) = (&before[..before.len() - left], &after[right..]);
    let open = before.iter().rev().copied().find(|byte| !is_filler(*byte));
    let close = after.iter().copied().find(|byte| !is_filler(*byte));
    let quoted = before.last().copied().is_some_and(is_quote)
        && after.first().copied().is_some_and(is_quote);
    let alone = open.is_none_or(is_boundary) && close.is_none_or(is_boundary);
    // `Artifact 'a:b:1.0' not found.`
    let of_a_name = before
        .trim_ascii_end()
        .last()
        .copied()
        .is_some_and(is_quote)
        && close.is_none_or(is_boundary)
        && !quoted;
    if (alone || of_a_name) && !is_value(after) && !(quoted && open.is_none()) {
        return Position::Clear;
    }
    let one_word = !found.contains(&b' ');
    if quoted && one_word {
        return Position::Data;
    }
    let humps = found
        .iter()
        .filter(|byte| byte.is_ascii_uppercase())
        .count();
    if one_word && humps > 1 {
        Position::Clear
    } else {
        Position::Prose
    }
}

/// Quotes, and spaces other than the end of a line.
fn is_filler(byte: u8) -> bool {
    is_quote(byte) || matches!(byte, b' ' | b'\t')
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

fn is_boundary(byte: u8) -> bool {
    b":;,.()[]{}<>|!\n\r".contains(&byte)
}

/// Whether what follows is the value of a setting: `timeout: 30`, `connect_timeout=5`.
fn is_value(after: &[u8]) -> bool {
    let mut rest = after.iter().filter(|byte| !is_filler(**byte));
    matches!(rest.next(), Some(b':' | b'=')) && rest.next().is_some_and(u8::is_ascii_digit)
}
