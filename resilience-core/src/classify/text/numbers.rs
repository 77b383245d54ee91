//! Numbers that are codes because of where they stand.
//!
//! 404 is a status in `HTTP 404`, `status: 404`, `404 Not Found` and `API error (404)`, and nothing
//! in `404 lines`, `job 404` or `position 404`.

use super::matcher::Finding;
use super::normal::Normal;
use super::rule::{Rank, Verdict, verdict};
use super::table::status::Status;
use super::table::{os, smtp, sql, status, vendor};

/// Offers every code in the text.
pub(super) fn read(text: &Normal<'_>, mut offer: impl FnMut(Finding)) {
    let words = text.words;
    let mut from = 0;
    while let Some(digit) = words[from..].iter().position(u8::is_ascii_digit) {
        let (_, start) = text.word_before(from + digit);
        let length = words[start..].iter().position(|&byte| byte == b' ');
        let end = length.map_or(words.len(), |length| start + length);
        // The longest are AADSTS7000215 and -2146893018; SQLSTATEs may begin with a letter.
        if end - start <= 13 {
            Place { text, start, end }.read(&mut offer);
        }
        from = end;
    }
}

/// A word and its surroundings.
#[derive(Clone, Copy)]
struct Place<'a> {
    text: &'a Normal<'a>,
    start: usize,
    end: usize,
}

impl<'a> Place<'a> {
    fn read(self, offer: &mut impl FnMut(Finding)) {
        let Self { start, end, .. } = self;
        let mut offer = |rank: Rank, verdict: Verdict, reason: &'static str| {
            offer(Finding {
                rank,
                verdict,
                reason,
                is_code: true,
                start,
                end,
            });
        };
        if let Some(code) = self.word().strip_prefix(b"aadsts") {
            let (verdict, reason) = vendor::entra(number(code));
            offer(Rank::Code, verdict, reason);
        } else if let Some(reply) = self.smtp() {
            offer(Rank::Code, reply.verdict, reply.reason);
        } else if let Some(state) = self.sql_state() {
            offer(state.rank, state.verdict, state.reason);
        } else if let Some(number) = number(self.word()) {
            if self.is_column() {
                offer(
                    Rank::Loose,
                    verdict::VALIDATION,
                    "a place in a text: line and column",
                );
            } else if let Some(errno) = self.errno(number) {
                offer(Rank::Code, errno.verdict, errno.reason);
            } else if let Some(code) = self.vendor(number) {
                offer(code.rank, code.verdict, code.reason);
            } else if let Some(status) = self.status(number) {
                offer(status.rank, status.verdict, status.reason);
            }
        }
    }

    fn word(self) -> &'a [u8] {
        &self.text.words[self.start..self.end]
    }

    /// The word before, and the one before that.
    fn before(self) -> (&'a [u8], &'a [u8]) {
        let (one, at) = self.text.word_before(self.start - 1);
        let two = if at > 1 {
            self.text.word_before(at - 1).0
        } else {
            &[][..]
        };
        (one, two)
    }

    fn after(self) -> &'a [u8] {
        self.text.word_after(self.end)
    }

    /// The bytes of the original text around the word.
    fn around(self) -> (Option<u8>, Option<u8>) {
        let (start, end) = self.text.raw_range(self.start, self.end);
        let before = start.checked_sub(1).map(|at| self.text.raw[at]);
        (before, self.text.raw.get(end).copied())
    }

    /// `(SQLSTATE 40001)`, `SQLSTATE[HY000]`, `ERROR 1213 (40001)`, `code: '23505'`, or a code
    /// with letters in it, which cannot be a number.
    fn sql_state(self) -> Option<&'static sql::SqlState> {
        let word = self.word();
        if word.len() != 5 || !word.iter().all(u8::is_ascii_alphanumeric) {
            return None;
        }
        let (one, two) = self.before();
        let (before, after) = self.around();
        let cue = matches!(one, b"sqlstate" | b"pgcode" | b"sqlcode" | b"state");
        let mysql =
            two == b"error" && number(one).is_some() && (before, after) == (Some(b'('), Some(b')'));
        let quoted = matches!(one, b"code")
            && matches!(before, Some(b'\'' | b'"'))
            && matches!(after, Some(b'\'' | b'"'));
        let digits = word.iter().filter(|byte| byte.is_ascii_digit()).count();
        let letters = digits == 4 && matches!(word[2], b'p' | b's') && word[0].is_ascii_digit();
        if cue || mysql || quoted || letters {
            sql::state(word)
        } else {
            None
        }
    }

    fn mentions(self, letters: &[u8]) -> bool {
        self.text.mentions(letters, self.start)
    }

    /// `450 4.2.1 …`, `(550, b'5.1.1 …')`, `dsn=4.4.1`, `SMTP error 421`, `450 Requested mail
    /// action not taken`.
    fn smtp(self) -> Option<smtp::Reply> {
        let (one, two) = self.before();
        if let Some(parts) = three_parts(self.word()) {
            // Python prints bytes.
            let reply = if one == b"b" { two } else { one };
            let replied = reply.len() == 3
                && number(reply).is_some_and(|reply| reply / 100 == i32::from(parts[0]));
            let named = matches!(one, b"dsn" | b"smtp") || (one == b"status" && two == b"smtp");
            return if replied || named {
                smtp::enhanced(parts)
            } else {
                None
            };
        }
        if self.word().len() != 3 {
            return None;
        }
        let named = one == b"smtp"
            || (two == b"smtp"
                && matches!(one, b"error" | b"code" | b"status" | b"reply" | b"response"));
        let worded = self.followed_by("requested mail action")
            || self.followed_by("requested action")
            || (self.begins_a_part() && self.heads_a_message() && self.mentions(b"smtp"));
        if named || worded {
            smtp::basic(u16::try_from(number(self.word())?).ok()?)
        } else {
            None
        }
    }

    /// `os error 111`, `errno=104`, `[Errno 28]`, `Os { code: 2,`, `(110: Connection …`,
    /// `WSA error 10061`.
    fn errno(self, number: i32) -> Option<&'static os::Errno> {
        let (one, two) = self.before();
        let cue = (two == b"os" && matches!(one, b"error" | b"code"))
            || one == b"errno"
            || (two == b"domain" && matches!(one, b"code" | b"error") && self.is_posix_domain())
            // nginx
            || (self.around() == (Some(b'('), Some(b':')))
            || ((10_000..12_000).contains(&number) && matches!(one, b"error" | b"code" | b"winsock" | b"wsa"));
        // libuv and Python's `exc.errno` print some negated. Small ones are other things: Python
        // numbers the failures of name lookup from -2 to -11.
        let number = if (-999_999..-12).contains(&number) {
            -number
        } else {
            number
        };
        if !cue {
            None
        } else if os::SCHANNEL.iter().any(|range| range.contains(&number)) {
            Some(&os::TLS)
        } else {
            os::anywhere(number)
        }
    }

    /// Apple's `Error Domain=NSPOSIXErrorDomain Code=54`.
    fn is_posix_domain(self) -> bool {
        let before = &self.text.words[..self.start - 1];
        before.ends_with(b" nsposix error domain code")
            || before.ends_with(b" nsposix error domain error")
    }

    /// `at line 3 column 14`: where a parser stopped.
    fn is_column(self) -> bool {
        let before = &self.text.words[..self.start - 1];
        before.strip_suffix(b" column").is_some_and(|before| {
            let line = before.trim_ascii_end();
            let digits = line.iter().rev().take_while(|byte| byte.is_ascii_digit());
            let digits = digits.count();
            digits > 0 && line[..line.len() - digits].ends_with(b" line ")
        })
    }

    fn vendor(self, number: i32) -> Option<&'static vendor::Numbered> {
        let cue = self.before().0;
        // `close code 1006 is not valid`
        if !vendor::is_cue(cue)
            || self.followed_by("is not valid")
            || self.followed_by("is invalid")
        {
            return None;
        }
        // Any API has codes of four digits.
        let is_database = cue != b"code" || self.mentions(b"sql") || self.mentions(b"maria");
        let follows = |cue: &&str| {
            let before = &self.text.words[..self.start - 1];
            before
                .strip_suffix(cue.as_bytes())
                .is_some_and(|rest| rest.ends_with(b" "))
        };
        // Rust on Windows; the numbers of Linux end at 133.
        let windows = number > 133 && follows(&"os error");
        vendor::NUMBERED.iter().find(|code| {
            code.numbers.iter().any(|range| range.contains(&number))
                && (is_database || code.cues != vendor::MYSQL)
                && (code.cues != vendor::CURL_EXIT || self.mentions(b"curl"))
                && (code.cues.iter().any(follows) || (windows && code.cues == vendor::WINDOWS))
        })
    }

    fn status(self, number: i32) -> Option<&'static Status> {
        if self.word().len() != 3 {
            return None;
        }
        let status = status::of(u16::try_from(number).ok()?)?;
        let stands = self.has_status_cue()
            || self.followed_by(status.phrase)
            || (self.is_bracketed() && self.is_beside_a_failure())
            || (self.begins_a_part() && self.heads_a_message());
        stands.then_some(status)
    }

    /// `status: 404`, `HTTP/1.1 404`, `status code was 404`, `API error 404`, `got 404`.
    fn has_status_cue(self) -> bool {
        // `a 503 status code`
        if matches!(self.after(), b"status" | b"http")
            || self.followed_by("error response")
            || self.followed_by("error responses")
        {
            return true;
        }
        let (one, two) = self.before();
        match one {
            b"code" => !matches!(
                two,
                b"exit" | b"return" | b"signal" | b"postal" | b"zip" | b"area"
            ),
            b"status" => two != b"exit",
            b"http" | b"https" | b"statuscode" | b"error" | b"err" => true,
            b"1.0" | b"1.1" | b"2" | b"2.0" | b"3" => two == b"http",
            b"is" | b"was" | b"of" => matches!(two, b"status" | b"code"),
            b"got" | b"with" | b"returned" | b"received" | b"response" | b"responded"
            | b"answered" => !self.counts_something(),
            _ => false,
        }
    }

    fn followed_by(self, phrase: &str) -> bool {
        let rest = self.text.words.get(self.end + 1..).unwrap_or_default();
        rest.strip_prefix(phrase.as_bytes())
            .is_some_and(|rest| rest.starts_with(b" "))
    }

    /// `(404)`
    fn is_bracketed(self) -> bool {
        matches!(
            self.around(),
            (Some(b'('), Some(b')')) | (Some(b'['), Some(b']'))
        )
    }

    fn is_beside_a_failure(self) -> bool {
        let (one, two) = self.before();
        [one, two, self.after()].iter().any(|word| {
            matches!(
                *word,
                b"error"
                    | b"errors"
                    | b"failed"
                    | b"failure"
                    | b"fetch"
                    | b"download"
                    | b"upload"
                    | b"exception"
                    | b"response"
                    | b"request"
                    | b"rejected"
                    | b"denied"
                    | b"found"
                    | b"forbidden"
                    | b"unauthorized"
                    | b"unavailable"
                    | b"conflict"
                    | b"gateway"
                    | b"http"
                    | b"server"
            )
        })
    }

    /// At the start of the text, of a line, or after a colon.
    fn begins_a_part(self) -> bool {
        let (start, _) = self.text.raw_range(self.start, self.end);
        let before = self.text.raw[..start].trim_ascii_end();
        let before = before.strip_suffix(b"\"").unwrap_or(before);
        before.is_empty()
            || before.ends_with(b":")
            || self.text.raw[before.len()..start].contains(&b'\n')
    }

    /// `404 - no such thing`, `529 {"type": …`, `401 Incorrect API key`, or nothing more.
    fn heads_a_message(self) -> bool {
        let (_, end) = self.text.raw_range(self.start, self.end);
        let rest = &self.text.raw[end..];
        match rest {
            // `failed to fetch: 404`
            [] if self.start > 1 => self.is_beside_a_failure(),
            [] | [b':', b' ', ..] => self.start == 1,
            [b' ', b'{' | b'-' | b'<' | b':' | b'A'..=b'Z', ..] => true,
            _ => false,
        }
    }

    /// `404 lines`
    fn counts_something(self) -> bool {
        let (_, end) = self.text.raw_range(self.start, self.end);
        let joined = matches!(self.text.raw[end..], [b' ', b'a'..=b'z', ..]);
        joined
            && !matches!(
                self.after(),
                b"for"
                    | b"from"
                    | b"on"
                    | b"at"
                    | b"when"
                    | b"while"
                    | b"and"
                    | b"in"
                    | b"with"
                    | b"error"
                    | b"status"
                    | b"response"
            )
    }
}

/// `4.2.1`
fn three_parts(word: &[u8]) -> Option<[u16; 3]> {
    let mut parts = std::str::from_utf8(word).ok()?.split('.');
    let mut next = || parts.next()?.parse().ok();
    let three = [next()?, next()?, next()?];
    parts.next().is_none().then_some(three)
}

/// A decimal number that fits; `None` for versions and the like.
fn number(word: &[u8]) -> Option<i32> {
    std::str::from_utf8(word).ok()?.parse().ok()
}
