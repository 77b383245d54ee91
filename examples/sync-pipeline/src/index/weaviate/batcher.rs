//! Documents that come one by one, sent many at a time.
//!
//! Every document gets the result of its own object. A request that fails is sent again as a whole;
//! an object that fails comes back by itself, with the retry of its `index_document`.

use std::sync::Arc;
use std::time::Duration;

use resilience::Context;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::index::weaviate::Collection;
use crate::index::weaviate::error::WeaviateError;
use crate::index::{Document, IndexError};

/// Collects documents. Its task ends with it.
#[derive(Debug)]
pub(super) struct Batcher {
    queue: mpsc::Sender<Waiting>,
}

/// A document that waits for its result.
struct Waiting {
    document: Arc<Document>,
    /// The run that it belongs to.
    session: Option<String>,
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
        let waiting = Waiting {
            document,
            session: Context::current().session_id.clone(),
            reply,
        };
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
        // A batch is about no file, but it is a part of the run.
        let about = match &batch[0].session {
            Some(session) => Context::new().session_id(session),
            None => Context::new(),
        };
        tokio::spawn(about.scope(async move {
            send(&collection, batch).await;
            drop(request);
        }));
    }
}

/// Sends a batch, in halves where it is too large for the other side.
async fn send(collection: &Collection, batch: Vec<Waiting>) {
    // The model is that of the run: all documents have the same.
    let model = batch.first().map_or("", |first| &first.document.model);
    if let Err(error) = collection.ensure(model).await {
        return reply(batch, for_all(error));
    }
    let mut left = vec![batch];
    while let Some(mut batch) = left.pop() {
        let documents: Vec<&Document> = batch.iter().map(|waiting| &*waiting.document).collect();
        match collection.client.batch(&documents).await {
            Ok(failures) => {
                let result = |failure: Option<String>| match failure {
                    Some(message) => Err(WeaviateError::Object(message).into()),
                    None => Ok(()),
                };
                reply(batch, failures.into_iter().map(result));
            }
            Err(error) if error.is_too_large() && batch.len() > 1 => {
                let second = batch.split_off(batch.len() / 2);
                left.extend([second, batch]);
            }
            Err(WeaviateError::Batch { messages }) => {
                let object = |message| {
                    let error = Arc::new(WeaviateError::Object(message));
                    Err(WeaviateError::Final(error).into())
                };
                reply(batch, messages.into_iter().map(object));
            }
            Err(error) => reply(batch, for_all(error.into())),
        }
    }
}

/// The same failure for every document of a batch.
fn for_all(error: IndexError) -> impl Iterator<Item = Result<(), IndexError>> {
    let each = error.for_everyone();
    std::iter::repeat_with(move || Err(each()))
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
