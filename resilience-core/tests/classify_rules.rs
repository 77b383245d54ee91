//! The sentences of the taxonomy about statuses, one table each.

use resilience_core::classify::text;
use resilience_core::{Category, Effect, Fault, Retry};

fn retry_of(message: &str) -> Retry {
    text(message).retry()
}

/// The forms in which a status arrives in texts.
fn forms(status: u16, phrase: &str) -> [String; 6] {
    [
        format!("HTTP {status}"),
        format!("status: {status}"),
        format!("{status} {phrase}"),
        format!("HTTP status error ({status} {phrase}) for url (http://x.example/)"),
        format!("Request failed with status code {status}"),
        format!("Error code: {status} - {{'error': {{'message': 'no'}}}}"),
    ]
}

#[test]
fn some_statuses_are_retryable() {
    for (status, phrase, category) in [
        (408, "Request Timeout", Category::TIMEOUT),
        (425, "Too Early", Category::SERVICE),
        (429, "Too Many Requests", Category::RATE_LIMIT),
        (500, "Internal Server Error", Category::SERVICE),
        (502, "Bad Gateway", Category::SERVICE),
        (503, "Service Unavailable", Category::SERVICE),
        (504, "Gateway Timeout", Category::SERVICE),
    ] {
        for message in forms(status, phrase) {
            let found = text(&message);
            let gateway_timeout = status == 504 && found.category() == Category::TIMEOUT;
            assert!(
                found.category() == category || gateway_timeout,
                "{message}: {found:?}"
            );
            assert_eq!(found.retry(), Retry::Yes, "{message}");
            assert_eq!(found.fault(), Fault::Remote, "{message}");
        }
    }
}

#[test]
fn other_statuses_are_final_and_the_callers_fault() {
    for (status, phrase, category) in [
        (400, "Bad Request", Category::VALIDATION),
        (401, "Unauthorized", Category::AUTH),
        (403, "Forbidden", Category::AUTH),
        (404, "Not Found", Category::NOT_FOUND),
        (409, "Conflict", Category::CONFLICT),
        (413, "Payload Too Large", Category::VALIDATION),
        (422, "Unprocessable Entity", Category::VALIDATION),
    ] {
        for message in forms(status, phrase) {
            let found = text(&message);
            assert_eq!(found.category(), category, "{message}: {found:?}");
            assert_eq!(found.retry(), Retry::No, "{message}");
            assert_eq!(found.fault(), Fault::Caller, "{message}");
        }
    }
}

#[test]
fn a_refusal_for_pace_is_final_with_words_of_quota_billing_or_plan() {
    for message in [
        "429 Too Many Requests: quota exceeded",
        "429: You exceeded your current quota, please check your plan and billing details.",
        "Error code: 429 - {'error': {'type': 'insufficient_quota'}}",
        "HTTP 429: billing is not active",
        "429 Too Many Requests - limit of your plan reached, upgrade to go on",
        "too many requests: the monthly allowance is used up",
        "status: ResourceExhausted, message: \"quota exceeded for project 1: requests per day\"",
        "rate limit exceeded for the free tier",
        "429 Too Many Requests: 1000 requests per day are included in your subscription",
        "HTTP 402 Payment Required",
    ] {
        let found = text(message);
        assert_eq!(
            (found.category(), found.retry()),
            (Category::RATE_LIMIT, Retry::No),
            "{message}: {}",
            found.reason()
        );
        assert_eq!(
            found.retry_after(),
            None,
            "{message}: nothing comes by waiting"
        );
    }
    // A window that ends soon, or a time to wait, says that it is about pace after all.
    for message in [
        "429 Quota exceeded for requests_per_minute_per_project",
        "429 Too Many Requests: quota of 3 requests per second",
        "429: rate limit of your plan reached, try again in 20s",
        // Google Cloud writes this for pace and says to retry (Vertex AI, "Error code 429").
        "429 RESOURCE_EXHAUSTED: Resource has been exhausted (e.g. check quota).",
        "429 Too Many Requests",
    ] {
        assert_eq!(retry_of(message), Retry::Yes, "{message}");
    }
}

#[test]
fn an_internal_error_that_says_why_is_what_it_says() {
    for (message, category) in [
        (
            "HTTP 500: {\"error\":\"missing field `name`\"}",
            Category::VALIDATION,
        ),
        (
            "500 Internal Server Error: duplicate key value violates unique constraint \"x\"",
            Category::CONFLICT,
        ),
        (
            "status code 500: model requires more system memory (3 GiB) than is available",
            Category::MEMORY,
        ),
        (
            "500: relation \"users\" does not exist",
            Category::NOT_FOUND,
        ),
        (
            "Error 500: string field contains invalid UTF-8",
            Category::ENCODING,
        ),
        (
            "HTTP 500: No space left on device (os error 28)",
            Category::FILESYSTEM,
        ),
        ("HTTP 500: permission denied for table x", Category::AUTH),
    ] {
        let found = text(message);
        assert_eq!(
            (found.category(), found.retry()),
            (category, Retry::No),
            "{message}: {}",
            found.reason()
        );
    }
    // Why, and that it passes.
    for message in [
        "HTTP 500: connection reset by peer",
        "HTTP 500: could not serialize access due to concurrent update",
        "500 Internal Server Error: please try again later",
    ] {
        assert_eq!(retry_of(message), Retry::Yes, "{message}");
    }
}

/// Vendors that send a retryable failure with a final status, and where they say so.
#[test]
fn documented_exceptions_of_vendors() {
    for (message, category) in [
        // DynamoDB Developer Guide, "Error handling": 400 with these codes, "OK to retry? Yes".
        (
            "400 Bad Request: ProvisionedThroughputExceededException",
            Category::RATE_LIMIT,
        ),
        (
            "StatusCode: 400, api error ThrottlingException: Rate exceeded",
            Category::RATE_LIMIT,
        ),
        (
            "StatusCode: 400, TransactionConflictException",
            Category::CONFLICT,
        ),
        // Amazon S3 API Reference, "List of error codes": RequestTimeout is 400.
        (
            "status code: 400, RequestTimeout: Your socket connection to the server was not read from",
            Category::TIMEOUT,
        ),
        // The same list: 409 OperationAborted, "Try again."
        (
            "409 OperationAborted: A conflicting conditional operation is currently in progress. Try again.",
            Category::CONFLICT,
        ),
        // GitHub REST API, "Rate limits": 403 or 429.
        (
            "403 Forbidden: API rate limit exceeded for user ID 1",
            Category::RATE_LIMIT,
        ),
        (
            "HTTP 403: You have exceeded a secondary rate limit",
            Category::RATE_LIMIT,
        ),
        // Google Workspace and Drive, "Resolve errors": 403 userRateLimitExceeded.
        (
            "403 userRateLimitExceeded: User Rate Limit Exceeded",
            Category::RATE_LIMIT,
        ),
        // google.rpc.Code: ABORTED is 409, "retry at a higher level".
        ("409 Transaction was aborted", Category::CONFLICT),
        // Weaviate sends 422 while its cluster has no leader.
        ("422: leader not found", Category::SERVICE),
        // WebDAV (RFC 4918, 11.3): locked by somebody for the moment.
        ("HTTP 423 Locked", Category::CONFLICT),
    ] {
        let found = text(message);
        assert_eq!(
            (found.category(), found.retry()),
            (category, Retry::Yes),
            "{message}: {}",
            found.reason()
        );
    }
}

#[test]
fn effect_is_none_only_where_the_request_surely_was_not_processed() {
    for message in [
        "connect: Connection refused (os error 111)",
        "getaddrinfo ENOTFOUND x.example",
        "dns error: failed to lookup address information",
        "invalid peer certificate: UnknownIssuer",
        "HTTP 429",
        "HTTP 425",
        "FATAL: sorry, too many clients already",
        "curl: (7) could not connect",
    ] {
        assert_eq!(text(message).effect(), Effect::None, "{message}");
    }
    for message in [
        "connection reset by peer",
        "connection failed while reading the answer",
        "broken pipe",
        "No route to host (os error 113)",
        "operation timed out",
        "HTTP 500",
        "HTTP 502",
        "HTTP 503",
        "HTTP 504",
        "status: Unavailable, message: \"\"",
        "the service is unavailable",
        "terminating connection due to administrator command",
        "server is shutting down",
        "status: ResourceExhausted, message: \"\"",
        "deadlock detected",
        "gibberish",
    ] {
        assert_eq!(text(message).effect(), Effect::Possible, "{message}");
    }
}

#[cfg(feature = "http")]
#[test]
fn a_typed_status_and_its_text_agree() {
    use http::StatusCode;
    use resilience_core::Classify;

    for code in 400..600 {
        let typed = StatusCode::from_u16(code).expect("a status").classify();
        let read = text(&format!("HTTP {code}"));
        assert_eq!(typed, read, "{code}");
    }
}
