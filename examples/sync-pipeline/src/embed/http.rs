//! An embedder behind HTTP, in the form that OpenAI's interface made common.

use std::fmt;
use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, Url};
use serde::{Deserialize, Serialize};

use crate::chunk::prefix;
use crate::embed::{BoxFuture, EmbedError, Embedder, normalise};

/// Asks `{base}/v1/embeddings`.
#[derive(Debug)]
pub struct HttpEmbedder {
    client: Client,
    url: String,
    model: String,
    key: Option<ApiKey>,
}

/// A secret that no log shows.
#[derive(Clone)]
pub struct ApiKey(String);

impl HttpEmbedder {
    /// An embedder for the server at `base`, such as `http://localhost:8080`.
    pub fn new(base: &str, model: String, key: Option<ApiKey>) -> Result<Self, EmbedError> {
        let wrong = |reason: String| EmbedError::Address {
            url: base.to_owned(),
            reason,
        };
        let address = Url::parse(base).map_err(|error| wrong(error.to_string()))?;
        if !matches!(address.scheme(), "http" | "https") {
            return Err(wrong(
                "it begins with neither http:// nor https://".to_owned(),
            ));
        }
        // Fails only if somebody has installed a provider before, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            // The key must not follow a redirect to somewhere else.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(EmbedError::Client)?;
        let base = base.trim_end_matches('/').trim_end_matches("/v1");
        Ok(Self {
            client,
            url: format!("{base}/v1/embeddings"),
            model,
            key,
        })
    }

    async fn request(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let body = Request {
            model: &self.model,
            input: texts,
            encoding_format: "float",
        };
        let mut request = self.client.post(&self.url).json(&body);
        if let Some(ApiKey(key)) = &self.key {
            request = request.bearer_auth(key);
        }
        // An address may hold a password: it stays out of the error.
        let response = request
            .send()
            .await
            .map_err(|error| EmbedError::Request(error.without_url()))?;
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        let bytes = response
            .bytes()
            .await
            .map_err(|error| EmbedError::Request(error.without_url()))?;
        let answer: Answer = serde_json::from_slice(&bytes)
            .map_err(|error| EmbedError::Answer(error.to_string()))?;
        vectors(answer, texts.len()).map_err(EmbedError::Answer)
    }
}

impl Embedder for HttpEmbedder {
    fn model(&self) -> &str {
        &self.model
    }

    fn is_lexical(&self) -> bool {
        false
    }

    fn batch_size(&self) -> usize {
        64
    }

    fn embed<'a>(
        &'a self,
        texts: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Vec<f32>>, EmbedError>> {
        Box::pin(self.request(texts))
    }
}

impl From<String> for ApiKey {
    fn from(key: String) -> Self {
        Self(key)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(..)")
    }
}

/// The vectors in the order of the texts, checked: the right number, of one size, all finite.
fn vectors(answer: Answer, expected: usize) -> Result<Vec<Vec<f32>>, String> {
    if answer.data.len() != expected {
        return Err(format!(
            "{} vectors for {expected} texts",
            answer.data.len()
        ));
    }
    let mut vectors: Vec<Vec<f32>> = vec![Vec::new(); expected];
    for item in answer.data {
        let Some(place) = vectors.get_mut(item.index) else {
            return Err(format!("index {} among {expected} texts", item.index));
        };
        if !place.is_empty() {
            return Err(format!("index {} twice", item.index));
        }
        if item.embedding.is_empty() || !item.embedding.iter().all(|x| x.is_finite()) {
            return Err(format!("vector {} is empty or not finite", item.index));
        }
        *place = item.embedding;
        normalise(place);
    }
    let size = vectors.first().map_or(0, Vec::len);
    match vectors.iter().find(|vector| vector.len() != size) {
        Some(other) => Err(format!("vectors of {size} and of {} numbers", other.len())),
        None => Ok(vectors),
    }
}

async fn refusal(response: Response) -> EmbedError {
    let status = response.status().as_u16();
    let retry_after = retry_after(response.headers(), SystemTime::now());
    let body = response.text().await.unwrap_or_default();
    let problem = serde_json::from_str::<Refusal>(&body).map(|refusal| refusal.error);
    let (message, code) = match problem {
        Ok(problem) => (problem.message, problem.code),
        Err(_) => (body, None),
    };
    let quota = code.is_some_and(|code| code == "insufficient_quota");
    EmbedError::Status {
        status,
        retry_after,
        quota,
        message: shortened(&message),
    }
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

fn shortened(message: &str) -> String {
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

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_MESSAGE: usize = 200;

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    input: &'a [String],
    encoding_format: &'a str,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    index: usize,
    embedding: Vec<f32>,
}

#[derive(Deserialize)]
struct Refusal {
    error: RefusalDetail,
}

#[derive(Deserialize)]
struct RefusalDetail {
    message: String,
    code: Option<String>,
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn answer(json: &str, expected: usize) -> Result<Vec<Vec<f32>>, String> {
        vectors(serde_json::from_str(json).expect("JSON"), expected)
    }

    /// Serves one answer and gives back the request it was for.
    async fn serve(head: &str, body: &str) -> (String, tokio::task::JoinHandle<String>) {
        let answer = format!(
            "HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let served = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a client");
            let mut request = Vec::new();
            while !String::from_utf8_lossy(&request).contains("\"float\"}") {
                let mut part = [0; 1_024];
                let read = stream.read(&mut part).await.expect("a request");
                assert!(read > 0, "the client went away");
                request.extend_from_slice(&part[..read]);
            }
            stream.write_all(answer.as_bytes()).await.expect("answered");
            String::from_utf8_lossy(&request).into_owned()
        });
        (base, served)
    }

    #[test]
    fn vectors_come_back_in_the_order_of_the_texts() {
        let vectors = answer(
            r#"{"data":[{"index":1,"embedding":[0,2]},{"index":0,"embedding":[3,0]}]}"#,
            2,
        );
        assert_eq!(vectors, Ok(vec![vec![1.0, 0.0], vec![0.0, 1.0]]));
    }

    #[test]
    fn an_answer_that_does_not_fit_is_refused() {
        let cases = [
            (r#"{"data":[]}"#, 1, "0 vectors for 1 texts"),
            (
                r#"{"data":[{"index":1,"embedding":[1]}]}"#,
                1,
                "index 1 among 1 texts",
            ),
            (
                r#"{"data":[{"index":0,"embedding":[]}]}"#,
                1,
                "vector 0 is empty or not finite",
            ),
            (
                r#"{"data":[{"index":0,"embedding":[1e39]}]}"#,
                1,
                "vector 0 is empty or not finite",
            ),
            (
                r#"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#,
                2,
                "index 0 twice",
            ),
            (
                r#"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1,2]}]}"#,
                2,
                "vectors of 1 and of 2 numbers",
            ),
        ];
        for (json, expected, message) in cases {
            assert_eq!(answer(json, expected), Err(message.to_owned()));
        }
    }

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
        assert_eq!(
            format!("{:?}", ApiKey::from("sk-1".to_owned())),
            "ApiKey(..)"
        );
    }

    #[tokio::test]
    async fn asks_in_the_openai_form() {
        let (base, served) =
            serve("200 OK", r#"{"data":[{"index":0,"embedding":[0.0,5.0]}]}"#).await;
        let key = Some(ApiKey::from("k1".to_owned()));
        let embedder = HttpEmbedder::new(&base, "m".into(), key).expect("a client");
        let vectors = embedder.embed(&["text".to_owned()]).await.expect("vectors");
        assert_eq!(vectors, [[0.0, 1.0]]);
        let request = served.await.expect("served").to_lowercase();
        assert!(
            request.starts_with("post /v1/embeddings http/1.1"),
            "{request}"
        );
        assert!(request.contains("authorization: bearer k1"), "{request}");
        assert!(
            request.contains(r#"{"model":"m","input":["text"]"#),
            "{request}"
        );
    }

    #[tokio::test]
    async fn a_refusal_keeps_status_wait_and_reason() {
        let (base, _served) = serve(
            "429 Too Many Requests
retry-after: 3",
            r#"{"error":{"message":"slow down","code":"insufficient_quota"}}"#,
        )
        .await;
        let embedder = HttpEmbedder::new(&base, "m".into(), None).expect("a client");
        let error = embedder
            .embed(&["text".to_owned()])
            .await
            .expect_err("refused");
        let EmbedError::Status {
            status,
            retry_after,
            quota,
            message,
        } = error
        else {
            panic!("another error: {error}");
        };
        assert_eq!((status, quota, message.as_str()), (429, true, "slow down"));
        assert_eq!(retry_after, Some(Duration::from_secs(3)));
    }

    #[tokio::test]
    async fn a_dead_port_is_a_network_failure_without_effect() {
        use resilience::{Category, Classify as _, Effect};

        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        drop(listener);
        let embedder = HttpEmbedder::new(&base, "m".into(), None).expect("a client");
        let error = embedder
            .embed(&["text".to_owned()])
            .await
            .expect_err("refused");
        let failure = error.classify();
        assert_eq!(
            (failure.category(), failure.effect()),
            (Category::NETWORK, Effect::None)
        );
    }
}
