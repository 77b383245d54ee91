//! Documents that come one by one, sent many at a time.
//!
//! Every document gets the result of its own object. One that has to be sent again comes back by
//! itself: the retry is that of its `index_document`.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::index::weaviate::error::WeaviateError;
use crate::index::weaviate::{Collection, client};
use crate::index::{Document, IndexError};

/// Collects documents. Its task ends with it.
#[derive(Debug)]
pub(super) struct Batcher {
    queue: mpsc::Sender<Waiting>,
}

/// A document that waits for its result.
struct Waiting {
    document: Arc<Document>,
    reply: oneshot::Sender<Result<(), IndexError>>,
}

impl Batcher {
    /// Sends up to `size` documents at a time, and up to `requests` such batches at once.
    pub(super) fn start(collection: Arc<Collection>, size: usize, requests: usize) -> Self {
        let (queue, waiting) = mpsc::channel(size);
        tokio::spawn(collect(collection, waiting, size, requests));
        Self { queue }
    }

    pub(super) async fn write(&self, document: Arc<Document>) -> Result<(), IndexError> {
        let (reply, result) = oneshot::channel();
        let gone = || IndexError::from(WeaviateError::GivenUp);
        let waiting = Waiting { document, reply };
        self.queue.send(waiting).await.map_err(|_| gone())?;
        result.await.map_err(|_| gone())?
    }
}

async fn collect(
    collection: Arc<Collection>,
    mut waiting: mpsc::Receiver<Waiting>,
    size: usize,
    requests: usize,
) {
    let requests = Arc::new(Semaphore::new(requests));
    while let Some(first) = waiting.recv().await {
        // While all connections are busy, the batch grows.
        let Ok(request) = Arc::clone(&requests).acquire_owned().await else {
            return;
        };
        let until = Instant::now() + LINGER;
        let mut bytes = first.document.content.len();
        let mut batch = vec![first];
        while batch.len() < size && bytes < MAX_BYTES {
            let Ok(Some(next)) = timeout_at(until, waiting.recv()).await else {
                break;
            };
            bytes += next.document.content.len();
            batch.push(next);
        }
        let collection = Arc::clone(&collection);
        tokio::spawn(async move {
            send(&collection, batch).await;
            drop(request);
        });
    }
}

/// Sends a batch, in halves where it is too large for the other side.
async fn send(collection: &Collection, batch: Vec<Waiting>) {
    let mut left = vec![batch];
    while let Some(mut batch) = left.pop() {
        let documents: Vec<&Document> = batch.iter().map(|waiting| &*waiting.document).collect();
        match attempt(collection, &documents).await {
            Err(IndexError::Weaviate(error)) if error.is_too_large() && batch.len() > 1 => {
                let second = batch.split_off(batch.len() / 2);
                left.push(second);
                left.push(batch);
            }
            Err(IndexError::Weaviate(error)) => {
                let error = match Arc::try_unwrap(error) {
                    Ok(WeaviateError::Batch { messages }) => {
                        let objects = messages.into_iter().map(WeaviateError::Object);
                        reply(batch, objects.map(|error| Err(error.into())));
                        continue;
                    }
                    Ok(error) => Arc::new(error),
                    Err(shared) => shared,
                };
                let each = || Err(IndexError::Weaviate(Arc::clone(&error)));
                reply(batch, std::iter::repeat_with(each));
            }
            Err(error) => {
                let error = error.for_everyone();
                reply(batch, std::iter::repeat_with(|| Err(error())));
            }
            Ok(failures) => {
                let results = failures.into_iter().map(|failure| match failure {
                    Some(message) => Err(WeaviateError::Object(message).into()),
                    None => Ok(()),
                });
                reply(batch, results);
            }
        }
    }
}

async fn attempt(
    collection: &Collection,
    documents: &[&Document],
) -> Result<Vec<Option<String>>, IndexError> {
    // The model is that of the run: all documents have the same.
    let model = documents.first().map_or("", |document| &document.model);
    collection.ensure(model).await?;
    Ok(client::batch(&collection.client, documents).await?)
}

fn reply(batch: Vec<Waiting>, results: impl Iterator<Item = Result<(), IndexError>>) {
    for (waiting, result) in batch.into_iter().zip(results) {
        // Who has stopped waiting (out of time, or interrupted) knows without this.
        let _ = waiting.reply.send(result);
    }
}

/// How long a document waits for others.
const LINGER: Duration = Duration::from_millis(10);
/// A batch takes no further document beyond this.
const MAX_BYTES: usize = 4 * 1024 * 1024;
