//! The index behind Weaviate's REST interface: one object for each file.

mod batcher;
mod client;
mod error;
mod language;
mod wire;

use std::sync::Arc;

use tokio::sync::OnceCell;
use uuid::Uuid;

pub use crate::index::weaviate::error::WeaviateError;

use crate::embed::BoxFuture;
use crate::http::{ApiKey, Timeouts};
use crate::index::weaviate::batcher::Batcher;
use crate::index::weaviate::client::WeaviateClient;
use crate::index::weaviate::wire::{Near, described_model};
use crate::index::{Document, Frequencies, Hit, IndexError, Stored, VectorIndex};
use crate::lexical::words;

/// An index in a collection of a Weaviate server. No request is made before it is needed.
#[derive(Debug)]
pub struct WeaviateIndex {
    collection: Arc<Collection>,
    batch_size: usize,
    batcher: Batcher,
}

/// How to talk to a Weaviate server.
#[derive(Clone, Debug)]
pub struct WeaviateOptions {
    /// The server, such as `http://localhost:8080`.
    pub url: String,
    /// The key it asks for.
    pub key: Option<ApiKey>,
    /// How long requests may take.
    pub timeouts: Timeouts,
    /// How many objects go into one request.
    pub batch_size: usize,
    /// How many batches are sent at once.
    pub requests: usize,
}

/// A collection of a server, made when the first document comes.
#[derive(Debug)]
struct Collection {
    client: WeaviateClient,
    name: String,
    ready: OnceCell<()>,
}

impl WeaviateIndex {
    /// The index in this collection. Starts a task on the runtime at hand.
    pub fn new(collection: String, options: &WeaviateOptions) -> Result<Self, IndexError> {
        let client = WeaviateClient::new(&options.url, options.key.clone(), options.timeouts)?;
        let collection = Arc::new(Collection {
            client,
            name: collection,
            ready: OnceCell::new(),
        });
        let shared = Arc::clone(&collection);
        let batch_size = options.batch_size.max(1);
        Ok(Self {
            collection,
            batch_size,
            batcher: Batcher::start(shared, batch_size, options.requests.max(1)),
        })
    }
}

impl Collection {
    /// Makes the collection where it is missing, once, and refuses one with other vectors.
    async fn ensure(&self, model: &str) -> Result<(), IndexError> {
        let make = || async {
            if self.same_model(model).await? {
                return Ok(());
            }
            if self.client.create(&self.name, model).await? {
                return Ok(());
            }
            // Somebody else was faster, and may work with another model.
            self.same_model(model).await.map(drop)
        };
        self.ready.get_or_try_init(make).await.copied()
    }

    /// Whether the collection is there. One that holds vectors of another model is an error.
    async fn same_model(&self, model: &str) -> Result<bool, IndexError> {
        let Some(class) = self.client.class(&self.name).await? else {
            return Ok(false);
        };
        let stored = match described_model(&class.description) {
            Some(stored) => stored.to_owned(),
            // Somebody else made it: its objects tell, where there are any.
            None => match self.client.sample(&self.name).await? {
                Some(object) => object.properties.embedding_model,
                None => model.to_owned(),
            },
        };
        if stored == model {
            return Ok(true);
        }
        Err(IndexError::OtherModel {
            collection: self.name.clone(),
            stored: if stored.is_empty() {
                "an unknown model".to_owned()
            } else {
                stored
            },
            given: model.to_owned(),
        })
    }
}

impl VectorIndex for WeaviateIndex {
    fn stored(&self, id: Uuid) -> BoxFuture<'_, Result<Option<Stored>, IndexError>> {
        Box::pin(async move {
            let Collection { client, name, .. } = &*self.collection;
            let found = client.get(name, id).await?;
            Ok(found.map(|found| Stored {
                content_hash: found.properties.content_hash,
                model: found.properties.embedding_model,
            }))
        })
    }

    fn upsert(&self, document: Arc<Document>) -> BoxFuture<'_, Result<(), IndexError>> {
        Box::pin(self.batcher.write(document))
    }

    fn delete(&self, id: Uuid) -> BoxFuture<'_, Result<bool, IndexError>> {
        let Collection { client, name, .. } = &*self.collection;
        Box::pin(async move { Ok(client.delete(name, id).await?) })
    }

    fn batch_size(&self) -> usize {
        self.batch_size
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), IndexError>> {
        Box::pin(async move { Ok(self.collection.client.ready().await?) })
    }

    fn nearest<'a>(
        &'a self,
        collection: &'a str,
        model: &'a str,
        vector: &'a [f32],
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Hit>, IndexError>> {
        Box::pin(async move {
            if !self.collection.same_model(model).await? {
                return Ok(Vec::new());
            }
            let client = &self.collection.client;
            let mut answer = client.search(collection, vector, limit).await?;
            if let Some(error) = answer.errors.first() {
                return Err(WeaviateError::Answer(error["message"].to_string()).into());
            }
            let found: Option<Vec<Near>> =
                serde_json::from_value(answer.data["Get"][collection].take())
                    .map_err(|error| WeaviateError::Answer(error.to_string()))?;
            Ok(found.unwrap_or_default().into_iter().map(hit).collect())
        })
    }

    /// It counts no words: every word is as rare as every other.
    fn frequencies<'a>(
        &'a self,
        _collection: &'a str,
        words: &'a [String],
    ) -> BoxFuture<'a, Result<Frequencies, IndexError>> {
        let with_word = vec![0; words.len()];
        Box::pin(std::future::ready(Ok(Frequencies {
            chunks: 0,
            with_word,
        })))
    }
}

fn hit(near: Near) -> Hit {
    let path_words = words(&near.file_path);
    Hit {
        first_line: 1,
        last_line: near.content.lines().count().max(1),
        words: path_words.into_iter().chain(words(&near.content)).collect(),
        repo: near.repository.filter(|repo| !repo.is_empty()),
        path: near.file_path,
        text: near.content,
        similarity: 1.0 - near.additional.distance,
    }
}
