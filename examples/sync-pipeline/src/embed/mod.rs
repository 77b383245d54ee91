//! Chunks to vectors.

mod hash;
mod http;

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use resilience::{Category, Classification, Classify, Retry, resilient};

pub use crate::embed::hash::HashEmbedder;
pub use crate::embed::http::HttpEmbedder;

use crate::http::{by_status, no_answer};

/// A future of a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How rare words are, and so how much they say: a weight for each word of a query.
pub type Weights = HashMap<String, f32>;

/// Something that turns texts into vectors of one size.
pub trait Embedder: fmt::Debug + Send + Sync {
    /// The name of what makes the vectors. Vectors of two models are never compared.
    fn model(&self) -> &str;

    /// Whether the vectors stand for words rather than for meaning.
    fn is_lexical(&self) -> bool;

    /// How many texts to hand over at a time.
    fn batch_size(&self) -> usize;

    /// The vectors of these texts, in their order.
    fn embed<'a>(&'a self, texts: &'a [String])
    -> BoxFuture<'a, Result<Vec<Vec<f32>>, EmbedError>>;

    /// The vector of a question. Only a lexical embedder looks at the weights.
    fn embed_query<'a>(
        &'a self,
        query: &'a [String],
        _weights: &'a Weights,
    ) -> BoxFuture<'a, Result<Vec<Vec<f32>>, EmbedError>> {
        self.embed(query)
    }
}

/// Why there are no vectors.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbedError {
    /// The request did not get through, or its answer not back.
    #[error("the embedding service cannot be reached")]
    Request(#[source] reqwest::Error),
    /// The service answered with an error.
    #[error("the embedding service answered {status}: {message}")]
    Status {
        /// The HTTP status.
        status: u16,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
        /// Whether it says that a quota is used up, which does not pass by waiting.
        quota: bool,
        /// What it says, shortened.
        message: String,
    },
    /// The answer is not what was asked for.
    #[error("the embedding service's answer is unusable: {0}")]
    Answer(String),
    /// The server's address is none.
    #[error("this is not the address of an embedding service: {reason}")]
    Address {
        /// What is wrong with it.
        reason: String,
    },
    /// The program's HTTP client cannot be made.
    #[error("cannot set up the HTTP client")]
    Client(#[source] reqwest::Error),
    /// The runtime answered in the service's place.
    #[error(transparent)]
    Resilience(#[from] resilience::Error),
}

impl Classify for EmbedError {
    fn classify(&self) -> Classification {
        match self {
            Self::Request(error) => no_answer(error),
            Self::Status {
                status,
                retry_after,
                quota,
                ..
            } => {
                let failure = by_status(*status, Category::SERVICE);
                match retry_after {
                    _ if *quota => failure.with_retry(Retry::No),
                    Some(after) => failure.with_retry_after(*after),
                    None => failure,
                }
            }
            Self::Answer(_) => Classification::new(Category::SERVICE).with_retry(Retry::Unsure),
            Self::Address { .. } | Self::Client(_) => Classification::new(Category::VALIDATION),
            Self::Resilience(error) => error.classify(),
        }
    }
}

resilience::register_classify!(EmbedError);

/// One batch of texts to vectors. The request has a limit of its own, which can be set; the one
/// here is for everything around it.
#[resilient(
    operation = "generate_embedding",
    service = "embeddings",
    retries = 1,
    timeout = "5m",
    backoff(initial = "500ms", max = "30s"),
    breaker(wait_duration = "5s"),
    fields(model = embedder.model(), texts = texts.len())
)]
pub async fn generate_embedding(
    embedder: &dyn Embedder,
    texts: &[String],
) -> Result<Vec<Vec<f32>>, EmbedError> {
    embedder.embed(texts).await
}

/// A question to its vector.
#[resilient(
    operation = "embed_query",
    service = "embeddings",
    retries = 1,
    fields(model = embedder.model())
)]
pub async fn embed_query(
    embedder: &dyn Embedder,
    query: &str,
    weights: &Weights,
) -> Result<Vec<f32>, EmbedError> {
    let query = [query.to_owned()];
    let vectors = embedder.embed_query(&query, weights).await?;
    vectors
        .into_iter()
        .next()
        .ok_or_else(|| EmbedError::Answer("no vector".to_owned()))
}

/// Brings a vector to length 1; one without direction stays as it is.
pub(crate) fn normalise(vector: &mut [f32]) {
    let length = vector
        .iter()
        .map(|x| f64::from(*x).powi(2))
        .sum::<f64>()
        .sqrt();
    if length > 0.0 {
        for x in vector {
            *x = (f64::from(*x) / length) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16, quota: bool) -> Classification {
        let retry_after = (status == 503).then_some(Duration::from_secs(7));
        EmbedError::Status {
            status,
            retry_after,
            quota,
            message: String::new(),
        }
        .classify()
    }

    #[test]
    fn statuses_say_what_kind_of_failure_it_is() {
        let cases = [
            (400, Category::VALIDATION, Retry::No),
            (401, Category::AUTH, Retry::No),
            (404, Category::NOT_FOUND, Retry::No),
            (408, Category::TIMEOUT, Retry::Yes),
            (413, Category::VALIDATION, Retry::No),
            (429, Category::RATE_LIMIT, Retry::Yes),
            (500, Category::SERVICE, Retry::Yes),
            (503, Category::SERVICE, Retry::Yes),
            (302, Category::UNKNOWN, Retry::Unsure),
        ];
        for (code, category, retry) in cases {
            let failure = status(code, false);
            assert_eq!(
                (failure.category(), failure.retry()),
                (category, retry),
                "{code}"
            );
        }
        assert_eq!(status(429, true).retry(), Retry::No);
        assert_eq!(
            status(503, false).retry_after(),
            Some(Duration::from_secs(7))
        );
    }
}
