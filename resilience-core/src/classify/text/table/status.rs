//! HTTP statuses.
//!
//! Source: the IANA registry of HTTP status codes (RFC 9110, 6585, 4918, 8470, 7725), nginx (499),
//! Cloudflare (520 to 530), Microsoft IIS (440, 498), Anthropic (529).

use crate::classify::text::rule::{Rank, Verdict, verdict};

/// A status and what it means.
pub(in crate::classify) struct Status {
    pub(in crate::classify) code: u16,
    pub(in crate::classify::text) rank: Rank,
    pub(in crate::classify) verdict: Verdict,
    /// For [`Classification::reason`](crate::Classification::reason).
    pub(in crate::classify) reason: &'static str,
    /// The registered phrase in normal form: a number before it stands in a status position.
    pub(in crate::classify::text) phrase: &'static str,
}

/// What a status means; a status that is not listed means what its class does (RFC 9110, 15).
pub(in crate::classify) fn of(code: u16) -> Option<&'static Status> {
    let listed = STATUSES.iter().find(|status| status.code == code);
    listed.or(match code {
        400..=499 => Some(&OTHER_4XX),
        500..=599 => Some(&OTHER_5XX),
        _ => None,
    })
}

macro_rules! statuses {
    ($($code:literal $phrase:literal $rank:ident $verdict:expr;)*) => {
        &[$(Status {
            code: $code,
            rank: Rank::$rank,
            verdict: $verdict,
            reason: concat!("HTTP ", $code, " (", $phrase, ")"),
            phrase: $phrase,
        },)*]
    };
}

static STATUSES: &[Status] = statuses![
    // Says only that the request was wrong; vendors put everything into it.
    400 "bad request" Vague verdict::VALIDATION;
    401 "unauthorized" Code verdict::AUTH;
    402 "payment required" Final verdict::QUOTA;
    403 "forbidden" Code verdict::AUTH;
    404 "not found" Code verdict::NOT_FOUND;
    405 "method not allowed" Code verdict::VALIDATION;
    406 "not acceptable" Code verdict::VALIDATION;
    407 "proxy authentication required" Code verdict::AUTH;
    408 "request timeout" Code verdict::TIMEOUT;
    409 "conflict" Code verdict::CONFLICT;
    410 "gone" Code verdict::NOT_FOUND;
    411 "length required" Code verdict::VALIDATION;
    412 "precondition failed" Code verdict::CONFLICT;
    413 "payload too large" Code verdict::VALIDATION;
    414 "uri too long" Code verdict::VALIDATION;
    415 "unsupported media type" Code verdict::VALIDATION;
    416 "range not satisfiable" Code verdict::VALIDATION;
    417 "expectation failed" Code verdict::VALIDATION;
    // Weaviate and others use it for all that they cannot do, a missing leader included.
    422 "unprocessable entity" Vague verdict::VALIDATION;
    423 "locked" Code verdict::COLLISION;
    424 "failed dependency" Vague verdict::SERVICE;
    // RFC 8470: the server did not process it and asks for the same request again.
    425 "too early" Code verdict::SERVICE_BUSY;
    426 "upgrade required" Code verdict::VALIDATION;
    428 "precondition required" Code verdict::CONFLICT;
    429 "too many requests" Code verdict::THROTTLED;
    431 "request header fields too large" Code verdict::VALIDATION;
    440 "login time out" Code verdict::AUTH;
    451 "unavailable for legal reasons" Code verdict::AUTH;
    498 "invalid token" Code verdict::AUTH;
    499 "client closed request" Code verdict::CANCELLED;
    // Retryable unless the text says why not.
    500 "internal server error" Vague verdict::SERVICE;
    501 "not implemented" Code verdict::SERVICE_FINAL;
    502 "bad gateway" Code verdict::SERVICE;
    503 "service unavailable" Code verdict::SERVICE;
    504 "gateway timeout" Code verdict::SERVICE;
    505 "http version not supported" Code verdict::NETWORK_FINAL;
    507 "insufficient storage" Code verdict::SERVICE_FINAL;
    508 "loop detected" Code verdict::SERVICE_FINAL;
    509 "bandwidth limit exceeded" Code verdict::THROTTLED;
    511 "network authentication required" Code verdict::AUTH;
    520 "web server returned an unknown error" Code verdict::SERVICE;
    521 "web server is down" Code verdict::SERVICE_BUSY;
    522 "connection timed out" Decisive verdict::SERVICE;
    523 "origin is unreachable" Code verdict::SERVICE_BUSY;
    524 "a timeout occurred" Decisive verdict::SERVICE;
    525 "ssl handshake failed" Code verdict::SERVICE;
    526 "invalid ssl certificate" Code verdict::SERVICE_FINAL;
    529 "overloaded" Code verdict::SERVICE_BUSY;
    530 "origin dns error" Code verdict::SERVICE;
];

static OTHER_4XX: Status = Status {
    code: 400,
    rank: Rank::Vague,
    verdict: verdict::VALIDATION,
    reason: "HTTP 4xx",
    phrase: "client error",
};

static OTHER_5XX: Status = Status {
    code: 500,
    rank: Rank::Vague,
    verdict: verdict::SERVICE_UNSURE,
    reason: "HTTP 5xx",
    phrase: "server error",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_that_is_not_listed_means_what_its_class_does() {
        assert_eq!(of(418).map(|status| status.reason), Some("HTTP 4xx"));
        assert_eq!(of(599).map(|status| status.reason), Some("HTTP 5xx"));
        assert!(of(399).is_none() && of(600).is_none());
    }

    #[test]
    fn statuses_are_listed_once_and_in_order() {
        assert!(STATUSES.windows(2).all(|pair| pair[0].code < pair[1].code));
    }
}
