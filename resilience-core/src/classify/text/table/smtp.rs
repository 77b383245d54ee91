//! Replies of mail servers.
//!
//! Source: RFC 5321, 4.2 (three digits; the first one tells whether a later attempt may succeed), and
//! the IANA registry of enhanced status codes (RFC 3463, 2034, 4954): class, subject, detail.

use crate::classify::text::rule::{Verdict, verdict};

/// What a mail server answered.
pub(in crate::classify::text) struct Reply {
    pub(in crate::classify::text) verdict: Verdict,
    pub(in crate::classify::text) reason: &'static str,
}

/// What `4.2.2` means, in three parts.
pub(in crate::classify::text) fn enhanced(parts: [u16; 3]) -> Option<Reply> {
    let (verdict, reason) = match parts {
        // A persistent transient failure: the same message may be accepted later.
        [4, _, _] => (verdict::SERVICE, "SMTP 4.x.x (transient)"),
        [5, 1, 1 | 2 | 6 | 10] => (verdict::NOT_FOUND, "SMTP 5.1.x (no such address)"),
        [5, 1, _] => (verdict::VALIDATION, "SMTP 5.1.x (bad address)"),
        [5, 2, 2] => (verdict::QUOTA, "SMTP 5.2.2 (mailbox full)"),
        [5, 2 | 3, 3 | 4] => (verdict::VALIDATION, "SMTP 5.3.4 (message too big)"),
        [5, 2..=4, _] => (verdict::SERVICE_FINAL, "SMTP 5.x.x (mail system)"),
        [5, 5 | 6, _] => (verdict::VALIDATION, "SMTP 5.5.x, 5.6.x (protocol, content)"),
        [5, 7, _] => (verdict::AUTH, "SMTP 5.7.x (security or policy)"),
        _ => return None,
    };
    Some(Reply { verdict, reason })
}

/// What a bare reply means, where it is known to come from a mail server.
pub(in crate::classify::text) fn basic(code: u16) -> Option<Reply> {
    let (verdict, reason) = match code {
        400..=499 => (verdict::SERVICE, "SMTP 4xx (transient)"),
        500..=504 | 553 | 555 => (verdict::VALIDATION, "SMTP 5xx (syntax)"),
        530..=538 => (verdict::AUTH, "SMTP 53x (authentication)"),
        550 | 551 => (verdict::NOT_FOUND, "SMTP 550 (mailbox unavailable)"),
        552 => (verdict::QUOTA, "SMTP 552 (storage exceeded)"),
        500..=599 => (verdict::SERVICE_FINAL, "SMTP 5xx (permanent)"),
        _ => return None,
    };
    Some(Reply { verdict, reason })
}
