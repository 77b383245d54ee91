//! Takes secrets out of texts before anybody keeps or exports them.
//!
//! An error's text is written by others: clients put the URL of a request into it, proxies the
//! header that they did not like. Masked are what follows `Bearer` or `Basic`, the user-info and the
//! query of a URL, and the value of a name that says that it is secret (`password=..`). Everything
//! else stays as it is; a text without any of these is not copied.

use std::borrow::Cow;

/// The text without the secrets that can be told by where they stand: what follows `Bearer` or
/// `Basic`, the user-info and query of a URL, the value of a name such as `password` or `api_key`.
///
/// Events, log lines and recent errors have been through it. An application that keeps or shows the
/// text of an error by itself does the same with it:
///
/// ```
/// # use resilience_core as resilience;
/// let text = "502 from https://me:hunter2@shop.example/cart?id=7 (Authorization: Bearer xaat-1)";
/// assert_eq!(
///     resilience::redact(text),
///     "502 from https://***@shop.example/cart?*** (Authorization: Bearer ***)",
/// );
/// ```
pub fn redact(text: &str) -> Cow<'_, str> {
    if is_plain(text.as_bytes()) {
        Cow::Borrowed(text)
    } else {
        masked(text)
    }
}

#[inline(never)]
fn masked(text: &str) -> Cow<'_, str> {
    let mut found = Secrets::of(text);
    while let Some(sign) = found.rest().bytes().position(is_sign) {
        found.at += sign;
        found.look();
    }
    found.finish()
}

/// Redacts a text that is one's own already.
pub(crate) fn redacted(text: String) -> String {
    match redact(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(masked) => masked,
    }
}

/// Redacts a text in its place.
pub(crate) fn redact_in_place(text: &mut String) {
    if let Cow::Owned(masked) = redact(text) {
        *text = masked;
    }
}

struct Secrets<'a> {
    text: &'a str,
    at: usize,
    out: String,
    copied: usize,
}

impl<'a> Secrets<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            out: String::new(),
            copied: 0,
        }
    }

    /// Goes on behind what stands here, masked if it is a secret.
    fn look(&mut self) {
        match self.text.as_bytes()[self.at] {
            b':' => self.colon(),
            b'=' => self.equals(),
            b'b' | b'B' => self.scheme_word(),
            _ => self.at += 1,
        }
    }

    /// `://` begins the authority of a URL; `name:` may name a secret.
    fn colon(&mut self) {
        if self.rest().starts_with("://") {
            self.at += "://".len();
            self.url();
        } else {
            self.named(is_secret_header);
        }
    }

    /// `name=` may name a secret.
    fn equals(&mut self) {
        self.named(|name| is_secret_header(name) || is_secret_name(name));
    }

    fn url(&mut self) {
        let start = self.at;
        let end = start + length(self.rest(), ends_url);
        let url = &self.text[start..end];
        let authority = url.find(['/', '?', '#']).unwrap_or(url.len());
        if let Some(user_info) = url[..authority].rfind('@') {
            self.mask(start, start + user_info);
        } else if url[..authority].ends_with('…') && url[..authority].contains(':') {
            // The text was cut here, perhaps before an `@`.
            self.mask(start, start + authority);
        }
        if let Some(query) = url.find(['?', '#'])
            && query + 1 < url.len()
        {
            self.mask(start + query + 1, end);
        }
        self.at = end;
    }

    /// `Bearer` and `Basic`, as words, with what they introduce behind them.
    fn scheme_word(&mut self) {
        let word = ["bearer", "basic"]
            .into_iter()
            .find(|word| starts_with(self.rest(), word));
        let before = self.text[..self.at].chars().next_back();
        let Some(word) = word.filter(|_| !before.is_some_and(char::is_alphanumeric)) else {
            self.at += 1;
            return;
        };
        self.at += word.len();
        let gap = length(self.rest(), |c| {
            !(c.is_whitespace() || matches!(c, ':' | '=' | '"' | '\'' | '\\'))
        });
        if gap > 0 {
            self.at += gap;
            // In prose the next word is part of a sentence: a credential has digits or is long.
            let least = if word == "bearer" { 8 } else { 12 };
            self.value(|value| value.len() >= least || value.bytes().any(|b| b.is_ascii_digit()));
        }
    }

    /// What stands in front of the sign at hand may be the name of a secret.
    fn named(&mut self, is_secret: impl Fn(&str) -> bool) {
        let before = self.text[..self.at].trim_end_matches(['"', '\'', '\\', ' ']);
        let name = before
            .rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
            .map_or(before, |i| {
                &before[i + before[i..].chars().next().map_or(1, char::len_utf8)..]
            });
        self.at += 1;
        if is_secret(name) {
            self.at += length(self.rest(), |c| !matches!(c, ' ' | '"' | '\'' | '\\'));
            // `authorization: Bearer ..` is told by its scheme.
            if !starts_with(self.rest(), "bearer") && !starts_with(self.rest(), "basic") {
                self.value(|_| true);
            }
        }
    }

    /// Masks the value here.
    fn value(&mut self, is_credential: impl Fn(&str) -> bool) {
        let end = self.at + length(self.rest(), ends_value);
        if end > self.at && is_credential(&self.text[self.at..end]) {
            self.mask(self.at, end);
        }
        self.at = end;
    }

    fn mask(&mut self, start: usize, end: usize) {
        self.out.push_str(&self.text[self.copied..start]);
        self.out.push_str(MASK);
        self.copied = end;
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn finish(mut self) -> Cow<'a, str> {
        if self.copied == 0 {
            return Cow::Borrowed(self.text);
        }
        self.out.push_str(&self.text[self.copied..]);
        Cow::Owned(self.out)
    }
}

/// Whether there is no byte with which a secret, or its name, could begin. Sixteen are looked at
/// together, the last ones perhaps twice.
fn is_plain(text: &[u8]) -> bool {
    match text.last_chunk() {
        Some(last) => !has_sign(last) && !text.as_chunks().0.iter().any(has_sign),
        None => !text.iter().copied().any(is_sign),
    }
}

/// Without a branch: so the compiler looks at all of them at once.
#[inline]
fn has_sign(bytes: &[u8; 16]) -> bool {
    let signs = bytes.map(|byte| u8::from(is_sign(byte)));
    u128::from_ne_bytes(signs) != 0
}

/// Whether this byte may begin a secret: that of a URL, of a name, or of a scheme.
#[expect(clippy::needless_bitwise_bool, reason = "without a branch")]
fn is_sign(byte: u8) -> bool {
    (byte == b':') | (byte == b'=') | (byte | 0x20 == b'b')
}

fn is_secret_header(name: &str) -> bool {
    [
        "authorization",
        "proxy-authorization",
        "x-api-key",
        "api-key",
        "cookie",
        "set-cookie",
    ]
    .into_iter()
    .any(|secret| name.eq_ignore_ascii_case(secret))
}

fn is_secret_name(name: &str) -> bool {
    const ENDINGS: [&str; 9] = [
        "token",
        "password",
        "passwd",
        "pwd",
        "secret",
        "api_key",
        "apikey",
        "access_key",
        "signature",
    ];
    ENDINGS.into_iter().any(|ending| {
        name.len()
            .checked_sub(ending.len())
            .and_then(|start| name.get(start..))
            .is_some_and(|end| end.eq_ignore_ascii_case(ending))
    })
}

fn starts_with(text: &str, word: &str) -> bool {
    text.get(..word.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// The bytes in front of the first character that ends it.
fn length(text: &str, ends: impl Fn(char) -> bool) -> usize {
    text.find(ends).unwrap_or(text.len())
}

fn ends_url(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`' | ')' | ']' | '}' | '\\')
}

fn ends_value(c: char) -> bool {
    ends_url(c) || matches!(c, ',' | ';' | '&')
}

const MASK: &str = "***";

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    #[test]
    fn secrets_are_masked_where_they_stand() {
        for (text, masked) in [
            (
                "401: Bearer xaat-1234 is not valid",
                "401: Bearer *** is not valid",
            ),
            (
                "header \"Authorization: bearer: abcdefgh\"",
                "header \"Authorization: bearer: ***\"",
            ),
            (
                "authorization: Basic dXNlcjpwYXNzd29yZA==",
                "authorization: Basic ***",
            ),
            (
                "Authorization: 0123abc, refused",
                "Authorization: ***, refused",
            ),
            (
                "error for url (https://u:p@ss@h.io:80/a/b?key=s3cr3t&x=1): timed out",
                "error for url (https://***@h.io:80/a/b?***): timed out",
            ),
            (
                "postgres://me:pw@db/x refused",
                "postgres://***@db/x refused",
            ),
            (
                "GET https://h.io/cb#access_token=abc",
                "GET https://h.io/cb#***",
            ),
            (
                "POST /v1/x?access_token=abc&b=c failed",
                "POST /v1/x?access_token=***&b=c failed",
            ),
            ("password='hunter2' user=me", "password='***' user=me"),
            ("cut https://me:half-of-a-passw…", "cut https://***"),
            ("é=Bearer é1é", "é=Bearer ***"),
            (
                "two Bearer aaaaaaaa, Bearer bbbbbbbb.",
                "two Bearer ***, Bearer ***",
            ),
        ] {
            assert_eq!(redact(text), masked, "{text}");
            assert_eq!(redact(masked), masked, "once is enough");
        }
    }

    #[test]
    fn a_sign_is_found_wherever_it_stands() {
        for length in 0..70 {
            let plain = "x".repeat(length);
            assert!(is_plain(plain.as_bytes()), "{length}");
            for at in 0..length {
                for sign in [b':', b'=', b'b', b'B'] {
                    let mut text = plain.clone().into_bytes();
                    text[at] = sign;
                    assert!(!is_plain(&text), "{sign} at {at} of {length}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn it_is_as_if_every_byte_were_looked_at(
            parts in vec(prop_oneof![select(PARTS).prop_map(str::to_owned), "\\PC{0,20}"], 0..12),
        ) {
            let text = parts.concat();
            let mut found = Secrets::of(&text);
            while found.at < text.len() {
                found.look();
            }
            prop_assert_eq!(redact(&text), found.finish());
        }
    }

    const PARTS: &[&str] = &[
        "bearer ",
        "Basic: ",
        "b",
        "B",
        "abc1",
        "://",
        "me:pw@",
        "?",
        "=",
        ":",
        " ",
        "\"",
        ",",
        "é",
        "…",
        "password",
        "x-api-key",
        "the other side is not there",
    ];

    #[test]
    fn other_texts_are_not_copied() {
        for text in [
            "connection refused (os error 111)",
            "no bearer token given",
            "https://h.io:8080/a/b: 503",
            "basic auth is off: name=value",
            "time: 12:30, x=1",
            "",
        ] {
            assert!(
                matches!(redact(text), Cow::Borrowed(same) if same == text),
                "{text}"
            );
        }
    }
}
