//! The normal form of a text: lower-case words with one space before, between and after them.
//!
//! ```text
//! Input:  Error: 14 UNAVAILABLE: TooManyRequests, can't reach https://x.example/a (os error 111)
//! Output:  error 14 unavailable too many requests cant reach https os error 111
//! ```
//!
//! `PoolTimedOut`, `pool_timed_out` and `pool timed out` are the same words, so one phrase in a
//! table finds them all, and only as whole words. URLs and absolute paths name things, they do
//! not say what happened, so they are left out.

/// A normalised text that remembers where each of its bytes came from.
pub(super) struct Normal<'a> {
    /// What was normalised.
    pub(super) raw: &'a [u8],
    /// The normal form, with a space at either end.
    pub(super) words: &'a [u8],
    /// For each byte of `words`, the place in `raw`.
    origin: &'a [u16],
}

impl<'a> Normal<'a> {
    /// The part of the original text that became `words[start..end]`, which must not be empty.
    pub(super) fn raw_range(&self, start: usize, end: usize) -> (usize, usize) {
        (
            usize::from(self.origin[start]),
            usize::from(self.origin[end - 1]) + 1,
        )
    }

    /// Whether nothing but spaces, dashes and underscores stands between the words
    /// `words[start..end]` of the original text.
    pub(super) fn is_run(&self, start: usize, end: usize) -> bool {
        let (start, end) = self.raw_range(start, end);
        self.raw[start..end]
            .iter()
            .all(|&byte| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-' | b'_'))
    }

    /// Whether a colon or an equals sign follows what ends at `words[end]`, as it follows a name.
    pub(super) fn is_named(&self, end: usize) -> bool {
        let (_, end) = self.raw_range(end - 1, end);
        let mut rest = self.raw[end..]
            .iter()
            .filter(|byte| !matches!(**byte, b'"' | b'\'' | b' '));
        matches!(rest.next(), Some(b':' | b'='))
    }

    /// Whether the letters stand near this place, also inside of words.
    pub(super) fn mentions(&self, letters: &[u8], place: usize) -> bool {
        let end = self.words.len().min(place + NEARBY);
        self.words[place.saturating_sub(NEARBY)..end]
            .windows(letters.len())
            .any(|part| part == letters)
    }

    /// The word that ends before the space at `space`, with its start; empty at the beginning.
    pub(super) fn word_before(&self, space: usize) -> (&'a [u8], usize) {
        let start = self.words[..space]
            .iter()
            .rposition(|&b| b == b' ')
            .map_or(space, |at| at + 1);
        (&self.words[start..space], start)
    }

    /// The word that starts after the space at `space`; empty at the end.
    pub(super) fn word_after(&self, space: usize) -> &'a [u8] {
        let rest = self.words.get(space + 1..).unwrap_or_default();
        let end = rest.iter().position(|&b| b == b' ').unwrap_or(0);
        &rest[..end]
    }
}

/// A message is seldom longer; what is further away belongs to another one.
const NEARBY: usize = 240;

/// The words of a normalised text: the start and the end of each.
pub(super) fn words(text: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while text.get(at) == Some(&b' ') {
            at += 1;
        }
        let start = at;
        while text.get(at).is_some_and(|&byte| byte != b' ') {
            at += 1;
        }
        (at > start).then_some((start, at))
    })
}

/// Space on the stack for a text of usual length.
pub(super) struct Room<const N: usize> {
    words: [u8; N],
    origin: [u16; N],
}

impl<const N: usize> Room<N> {
    pub(super) const fn new() -> Self {
        Self {
            words: [0; N],
            origin: [0; N],
        }
    }

    pub(super) fn normalise<'a>(&'a mut self, raw: &'a [u8]) -> Normal<'a> {
        normalise(raw, &mut self.words, &mut self.origin)
    }
}

/// Space on the heap for a longer one.
pub(super) struct HeapRoom {
    words: Vec<u8>,
    origin: Vec<u16>,
}

impl HeapRoom {
    pub(super) fn new(raw: usize) -> Self {
        Self {
            words: vec![0; room_for(raw)],
            origin: vec![0; room_for(raw)],
        }
    }

    pub(super) fn normalise<'a>(&'a mut self, raw: &'a [u8]) -> Normal<'a> {
        normalise(raw, &mut self.words, &mut self.origin)
    }
}

/// The room that a text of this length can need: every byte may become a letter and a space.
pub(super) const fn room_for(raw: usize) -> usize {
    2 * raw + 2
}

/// The normal form as a string, for phrases that are written in tables.
pub(super) fn phrase(text: &str) -> String {
    let mut room = HeapRoom::new(text.len());
    String::from_utf8_lossy(room.normalise(text.as_bytes()).words).into_owned()
}

fn normalise<'a>(raw: &'a [u8], words: &'a mut [u8], origin: &'a mut [u16]) -> Normal<'a> {
    let mut out = Out {
        words,
        origin,
        len: 0,
    };
    out.space(0);
    let mut at = 0;
    while at < raw.len() {
        let byte = raw[at];
        // Most of a text is lower case and stays as it is.
        if byte.is_ascii_lowercase() || byte.is_ascii_digit() {
            out.push(byte, at);
            at += 1;
            continue;
        }
        let next = raw.get(at + 1).copied().unwrap_or(b' ');
        let previous = if at == 0 { b' ' } else { raw[at - 1] };
        match byte {
            b'A'..=b'Z' => {
                let hump = previous.is_ascii_lowercase()
                    || (previous.is_ascii_alphanumeric() && next.is_ascii_lowercase());
                if hump {
                    out.space(at);
                }
                out.push(byte.to_ascii_lowercase(), at);
            }
            // can't, doesn't
            b'\''
                if previous.is_ascii_alphabetic()
                    && next.is_ascii_alphabetic()
                    && !string_prefix(raw, at) => {}
            b'.' if previous.is_ascii_digit() && next.is_ascii_digit() => out.push(b'.', at),
            b'-' if next.is_ascii_digit() && !previous.is_ascii_alphanumeric() => {
                out.space(at);
                out.push(b'-', at);
            }
            b':' if raw[at..].starts_with(b"://") || windows_path(raw, at) => {
                at = skip_name(raw, at);
                out.space(at - 1);
                continue;
            }
            b'/' if absolute_path(previous, next) => {
                at = skip_name(raw, at);
                out.space(at - 1);
                continue;
            }
            b'\x1b' if next == b'[' => {
                at = skip_colour(raw, at);
                out.space(at - 1);
                continue;
            }
            // Escaped in a string inside the text.
            b'\\' if matches!(next, b'n' | b't' | b'r') => {
                out.space(at);
                at += 1;
            }
            // The block of typographic quotes and dashes.
            0xE2 if next == 0x80 => {
                let apostrophe = raw.get(at + 2) == Some(&0x99)
                    && previous.is_ascii_alphabetic()
                    && raw.get(at + 3).is_some_and(u8::is_ascii_alphabetic);
                if !apostrophe {
                    out.space(at);
                }
                at += 2;
            }
            // Full stops and commas of Chinese and Japanese.
            0xE3 if next == 0x80 && raw.get(at + 2).is_some_and(|byte| *byte <= 0x91) => {
                out.space(at);
                at += 2;
            }
            0xEF if next == 0xBC => {
                out.space(at);
                at += 2;
            }
            0x80.. => out.push(byte, at),
            _ => out.space(at),
        }
        at += 1;
    }
    out.space(raw.len().saturating_sub(1));
    let Out { words, origin, len } = out;
    Normal {
        raw,
        words: &words[..len],
        origin: &origin[..len],
    }
}

struct Out<'a> {
    words: &'a mut [u8],
    origin: &'a mut [u16],
    len: usize,
}

impl Out<'_> {
    fn push(&mut self, byte: u8, at: usize) {
        // `room_for` leaves enough; should it ever not, the rest of the text is left out.
        if let (Some(word), Some(origin)) =
            (self.words.get_mut(self.len), self.origin.get_mut(self.len))
        {
            *word = byte;
            // No text that is normalised is longer than its two ends, 8 KiB.
            *origin = at as u16;
            self.len += 1;
        }
    }

    fn space(&mut self, at: usize) {
        if self.len == 0 || self.words[self.len - 1] != b' ' {
            self.push(b' ', at);
        }
    }
}

/// `c:\data`: one letter before the colon.
fn windows_path(raw: &[u8], colon: usize) -> bool {
    raw.get(colon + 1) == Some(&b'\\')
        && colon > 0
        && raw[colon - 1].is_ascii_alphabetic()
        && (colon == 1 || !raw[colon - 2].is_ascii_alphanumeric())
}

/// Python's `u'text'` and `b'text'`: a letter alone before the quote.
fn string_prefix(raw: &[u8], quote: usize) -> bool {
    matches!(raw[quote - 1], b'u' | b'b' | b'r')
        && (quote == 1 || !raw[quote - 2].is_ascii_alphanumeric())
}

fn absolute_path(previous: u8, next: u8) -> bool {
    matches!(
        previous,
        b' ' | b'\n' | b'\t' | b'"' | b'\'' | b'`' | b'(' | b'[' | b'=' | b':'
    ) && (next.is_ascii_alphanumeric() || matches!(next, b'.' | b'_'))
}

/// The end of a URL or path; punctuation at its end belongs to the sentence. Always moves on.
fn skip_name(raw: &[u8], at: usize) -> usize {
    let stops = |byte: &u8| {
        byte.is_ascii_whitespace()
            || matches!(
                byte,
                b'"' | b'\'' | b'`' | b'(' | b')' | b'<' | b'>' | b']' | b'}' | b','
            )
    };
    let mut end = raw[at..]
        .iter()
        .position(stops)
        .map_or(raw.len(), |length| at + length);
    while end > at + 1 && matches!(raw[end - 1], b':' | b'.' | b';') {
        end -= 1;
    }
    end.max(at + 1)
}

/// The end of a terminal colour sequence such as `\x1b[1;31m`. Always moves on.
fn skip_colour(raw: &[u8], at: usize) -> usize {
    let parameters = |byte: &u8| !(byte.is_ascii_digit() || *byte == b';');
    let rest = &raw[at + 2..];
    let end = rest
        .iter()
        .position(parameters)
        .map_or(raw.len(), |length| at + 2 + length + 1);
    end.min(raw.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_same_however_they_are_joined() {
        for text in [
            "PoolTimedOut",
            "pool_timed_out",
            "POOL_TIMED_OUT",
            "pool timed-out",
            "Pool.TimedOut",
        ] {
            assert_eq!(phrase(text), " pool timed out ");
        }
        assert_eq!(phrase("IOError"), " io error ");
        assert_eq!(
            phrase("404NotFound 40P01 S3Error 10MB"),
            " 404 not found 40p01 s3 error 10mb "
        );
        assert_eq!(
            phrase("can't doesn\u{2019}t 'utf-8'"),
            " cant doesnt utf 8 "
        );
        assert_eq!(phrase("{u'a': b'it', don't}"), " u a b it dont ");
        assert_eq!(phrase("错误：拒绝访问。"), " 错误 拒绝访问 ");
        assert_eq!(phrase("[Errno -3] 1.5s 46-48"), " errno -3 1.5s 46 48 ");
    }

    #[test]
    fn names_of_places_are_left_out() {
        assert_eq!(
            phrase("got https://x.example/timeout/404: 502"),
            " got https 502 "
        );
        assert_eq!(phrase("open '/var/not_found/x': denied"), " open denied ");
        assert_eq!(
            phrase("open \"c:\\error\\new.txt\": denied"),
            " open c denied "
        );
        assert_eq!(phrase("</Code> read/write"), " code read write ");
        assert_eq!(phrase("\u{1b}[1;31merror\u{1b}[0m: x"), " error x ");
    }

    #[test]
    fn the_origin_of_a_word_is_its_place_in_the_text() {
        let mut room = HeapRoom::new(64);
        let normal = room.normalise(b"status: NotFound!");
        let start = normal
            .words
            .windows(3)
            .position(|w| w == b"not")
            .expect("it is there");
        assert_eq!(normal.raw_range(start, start + "not found".len()), (8, 16));
    }
}
