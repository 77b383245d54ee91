//! One function for each request.
//!
//! Those that a step of its own stands for (looking a document up, removing one) are plain: the step
//! is annotated. The others serve many documents at once, so they retry themselves, and share a
//! breaker whose samples are requests, not documents.

use reqwest::{Client, Method, RequestBuilder};
use resilience::{Classify as _, Fault, resilient};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::http::{self, ApiKey, NoBody, Refusal, Timeouts, shortened};
use crate::index::Document;
use crate::index::weaviate::error::WeaviateError;
use crate::index::weaviate::wire::{self, Answer, Batch, Class, Found, Listed, Object, Taken};

/// A way to one Weaviate server.
#[derive(Clone, Debug)]
pub(super) struct WeaviateClient {
    http: Client,
    base: String,
    key: Option<ApiKey>,
    timeouts: Timeouts,
}

impl WeaviateClient {
    pub(super) fn new(
        base: &str,
        key: Option<ApiKey>,
        timeouts: Timeouts,
    ) -> Result<Self, WeaviateError> {
        Ok(Self {
            base: http::base_address(base).map_err(WeaviateError::Address)?,
            http: http::client(timeouts).map_err(WeaviateError::Client)?,
            key,
            timeouts,
        })
    }

    /// Whether the server takes requests at this moment.
    #[resilient(
        operation = "weaviate_ready",
        service = "weaviate",
        category = "weaviate",
        retries = 0
    )]
    pub(super) async fn ready(&self) -> Result<(), WeaviateError> {
        send(self.request(Method::GET, ".well-known/ready")).await?;
        Ok(())
    }

    /// One object.
    pub(super) async fn get(
        &self,
        collection: &str,
        id: Uuid,
    ) -> Result<Option<Found>, WeaviateError> {
        let request = self.request(Method::GET, &format!("objects/{collection}/{id}"));
        unless_missing(json(request).await)
    }

    /// Removes one object. Says whether it was there.
    pub(super) async fn delete(&self, collection: &str, id: Uuid) -> Result<bool, WeaviateError> {
        let request = self.request(Method::DELETE, &format!("objects/{collection}/{id}"));
        Ok(unless_missing(send(request).await)?.is_some())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .http
            .request(method, format!("{}/v1/{path}", self.base))
            .timeout(self.timeouts.short);
        match &self.key {
            Some(key) => request.bearer_auth(key.expose()),
            None => request,
        }
    }
}

#[resilient(
    service = "weaviate",
    category = "weaviate",
    retries = 4,
    backoff(initial = "300ms", max = "30s"),
    // Three seconds without a leader are no outage yet: of each of eight batches, four attempts fail.
    breaker(failure_threshold = 40, wait_duration = "5s"),
    timeout = "5m", // every request has a limit of its own, which can be set
)]
impl WeaviateClient {
    /// What the server knows about a collection.
    #[resilient(operation = "weaviate_schema", fields(collection))]
    pub(super) async fn class(&self, collection: &str) -> Result<Option<Class>, WeaviateError> {
        let request = self.request(Method::GET, &format!("schema/{collection}"));
        unless_missing(json(request).await)
    }

    /// Makes a collection. Says whether it was this call that made it.
    #[resilient(operation = "weaviate_create", fields(collection))]
    pub(super) async fn create(
        &self,
        collection: &str,
        model: &str,
    ) -> Result<bool, WeaviateError> {
        let request = self
            .request(Method::POST, "schema")
            .timeout(self.timeouts.medium)
            .json(&wire::class(collection, model));
        match send(request).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_already_there() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Any object of a collection.
    #[resilient(operation = "weaviate_sample", fields(collection))]
    pub(super) async fn sample(&self, collection: &str) -> Result<Option<Found>, WeaviateError> {
        let path = format!("objects?class={collection}&limit=1");
        let listed: Listed = json(self.request(Method::GET, &path)).await?;
        Ok(listed.objects.into_iter().next())
    }

    /// Writes objects. The answer has, for each in its place, why it was not taken.
    ///
    /// # Errors
    ///
    /// A batch of which nothing was taken, for a reason that is not its objects', is a failure of the
    /// server, although its status is 200.
    #[resilient(operation = "weaviate_batch", fields(objects = documents.len()))]
    pub(super) async fn batch(
        &self,
        documents: &[&Document],
    ) -> Result<Vec<Option<String>>, WeaviateError> {
        let objects = documents.iter().copied().map(Object::of).collect();
        let request = self
            .request(Method::POST, "batch/objects")
            .timeout(self.timeouts.medium)
            .json(&Batch { objects });
        let taken: Vec<Taken> = json(request).await?;
        if taken.len() != documents.len() {
            return Err(WeaviateError::Answer(format!(
                "{} results for {} objects",
                taken.len(),
                documents.len()
            )));
        }
        let failures: Vec<Option<String>> = taken
            .into_iter()
            .map(|taken| taken.failure().map(|message| shortened(&message)))
            .collect();
        let servers_fault = |message: &Option<String>| {
            message.as_ref().is_some_and(|message| {
                let failure = WeaviateError::Object(message.clone()).classify();
                failure.fault() == Fault::Remote
            })
        };
        if failures.iter().all(servers_fault) {
            let messages = failures.into_iter().flatten().collect();
            return Err(WeaviateError::Batch { messages });
        }
        Ok(failures)
    }

    /// The objects that are nearest to a vector.
    #[resilient(operation = "weaviate_search", fields(collection))]
    pub(super) async fn search(
        &self,
        collection: &str,
        vector: &[f32],
        limit: usize,
    ) -> Result<Answer, WeaviateError> {
        let request = self
            .request(Method::POST, "graphql")
            .timeout(self.timeouts.medium)
            .json(&wire::nearest(collection, vector, limit));
        json(request).await
    }
}

/// What is not there is an answer, too.
fn unless_missing<T>(answer: Result<T, WeaviateError>) -> Result<Option<T>, WeaviateError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}

async fn json<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, WeaviateError> {
    let bytes = send(request).await?;
    serde_json::from_slice(&bytes).map_err(|error| WeaviateError::Answer(error.to_string()))
}

async fn send(request: RequestBuilder) -> Result<Vec<u8>, WeaviateError> {
    // An address may hold a password: it stays out of the error.
    let lost = |error: reqwest::Error| WeaviateError::Request(error.without_url());
    let response = request.send().await.map_err(lost)?;
    if !response.status().is_success() {
        return Err(WeaviateError::refused(&Refusal::of(response).await));
    }
    http::body_of(response).await.map_err(|error| match error {
        NoBody::Lost(error) => WeaviateError::Request(error),
        NoBody::TooLong(length) => WeaviateError::Answer(length),
    })
}
