//! Takes secrets out of texts before anybody keeps or exports them.
//!
//! An error's text is written by others: clients put the URL of a request into it, proxies the
//! header that they did not like. Masked are what follows `Bearer` or `Basic`, the values of
//! `Authorization` and `Cookie`, the user-info and the query of a URL, and the value of a name that
//! says that it is secret (`password=..`, `"api_key": ".."`). Everything else stays as it is; a text
//! without any of these is not copied.
//!
//! A sentence may end in such a name, as in `unexpected token: identifier`: where a colon follows that
//! is not in quotes, only what looks like a secret is taken for one.

use std::borrow::Cow;

/// The text without the secrets that can be told by where they stand: what follows `Bearer` or
/// `Basic`, the values of `Authorization` and `Cookie`, the user-info and query of a URL, the value of
/// a name such as `password` or `api_key`.
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
            self.named(false);
        }
    }

    /// `name=` may name a secret.
    fn equals(&mut self) {
        self.named(true);
    }

    /// The authority of a URL, and what follows it.
    fn url(&mut self) {
        let user_info = self.at + self.user_info();
        if user_info > self.at {
            self.mask(self.at, user_info);
        }
        self.at = user_info;
        // `Endpoint=sb://x/;AccountKey=..` goes on behind its URL.
        self.at += length(self.rest(), |c| ends_url(c) || matches!(c, '?' | '#' | ';'));
        if self.rest().starts_with(['?', '#']) {
            let end = self.at + length(self.rest(), ends_url);
            if self.at + 1 < end {
                self.mask(self.at + 1, end);
            }
            self.at = end;
        }
    }

    /// How much of the authority here is user-info.
    fn user_info(&self) -> usize {
        let rest = self.rest();
        let authority = length(rest, |c| ends_url(c) || matches!(c, '/' | '?' | '#'));
        let authority = &rest[..authority];
        if let Some(user_info) = authority.rfind('@') {
            return user_info;
        }
        let Some((_, port)) = authority.rsplit_once(':') else {
            return 0;
        };
        if port.ends_with('…') {
            // The text was cut here, perhaps before an `@`.
            return authority.len();
        }
        if port.bytes().all(|byte| byte.is_ascii_digit()) {
            return 0;
        }
        // No port looks like that: a password with a `/` or a bracket that nobody has escaped.
        let word = rest.bytes().take(LONGEST_USER_INFO);
        let word = word.take_while(|byte| !(byte.is_ascii_whitespace() || *byte == b'"'));
        let at_signs = word.enumerate().filter(|(_, byte)| *byte == b'@');
        at_signs.last().map_or(0, |(user_info, _)| user_info)
    }

    /// `Bearer` and `Basic`, as words, with what they introduce behind them.
    fn scheme_word(&mut self) {
        let before = self.text[..self.at].chars().next_back();
        let scheme = scheme(self.rest()).filter(|_| !before.is_some_and(char::is_alphanumeric));
        let Some(word) = scheme else {
            self.at += 1;
            return;
        };
        self.at += word.len();
        let gap = length(self.rest(), |c| !is_gap(c));
        if gap > 0 {
            self.at += gap;
            // In prose the next word is part of a sentence: a credential has digits or is long.
            let least = if word == "bearer" { 8 } else { 12 };
            self.value(least);
        }
    }

    /// What stands in front of the sign at hand may be the name of a secret.
    fn named(&mut self, is_assigned: bool) {
        let before = self.text[..self.at].trim_end_matches(' ');
        let unquoted = before.trim_end_matches(is_quote);
        let is_quoted = unquoted.len() < before.len();
        let before = unquoted.trim_end_matches(' ');
        let name = before
            .rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
            .map_or(before, |i| {
                &before[i + before[i..].chars().next().map_or(1, char::len_utf8)..]
            });
        self.at += 1;
        let Some(secret) = Secret::of(name) else {
            return;
        };
        // `name => value`
        self.at += length(self.rest(), |c| !matches!(c, ' ' | '>'));
        // Rust writes options so.
        if self.rest().starts_with("Some(") {
            self.at += "Some(".len();
        }
        let quote = self.opening_quote();
        match (secret, quote) {
            (Secret::Credentials, quote) => self.credentials(quote),
            (Secret::Cookies, None) => self.cookies(),
            (Secret::Key | Secret::Cookies, Some(quote)) => self.quoted(quote, 0),
            (Secret::Key, None) => self.value(0),
            (Secret::Value, Some(quote)) if is_assigned || is_quoted => self.quoted(quote, 0),
            // `unexpected token: "}"`
            (Secret::Value, Some(quote)) => self.quoted(quote, 4),
            (Secret::Value, None) if is_assigned => self.value(0),
            // `invalid password: must not be empty`
            (Secret::Value, None) => self.value(20),
        }
    }

    /// The value of `Authorization`: a scheme with what it introduces, or that alone.
    fn credentials(&mut self, quote: Option<Quote>) {
        let known = scheme(self.rest()).map_or(0, str::len);
        if known > 0 {
            self.at += known;
            self.at += length(self.rest(), |c| !is_gap(c));
        }
        match quote {
            Some(quote) => self.quoted(quote, 0),
            None if known > 0 => {
                // `authorization: bearer token required`
                let word = length(self.rest(), |c| !c.is_ascii_lowercase());
                let is_prose = word < 8 && self.rest()[word..].starts_with([' ', ',']);
                self.value(if is_prose { usize::MAX } else { 0 });
            }
            None => {
                let first = self.at + length(self.rest(), ends_value);
                let next = self.text[first..].strip_prefix(' ').unwrap_or_default();
                let next = &next[..length(next, ends_value)];
                // `Token abc1`, `AWS4-HMAC-SHA256 Credential=..`
                let end = if next.contains('=') || is_credential(next, 12) {
                    first + 1 + next.len()
                } else {
                    first
                };
                self.mask(self.at, end);
                self.at = end;
            }
        }
    }

    /// `a=b; c=d`
    fn cookies(&mut self) {
        let mut end = self.at + length(self.rest(), ends_value);
        while let Some(next) = self.text[end..].strip_prefix(';') {
            let next = next.trim_start_matches(' ');
            let pair = length(next, ends_value);
            if !next[..pair].contains('=') {
                break;
            }
            end = self.text.len() - next.len() + pair;
        }
        if end > self.at {
            self.mask(self.at, end);
        }
        self.at = end;
    }

    /// The quote that opens here, if one does.
    fn opening_quote(&mut self) -> Option<Quote> {
        let escapes = length(self.rest(), |c| c != '\\');
        let sign = *self.rest().as_bytes().get(escapes)?;
        matches!(sign, b'"' | b'\'').then(|| {
            self.at += escapes + 1;
            Quote { sign, escapes }
        })
    }

    /// Masks what is left in the quotes, at least `least` long or with a digit: up to one like the
    /// opening one, else to the end of the line.
    fn quoted(&mut self, quote: Quote, least: usize) {
        let mut escapes = 0;
        let mut end = self.text.len();
        for (at, byte) in self.text.bytes().enumerate().skip(self.at) {
            match byte {
                b'\\' => escapes += 1,
                b'\n' => {
                    end = at;
                    break;
                }
                sign if sign == quote.sign && escapes <= quote.escapes => {
                    end = at - escapes;
                    break;
                }
                _ => escapes = 0,
            }
        }
        self.up_to(end, least);
    }

    /// Masks the value here, if it is at least `least` long or has a digit.
    fn value(&mut self, least: usize) {
        self.up_to(self.at + length(self.rest(), ends_value), least);
    }

    fn up_to(&mut self, end: usize, least: usize) {
        if end > self.at && is_credential(&self.text[self.at..end], least) {
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

/// Quotes, with the backslashes before each where they stand in a text that is quoted itself.
#[derive(Clone, Copy)]
struct Quote {
    sign: u8,
    escapes: usize,
}

/// What a name says of its value.
#[derive(Clone, Copy)]
enum Secret {
    /// Of the header `Authorization`.
    Credentials,
    /// Of the header `Cookie`.
    Cookies,
    /// A header that has nothing but a key.
    Key,
    /// A name that a program may have, and a sentence as well.
    Value,
}

impl Secret {
    fn of(name: &str) -> Option<Self> {
        // Most names are none, and seen to be none by their last letter.
        if !matches!(
            name.as_bytes().last()? | 0x20,
            b'd' | b'e' | b'n' | b't' | b'y'
        ) {
            return None;
        }
        let is_one_of = |names: &[&str]| names.iter().any(|one| name.eq_ignore_ascii_case(one));
        if is_one_of(&["authorization", "proxy-authorization"]) {
            Some(Self::Credentials)
        } else if is_one_of(&["cookie", "set-cookie"]) {
            Some(Self::Cookies)
        } else if is_one_of(&["x-api-key", "api-key"]) {
            Some(Self::Key)
        } else {
            let is_secret = ENDINGS.iter().any(|ending| ends_with(name, ending));
            is_secret.then_some(Self::Value)
        }
    }
}

/// Whether a name ends like this, with or without `_` and `-` between its words.
fn ends_with(name: &str, ending: &str) -> bool {
    let letters = name.bytes().rev();
    let mut letters = letters.filter(|byte| !matches!(byte, b'_' | b'-'));
    ending.bytes().rev().all(|letter| {
        letters
            .next()
            .is_some_and(|other| other.eq_ignore_ascii_case(&letter))
    })
}

/// A word that introduces credentials.
fn scheme(text: &str) -> Option<&'static str> {
    ["bearer", "basic"]
        .into_iter()
        .find(|word| starts_with(text, word))
}

/// What may stand between a scheme and its credentials.
fn is_gap(c: char) -> bool {
    c.is_whitespace() || matches!(c, ':' | '=') || is_quote(c)
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '\\')
}

/// Whether it is so long, or has a digit, as words of a sentence have none; or was cut.
fn is_credential(value: &str, least: usize) -> bool {
    value.len() >= least || value.bytes().any(|byte| byte.is_ascii_digit()) || value.ends_with('…')
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

const ENDINGS: [&str; 12] = [
    "token",
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "apikey",
    "accesskey",
    "accountkey",
    "privatekey",
    "secretkey",
    "signature",
];
const MASK: &str = "***";
/// Nobody has a longer one.
const LONGEST_USER_INFO: usize = 256;

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
    fn quotes_are_masked_up_to_their_end() {
        for (text, masked) in [
            (
                r#"{"api_key":"sk-1","user":"me","password": "a b"}"#,
                r#"{"api_key":"***","user":"me","password": "***"}"#,
            ),
            (
                r#"got "{\"apiKey\":\"a \\\"b\\\" c\",\"x\":1}""#,
                r#"got "{\"apiKey\":\"***\",\"x\":1}""#,
            ),
            (
                r#"Login { user: "me", password: "hunter2 ", token: Some("a-b c") }"#,
                r#"Login { user: "me", password: "***", token: Some("***") }"#,
            ),
            ("PASSWORD='a,b;c d' x", "PASSWORD='***' x"),
            (r#"secret => "ab""#, r#"secret => "***""#),
            ("\"client-secret\": \"cut he…", "\"client-secret\": \"***"),
            ("token: \"open\nuser: me", "token: \"***\nuser: me"),
            (
                r#"{"Authorization": "Bearer a b", "cookie": "a=b; c=d"}"#,
                r#"{"Authorization": "Bearer ***", "cookie": "***"}"#,
            ),
        ] {
            assert_eq!(redact(text), masked, "{text}");
            assert_eq!(redact(masked), masked, "once is enough");
        }
    }

    #[test]
    fn all_of_a_header_is_masked() {
        for (text, masked) in [
            ("authorization: Token abc123", "authorization: ***"),
            ("Authorization: Basic dTpw", "Authorization: Basic ***"),
            (
                "Authorization: AWS4-HMAC-SHA256 Credential=AK/us/s3, SignedHeaders=a, Signature=5d",
                "Authorization: ***, SignedHeaders=a, Signature=***",
            ),
            ("Cookie: a=b; sid=xyz; c=d\nHost: x", "Cookie: ***\nHost: x"),
            ("X-Auth-Token: abc123 refused", "X-Auth-Token: *** refused"),
            ("cut at Bearer abc…", "cut at Bearer ***"),
        ] {
            assert_eq!(redact(text), masked, "{text}");
            assert_eq!(redact(masked), masked, "once is enough");
        }
    }

    #[test]
    fn a_password_that_nobody_has_escaped_is_masked_in_a_url() {
        for (text, masked) in [
            ("postgres://u:p/w@db/x", "postgres://***@db/x"),
            ("(amqp://u:p)w'@mq?a=b)", "(amqp://***@mq?***)"),
            (
                "Endpoint=sb://x.net/;SharedAccessKey=ab=",
                "Endpoint=sb://x.net/;SharedAccessKey=***",
            ),
        ] {
            assert_eq!(redact(text), masked, "{text}");
        }
    }

    /// 200 kB of each; where every sign looks through the rest, that takes minutes.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "what is tested is the real time")]
    fn time_grows_with_the_length_alone() {
        let begun = std::time::Instant::now();
        for part in [
            ":",
            "=",
            "b",
            "\":",
            "\\\"",
            "a:b)",
            "://a:b)",
            "password=\"",
            "token: '\\",
            "cookie: a=b;",
            "authorization: a ",
            "bearer ",
            " password :",
            "a_-=",
        ] {
            let text = part.repeat(200_000 / part.len());
            redact(&text);
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(60));
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
            "unexpected token: identifier",
            "invalid password: must not be empty",
            "unexpected token: \"}\"",
            "max_tokens=512",
            "http://[fe80::abcd]:80/a",
            "http://host:port/path",
            "",
        ] {
            assert!(
                matches!(redact(text), Cow::Borrowed(same) if same == text),
                "{text}"
            );
        }
    }
}
