//! One change record to the index: the steps that leave the program, each of them annotated.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use resilience::{FieldValue, resilient};
use sha2::{Digest as _, Sha256};
use sync_pipeline::chunk::{self, Chunk};
use sync_pipeline::content::{self, Plan, Skip, Source};
use sync_pipeline::embed::{EmbedError, Embedder, generate_embedding};
use sync_pipeline::index::{
    Document, VectorIndex, index_document, look_up_document, object_id, remove_document,
};
use sync_pipeline::record::{Change, Op};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::room::Room;

/// What the steps work with.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) index: Box<dyn VectorIndex>,
    pub(crate) embedder: Box<dyn Embedder>,
    pub(crate) collection: String,
    pub(crate) dry_run: bool,
    pub(crate) max_file_size: u64,
    /// Who reads and embeds. A document that waits for its place in a batch needs no worker.
    pub(crate) workers: Arc<Semaphore>,
    /// For the contents in flight.
    pub(crate) room: Room,
}

/// What became of a record.
#[derive(Debug)]
pub(crate) enum Outcome {
    Indexed { chunks: usize },
    Unchanged,
    Deleted,
    NotThere,
    Changeset,
    Skipped(Skip),
    WouldIndex { op: Op, bytes: usize },
    WouldDelete,
}

impl Outcome {
    /// The name, as in the store.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Indexed { .. } => "indexed",
            Self::Unchanged => "unchanged",
            Self::Deleted => "deleted",
            Self::NotThere => "not_there",
            Self::Changeset => "changeset",
            Self::Skipped(_) => "skipped",
            Self::WouldIndex { .. } => "would_index",
            Self::WouldDelete => "would_delete",
        }
    }

    /// Whether a user wants to read about it without asking for every record.
    pub(crate) const fn is_worth_a_line(&self) -> bool {
        matches!(
            self,
            Self::Skipped(_) | Self::WouldIndex { .. } | Self::WouldDelete
        )
    }
}

/// Does what a change record asks for.
pub(crate) async fn apply(pipeline: &Pipeline, change: &Change) -> anyhow::Result<Outcome> {
    if change.op == Op::Delete {
        return sync_delete(pipeline, change).await;
    }
    let source = match content::plan(change, pipeline.max_file_size).await {
        Plan::Skip(skip) => return Ok(Outcome::Skipped(skip)),
        Plan::Read(source) => source,
    };
    let _place = pipeline.room.place(footprint(&source)).await;
    let worker = Worker::of(&pipeline.workers);
    worker.hold().await;
    let outcome = sync_document(pipeline, change, &source, &worker).await;
    match &change.not_json {
        Some(reason) => outcome
            .with_context(|| format!("the line was taken as a path, as it is not JSON ({reason})")),
        None => outcome,
    }
}

/// Reads, embeds and indexes, unless the index has this very content already.
#[resilient(
    operation = "sync_document",
    retries = 2,
    breaker = off, // what fails in here has a breaker of its own, or is the record's fault
    timeout = "10m", // a large file takes many requests, each with a limit of its own
    fields(
        op = %change.op,
        collection = &pipeline.collection,
        dry_run = pipeline.dry_run,
        content_length = length(source),
    )
)]
async fn sync_document(
    pipeline: &Pipeline,
    change: &Change,
    source: &Source<'_>,
    worker: &Worker,
) -> anyhow::Result<Outcome> {
    worker.hold().await;
    let text = content::read(source, pipeline.max_file_size).await?;
    let id = object_id(&pipeline.collection, change.repo.as_deref(), &change.path);
    let content_hash = sha256(&text);
    let model = pipeline.embedder.model();
    let stored = look_up_document(&*pipeline.index, id)
        .await
        .context("looking the document up")?;
    if stored.is_some_and(|it| it.content_hash == content_hash && it.model == model) {
        return Ok(Outcome::Unchanged);
    }
    if pipeline.dry_run {
        return Ok(Outcome::WouldIndex {
            op: change.op,
            bytes: text.len(),
        });
    }
    let chunks = embed_chunks(&*pipeline.embedder, &change.path, chunk::split(&text)).await?;
    let document = Document {
        id,
        collection: pipeline.collection.clone(),
        repo: change.repo.clone(),
        path: change.path.clone(),
        content_hash,
        modified: source.modified(),
        content: text,
        model: model.to_owned(),
        chunks,
    };
    worker.release();
    let document = Arc::new(document);
    index_document(&*pipeline.index, &document)
        .await
        .context("indexing the document")?;
    Ok(Outcome::Indexed {
        chunks: document.chunks.len(),
    })
}

/// Takes a document out of the index.
#[resilient(
    operation = "sync_delete",
    retries = 2,
    breaker = off, // what fails in here has a breaker of its own, or is the record's fault
    fields(
        collection = &pipeline.collection,
        dry_run = pipeline.dry_run,
    )
)]
async fn sync_delete(pipeline: &Pipeline, change: &Change) -> anyhow::Result<Outcome> {
    let id = object_id(&pipeline.collection, change.repo.as_deref(), &change.path);
    if pipeline.dry_run {
        let stored = look_up_document(&*pipeline.index, id)
            .await
            .context("looking the document up")?;
        return Ok(if stored.is_some() {
            Outcome::WouldDelete
        } else {
            Outcome::NotThere
        });
    }
    let removed = remove_document(&*pipeline.index, id)
        .await
        .context("removing the document")?;
    Ok(if removed {
        Outcome::Deleted
    } else {
        Outcome::NotThere
    })
}

/// The right to read and embed. Waited for before an attempt, whose time it must not use up; given
/// back for the wait for the index; taken again for another attempt.
#[derive(Debug)]
struct Worker {
    all: Arc<Semaphore>,
    held: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Worker {
    fn of(all: &Arc<Semaphore>) -> Self {
        Self {
            all: Arc::clone(all),
            held: Mutex::new(None),
        }
    }

    async fn hold(&self) {
        if self.lock().is_none() {
            // Nobody closes the semaphore.
            let permit = Arc::clone(&self.all).acquire_owned().await.ok();
            *self.lock() = permit;
        }
    }

    fn release(&self) {
        self.lock().take();
    }

    fn lock(&self) -> MutexGuard<'_, Option<OwnedSemaphorePermit>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn embed_chunks(
    embedder: &dyn Embedder,
    path: &str,
    chunks: Vec<Chunk>,
) -> anyhow::Result<Vec<(Chunk, Vec<f32>)>> {
    let mut done = Vec::with_capacity(chunks.len());
    // The next batch is the last one here.
    let mut left: Vec<&[Chunk]> = chunks.chunks(embedder.batch_size()).rev().collect();
    while let Some(batch) = left.pop() {
        // The path is part of what a chunk is about, and often the only place that names it.
        let texts: Vec<String> = batch
            .iter()
            .map(|chunk| format!("{path}\n{}", chunk.text))
            .collect();
        let answer = generate_embedding(embedder, &texts).await;
        if batch.len() > 1 && matches!(answer, Err(EmbedError::Status { status: 413, .. })) {
            // Too much at once: in halves, in order.
            let (first, second) = batch.split_at(batch.len() / 2);
            left.extend([second, first]);
            continue;
        }
        let vectors = answer.with_context(|| {
            let first = batch.first().map_or(0, |chunk| chunk.first_line);
            let last = batch.last().map_or(0, |chunk| chunk.last_line);
            format!("embedding lines {first} to {last}")
        })?;
        done.extend(batch.iter().cloned().zip(vectors));
    }
    Ok(done)
}

/// The length of a content as a field. That of a file that cannot be looked at is not known.
fn length(source: &Source<'_>) -> FieldValue {
    source
        .length()
        .map_or_else(|| "unknown".into(), FieldValue::from)
}

/// What a content takes while it is in flight: the text, its chunks, their vectors, a request.
fn footprint(source: &Source<'_>) -> u64 {
    source.length().unwrap_or_default().saturating_mul(6)
}

fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text))
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing into a `String` cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
