//! What the HTTP clients of embeddings and index share.

use std::fmt;
use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, Url};
use resilience::{Category, Classification, Classify, Effect};

use crate::chunk::prefix;

/// A secret that no log shows.
#[derive(Clone)]
pub struct ApiKey(String);

/// A key that no request can carry. It is not repeated.
#[derive(Debug, thiserror::Error)]
#[error("the key has characters that no header may have")]
pub struct InvalidKey;

/// How long requests may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For a connection, and for what is answered from memory.
    pub short: Duration,
    /// For writing a batch.
    pub medium: Duration,
    /// For a model's work.
    pub long: Duration,
}

/// An answer with another status than success.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: String,
}

/// Why an answer has no body that could be used.
#[derive(Debug)]
pub(crate) enum NoBody {
    Lost(reqwest::Error),
    TooLong(String),
}

impl ApiKey {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ApiKey {
    type Error = InvalidKey;

    fn try_from(key: String) -> Result<Self, InvalidKey> {
        match HeaderValue::from_str(&key) {
            Ok(_) => Ok(Self(key)),
            Err(_) => Err(InvalidKey),
        }
    }
}

impl Classify for InvalidKey {
    fn classify(&self) -> Classification {
        Classification::new(Category::VALIDATION)
    }
}

resilience::register_classify!(InvalidKey);

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(..)")
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            short: Duration::from_secs(5),
            medium: Duration::from_secs(30),
            long: Duration::from_secs(60),
        }
    }
}

impl Refusal {
    /// Reads what the other side says, as far as it can be read.
    pub(crate) async fn of(response: Response) -> Self {
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers(), SystemTime::now());
        // The status is the answer; a body that breaks off only explains less.
        let mut body = beginning(response, MAX_REFUSAL).await.unwrap_or_default();
        body.truncate(MAX_REFUSAL);
        Self {
            status,
            retry_after,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }
}

/// The whole body of a success.
pub(crate) async fn body_of(response: Response) -> Result<Vec<u8>, NoBody> {
    let bytes = beginning(response, MAX_ANSWER).await;
    match bytes.map_err(|error| NoBody::Lost(error.without_url()))? {
        bytes if bytes.len() > MAX_ANSWER => {
            Err(NoBody::TooLong(format!("more than {MAX_ANSWER} bytes")))
        }
        bytes => Ok(bytes),
    }
}

/// The base address of a service, without a slash at its end. The error says what is wrong.
pub(crate) fn base_address(text: &str) -> Result<String, String> {
    let address = Url::parse(text).map_err(|error| error.to_string())?;
    if !matches!(address.scheme(), "http" | "https") {
        return Err("it begins with neither http:// nor https://".to_owned());
    }
    if address.query().is_some() || address.fragment().is_some() {
        return Err("it has a query; a key belongs into the variable for it".to_owned());
    }
    let base = text.trim_end_matches('/').trim_end_matches("/v1");
    Ok(base.trim_end_matches('/').to_owned())
}

pub(crate) fn client(timeouts: Timeouts) -> Result<Client, reqwest::Error> {
    // Fails only if somebody has installed a provider before, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .connect_timeout(timeouts.short)
        .pool_max_idle_per_host(CONNECTIONS)
        // The key must not follow a redirect to somewhere else.
        .redirect(reqwest::redirect::Policy::none())
        .build()
}

/// What kind of failure a request is that got no answer.
pub(crate) fn no_answer(error: &reqwest::Error) -> Classification {
    if error.is_connect() {
        Classification::new(Category::NETWORK).with_effect(Effect::None)
    } else if error.is_timeout() {
        Classification::new(Category::TIMEOUT)
    } else if error.is_builder() {
        Classification::new(Category::VALIDATION)
    } else {
        Classification::new(Category::NETWORK)
    }
}

/// What a status means where nothing else is known; a failure of the server's own is of this
/// category.
pub(crate) fn by_status(status: u16, upstream: Category) -> Classification {
    let category = match status {
        401 | 403 => Category::AUTH,
        404 => Category::NOT_FOUND,
        408 => Category::TIMEOUT,
        409 => Category::CONFLICT,
        429 => Category::RATE_LIMIT,
        400..=499 => Category::VALIDATION,
        500..=599 => upstream,
        _ => Category::UNKNOWN,
    };
    Classification::new(category).with_reason(format!("HTTP status {status}"))
}

/// A message in one line, of bounded length.
pub(crate) fn shortened(message: &str) -> String {
    let mut words = message.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.is_empty() {
        return "no explanation".to_owned();
    }
    if words.len() > MAX_MESSAGE {
        words.truncate(prefix(&words, MAX_MESSAGE).len());
        words.push('…');
    }
    words
}

/// The beginning of a body: whoever answers does not decide how much memory that takes.
async fn beginning(mut response: Response, limit: usize) -> Result<Vec<u8>, reqwest::Error> {
    let mut bytes = Vec::new();
    while bytes.len() <= limit
        && let Some(part) = response.chunk().await?
    {
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

/// `Retry-After` in seconds or as a date.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

const CONNECTIONS: usize = 20;
const MAX_MESSAGE: usize = 200;
const MAX_REFUSAL: usize = 64 * 1024;
/// More than any answer to what we ask for.
const MAX_ANSWER: usize = 256 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let wait = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, value.parse().expect("a header"));
            retry_after(&headers, SystemTime::UNIX_EPOCH + Duration::from_secs(60))
        };
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        assert_eq!(
            wait("Thu, 01 Jan 1970 00:01:30 GMT"),
            Some(Duration::from_secs(30))
        );
        assert_eq!(wait("Thu, 01 Jan 1970 00:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("soon"), None);
    }

    #[test]
    fn a_key_is_not_shown() {
        let key = ApiKey::try_from("sk-1".to_owned()).expect("a key");
        assert_eq!(format!("{key:?}"), "ApiKey(..)");
        assert!(ApiKey::try_from("sk-1\r".to_owned()).is_err());
    }

    #[test]
    fn an_address_is_cut_to_its_base() {
        for text in [
            "http://h:1",
            "http://h:1/",
            "http://h:1/v1",
            "http://h:1/v1/",
        ] {
            assert_eq!(base_address(text), Ok("http://h:1".to_owned()));
        }
        assert!(base_address("ftp://h").is_err());
        assert!(base_address("h:1").is_err());
        assert!(base_address("http://h?token=t").is_err());
    }
}
