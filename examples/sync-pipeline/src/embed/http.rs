//! An embedder behind HTTP, in the form that OpenAI's interface made common.

use std::sync::OnceLock;

use reqwest::Client;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::embed::{BoxFuture, EmbedError, Embedder, normalise};
use crate::http::{self, ApiKey, NoBody, Refusal, Timeouts, shortened};

/// Asks `{base}/v1/embeddings`.
#[derive(Debug)]
pub struct HttpEmbedder {
    client: Client,
    url: String,
    timeouts: Timeouts,
    model: String,
    key: Option<ApiKey>,
    asked: Option<usize>,
    /// The size of the first vector: all others have it, too.
    dimensions: OnceLock<usize>,
}

impl HttpEmbedder {
    /// An embedder for the server at `base`, such as `http://localhost:8080`. With `dimensions`,
    /// the model is asked for vectors of that size.
    pub fn new(
        base: &str,
        model: String,
        dimensions: Option<usize>,
        key: Option<ApiKey>,
        timeouts: Timeouts,
    ) -> Result<Self, EmbedError> {
        let address = http::base_address(base).map_err(|reason| EmbedError::Address { reason })?;
        Ok(Self {
            client: http::client(timeouts).map_err(EmbedError::Client)?,
            url: format!("{address}/v1/embeddings"),
            timeouts,
            model,
            key,
            asked: dimensions,
            dimensions: dimensions.map_or_else(OnceLock::new, OnceLock::from),
        })
    }

    async fn request(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let body = Request {
            model: &self.model,
            input: texts,
            encoding_format: "float",
            dimensions: self.asked,
        };
        let mut request = self.client.post(&self.url).json(&body);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key.expose());
        }
        // An address may hold a password: it stays out of the error.
        let response = request
            .timeout(self.timeouts.long)
            .send()
            .await
            .map_err(|error| EmbedError::Request(error.without_url()))?;
        if !response.status().is_success() {
            return Err(refusal(&Refusal::of(response).await));
        }
        let bytes = http::body_of(response).await.map_err(|error| match error {
            NoBody::Lost(error) => EmbedError::Request(error),
            NoBody::TooLong(length) => EmbedError::Answer(length),
        })?;
        let answer: Answer = serde_json::from_slice(&bytes)
            .map_err(|error| EmbedError::Answer(error.to_string()))?;
        let vectors = vectors(answer, texts.len()).map_err(EmbedError::Answer)?;
        self.same_size(&vectors).map_err(EmbedError::Answer)?;
        Ok(vectors)
    }

    fn same_size(&self, vectors: &[Vec<f32>]) -> Result<(), String> {
        let Some(size) = vectors.first().map(Vec::len) else {
            return Ok(());
        };
        let expected = *self.dimensions.get_or_init(|| size);
        if size == expected {
            return Ok(());
        }
        Err(format!("vectors of {size} numbers, not of {expected}"))
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

fn refusal(refusal: &Refusal) -> EmbedError {
    // Servers agree on little but the place: some have numbers as codes, or a text as the problem.
    let body: Value = serde_json::from_str(&refusal.body).unwrap_or_default();
    let problem = &body["error"];
    let message = problem["message"].as_str().or_else(|| problem.as_str());
    let quota = ["code", "type"].map(|field| &problem[field]);
    EmbedError::Status {
        status: refusal.status,
        retry_after: refusal.retry_after,
        quota: quota.into_iter().any(|word| word == "insufficient_quota"),
        message: shortened(message.unwrap_or(&refusal.body)),
    }
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    input: &'a [String],
    encoding_format: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<usize>,
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use std::time::Duration;

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

    #[tokio::test]
    async fn asks_in_the_openai_form() {
        let (base, served) =
            serve("200 OK", r#"{"data":[{"index":0,"embedding":[0.0,5.0]}]}"#).await;
        let key = ApiKey::try_from("k1".to_owned()).ok();
        let embedder =
            HttpEmbedder::new(&base, "m".into(), None, key, Timeouts::default()).expect("a client");
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
        let embedder = HttpEmbedder::new(&base, "m".into(), None, None, Timeouts::default())
            .expect("a client");
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

    #[test]
    fn a_refusal_says_why_in_whatever_form() {
        let cases = [
            (r#"{"error":{"message":"no","code":400}}"#, "no", false),
            (
                r#"{"error":{"message":"no","type":"insufficient_quota"}}"#,
                "no",
                true,
            ),
            (r#"{"error":"no such model"}"#, "no such model", false),
            ("<html>", "<html>", false),
            ("[]", "[]", false),
        ];
        for (body, said, spent) in cases {
            let error = refusal(&Refusal {
                status: 400,
                retry_after: None,
                body: body.to_owned(),
            });
            let EmbedError::Status { quota, message, .. } = error else {
                panic!("another error: {error}");
            };
            assert_eq!((message.as_str(), quota), (said, spent));
        }
    }

    #[tokio::test]
    async fn a_dead_port_is_a_network_failure_without_effect() {
        use resilience::{Category, Classify as _, Effect};

        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        drop(listener);
        let embedder = HttpEmbedder::new(&base, "m".into(), None, None, Timeouts::default())
            .expect("a client");
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

    #[test]
    fn every_vector_of_a_process_has_one_size() {
        let timeouts = Timeouts::default();
        let embedder = |dimensions| {
            HttpEmbedder::new("http://h", "m".into(), dimensions, None, timeouts).expect("made")
        };
        let free = embedder(None);
        assert_eq!(free.same_size(&[vec![1.0, 0.0]]), Ok(()));
        assert!(free.same_size(&[vec![1.0]]).is_err());
        assert_eq!(
            embedder(Some(3)).same_size(&[vec![1.0]]),
            Err("vectors of 1 numbers, not of 3".to_owned())
        );
    }
}
