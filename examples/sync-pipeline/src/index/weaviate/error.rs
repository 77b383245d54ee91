//! What goes wrong with Weaviate, and what each of it means.
//!
//! Statuses say little there: 422 is an invalid object as well as a cluster without a leader, and
//! a batch in which every object failed is a 200. So messages are read first.

use std::sync::Arc;
use std::time::Duration;

use resilience::{Category, Classification, Classify, Effect, Fault, Retry, Severity};

use crate::http::{Refusal, by_status, no_answer, shortened};
use crate::index::IndexError;

/// Why Weaviate did not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeaviateError {
    /// The request did not get through, or its answer not back.
    #[error("Weaviate cannot be reached")]
    Request(#[source] reqwest::Error),
    /// It answered with an error.
    #[error("Weaviate answered {status}: {message}")]
    Status {
        /// The HTTP status.
        status: u16,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
        /// What it says, shortened.
        message: String,
    },
    /// It took the batch, but not this object.
    #[error("Weaviate did not take the object: {0}")]
    Object(String),
    /// It took the batch, but no object in it, for reasons of its own.
    #[error("Weaviate took no object of the batch: {}", messages.first().map_or("", String::as_str))]
    Batch {
        /// What it says about each of them, shortened.
        messages: Vec<String>,
    },
    /// The answer is not what was asked for.
    #[error("Weaviate's answer is unusable: {0}")]
    Answer(String),
    /// The server's address is none.
    #[error("this is not the address of a Weaviate server: {0}")]
    Address(String),
    /// The program's HTTP client cannot be made.
    #[error("cannot set up the HTTP client")]
    Client(#[source] reqwest::Error),
    /// The collection cannot be used.
    #[error(transparent)]
    Collection(Box<IndexError>),
    /// The request was sent again as often as it may be. One error for all that it was about.
    #[error(transparent)]
    Final(Arc<Self>),
    /// The task that sends batches is gone: the program is about to end.
    #[error("the batch was given up")]
    GivenUp,
    /// The runtime answered in Weaviate's place.
    #[error(transparent)]
    Resilience(#[from] resilience::Error),
}

impl WeaviateError {
    pub(super) fn refused(refusal: &Refusal) -> Self {
        Self::Status {
            status: refusal.status,
            retry_after: refusal.retry_after,
            message: shortened(&message(&refusal.body)),
        }
    }

    /// Whether the request was too large for the server, or for a proxy before it.
    pub(super) const fn is_too_large(&self) -> bool {
        matches!(self, Self::Status { status: 413, .. })
    }

    /// Whether somebody else has just made what was to be made.
    pub(super) fn is_already_there(&self) -> bool {
        matches!(self, Self::Status { status: 422, message, .. } if message.contains("already exists"))
    }

    /// Whether what was asked about is not there; an object of a collection that nobody has made
    /// is not there either.
    pub(super) fn is_missing(&self) -> bool {
        match self {
            Self::Status { status: 404, .. } => true,
            Self::Status {
                status: 422,
                message,
                ..
            } => {
                message.contains("not present in schema")
                    || message.contains("could not find class")
            }
            _ => false,
        }
    }
}

impl Classify for WeaviateError {
    fn classify(&self) -> Classification {
        match self {
            Self::Request(error) => no_answer(error),
            Self::Status {
                status,
                retry_after,
                message,
            } => {
                let failure =
                    by_message(message).unwrap_or_else(|| by_status(*status, Category::WEAVIATE));
                match retry_after {
                    // It says when to come back, so it has not begun with the work.
                    Some(after) => failure.with_retry_after(*after).with_effect(Effect::None),
                    None => failure,
                }
            }
            Self::Object(message) => {
                by_message(message).unwrap_or_else(|| Classification::new(Category::VALIDATION))
            }
            Self::Batch { messages } => messages
                .iter()
                .find_map(|message| by_message(message))
                .unwrap_or_else(|| Classification::new(Category::WEAVIATE)),
            Self::Answer(_) => Classification::new(Category::WEAVIATE).with_retry(Retry::Unsure),
            Self::Address(_) | Self::Client(_) => Classification::new(Category::VALIDATION),
            Self::Collection(error) => error.classify(),
            // Not once more for each of its documents.
            Self::Final(error) => error.classify().with_retry(Retry::No),
            Self::GivenUp => Classification::new(Category::CANCELLED),
            Self::Resilience(error) => error.classify(),
        }
    }
}

resilience::register_classify!(WeaviateError);

/// What a message means, whatever status came with it.
pub(super) fn by_message(message: &str) -> Option<Classification> {
    let message = message.to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| message.contains(part));
    let weaviate = Classification::new(Category::WEAVIATE);
    let failure = if has(&["usage_limit_exceeded", "usage limit"]) {
        // A cap on objects, not a limit on the rate: it does not pass by waiting.
        Classification::new(Category::RATE_LIMIT)
            .with_retry(Retry::No)
            .with_severity(Severity::High)
            .with_fault(Fault::Caller)
            .with_reason("usage limit")
    } else if has(&["read-only", "readonly"]) {
        // Somebody has to make room on its disk first. It counts for the breaker.
        weaviate
            .with_retry(Retry::No)
            .with_severity(Severity::High)
            .with_reason("read-only shard")
    } else if has(&["not enough memory", "no space left on device"]) {
        weaviate
            .with_severity(Severity::High)
            .with_reason("out of room")
    } else if has(&[
        "leader not found",
        "not the leader",
        "leadership lost",
        "deadline exceeded for waiting for update",
    ]) {
        weaviate.with_reason("leader election")
    } else if has(&["shard is not ready", "cannot reach enough replicas"]) {
        weaviate.with_reason("not ready")
    } else if has(&["rate limit reached", "failed with status: 429"]) {
        Classification::new(Category::RATE_LIMIT).with_reason("the vectorizer's rate limit")
    } else if has(&["failed with status: 5"]) {
        weaviate.with_reason("the vectorizer failed")
    } else if has(&["vector length", "wrong dimension", "dimensions"]) {
        Classification::new(Category::VALIDATION).with_reason("vector length")
    } else {
        return None;
    };
    Some(failure)
}

/// The message in one of the three forms of an error, or in none: proxies send HTML.
fn message(body: &str) -> String {
    let Ok(body_json) = serde_json::from_str::<serde_json::Value>(body) else {
        return body.to_owned();
    };
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let first = body_json["error"][0]["message"].as_str().map(str::to_owned);
    let message = first
        .or_else(|| text(&body_json["message"]))
        .unwrap_or_else(|| body.to_owned());
    match body_json["errorCode"].as_str() {
        Some(code) => format!("{code}: {message}"),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16, body: &str) -> Classification {
        let refusal = Refusal {
            status,
            retry_after: None,
            body: body.to_owned(),
        };
        WeaviateError::refused(&refusal).classify()
    }

    #[test]
    fn statuses_and_messages_mean_what_the_table_says() {
        use Category as C;
        use Retry::{No, Yes};
        let error = |message: &str| format!(r#"{{"error":[{{"message":"{message}"}}]}}"#);
        let cases = [
            (502, "<html>Bad Gateway</html>".to_owned(), C::WEAVIATE, Yes),
            (503, String::new(), C::WEAVIATE, Yes),
            (504, String::new(), C::WEAVIATE, Yes),
            (500, error("leader not found"), C::WEAVIATE, Yes),
            (422, error("leader not found"), C::WEAVIATE, Yes),
            (500, error("node is not the leader"), C::WEAVIATE, Yes),
            (
                500,
                error("leadership lost while committing log"),
                C::WEAVIATE,
                Yes,
            ),
            (
                500,
                error("local sync_shard shard is not ready"),
                C::WEAVIATE,
                Yes,
            ),
            (500, error("cannot reach enough replicas"), C::WEAVIATE, Yes),
            (500, error("store is read-only"), C::WEAVIATE, No),
            (500, error("not enough memory mappings"), C::WEAVIATE, Yes),
            (
                429,
                r#"{"errorCode":"USAGE_LIMIT_EXCEEDED","limit":1,"value":2,"message":"objects"}"#
                    .to_owned(),
                C::RATE_LIMIT,
                No,
            ),
            (429, String::new(), C::RATE_LIMIT, Yes),
            (401, String::new(), C::AUTH, No),
            (403, error("forbidden"), C::AUTH, No),
            (
                400,
                r#"{"code":400,"message":"parsing body body from failed"}"#.to_owned(),
                C::VALIDATION,
                No,
            ),
            (
                422,
                error("invalid object: no such prop"),
                C::VALIDATION,
                No,
            ),
            (
                422,
                error("class 'A' not present in schema"),
                C::VALIDATION,
                No,
            ),
            (
                500,
                error("vector lengths don't match: 2 vs 3"),
                C::VALIDATION,
                No,
            ),
            (413, String::new(), C::VALIDATION, No),
        ];
        for (code, body, category, retry) in cases {
            let failure = status(code, &body);
            assert_eq!(
                (failure.category(), failure.retry()),
                (category, retry),
                "{code} {body}"
            );
        }
    }

    #[test]
    fn what_needs_a_person_is_of_high_severity() {
        for message in [
            "store is read-only due to: disk usage too high. Set to read-only at 90%",
            "USAGE_LIMIT_EXCEEDED: objects",
            "not enough memory",
        ] {
            let failure = WeaviateError::Object(message.to_owned()).classify();
            assert_eq!(failure.severity(1), Severity::High, "{message}");
        }
    }

    #[test]
    fn an_object_that_is_refused_without_a_known_reason_is_bad_data() {
        let failure = WeaviateError::Object("invalid date property".to_owned()).classify();
        assert_eq!(failure.category(), Category::VALIDATION);
        let upstream = "update vector: connection to OpenAI failed with status: 503 error";
        let failure = WeaviateError::Object(upstream.to_owned()).classify();
        assert_eq!(
            (failure.category(), failure.retry()),
            (Category::WEAVIATE, Retry::Yes)
        );
    }

    #[test]
    fn a_race_for_the_collection_is_told_from_an_invalid_one() {
        let refused = |message: &str| WeaviateError::Status {
            status: 422,
            retry_after: None,
            message: message.to_owned(),
        };
        assert!(refused("class name Files already exists").is_already_there());
        assert!(!refused("leader not found").is_already_there());
        assert!(refused("class 'Files' not present in schema").is_missing());
    }
}
