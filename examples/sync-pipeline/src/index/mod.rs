//! Documents with their vectors, to be found again.

mod sqlite;
mod weaviate;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use resilience::{Category, Classification, Classify, resilient};
use uuid::Uuid;

pub use crate::index::sqlite::SqliteIndex;
pub use crate::index::weaviate::{WeaviateError, WeaviateIndex, WeaviateOptions};

use crate::chunk::Chunk;
use crate::db::sqlite_failure;
use crate::embed::{BoxFuture, normalise};

/// Somewhere to keep documents and to find them by vector.
pub trait VectorIndex: fmt::Debug + Send + Sync {
    /// What is stored under this id.
    fn stored(&self, id: Uuid) -> BoxFuture<'_, Result<Option<Stored>, IndexError>>;

    /// Stores a document in the place of what was there.
    fn upsert(&self, document: Arc<Document>) -> BoxFuture<'_, Result<(), IndexError>>;

    /// Removes a document. Says whether there was one.
    fn delete(&self, id: Uuid) -> BoxFuture<'_, Result<bool, IndexError>>;

    /// How many documents it writes at a time. Those that wait for the others of their batch are in
    /// flight, too.
    fn batch_size(&self) -> usize {
        1
    }

    /// Whether it can be used at this moment.
    fn ready(&self) -> BoxFuture<'_, Result<(), IndexError>>;

    /// The chunks of a collection that are nearest to a vector of this model, best first.
    fn nearest<'a>(
        &'a self,
        collection: &'a str,
        model: &'a str,
        vector: &'a [f32],
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Hit>, IndexError>>;

    /// In how many chunks of a collection each word is, and how many chunks there are.
    fn frequencies<'a>(
        &'a self,
        collection: &'a str,
        words: &'a [String],
    ) -> BoxFuture<'a, Result<Frequencies, IndexError>>;
}

/// A file with its vectors.
#[derive(Clone, Debug)]
pub struct Document {
    /// See [`object_id`].
    pub id: Uuid,
    /// The collection it belongs to.
    pub collection: String,
    /// The repository it belongs to.
    pub repo: Option<String>,
    /// Its path.
    pub path: String,
    /// The SHA-256 of its content, in hexadecimal.
    pub content_hash: String,
    /// Its text.
    pub content: String,
    /// When its file was written last, where there is one.
    pub modified: Option<SystemTime>,
    /// The model that made the vectors.
    pub model: String,
    /// Its chunks and their vectors.
    pub chunks: Vec<(Chunk, Vec<f32>)>,
}

impl Document {
    /// The one vector of an index that keeps files whole: the direction in which its chunks lie on
    /// average. Empty where there are no chunks.
    pub fn vector(&self) -> Vec<f32> {
        let mut chunks = self.chunks.iter().map(|(_, vector)| vector);
        let mut sum = chunks.next().cloned().unwrap_or_default();
        for vector in chunks {
            for (total, x) in sum.iter_mut().zip(vector) {
                *total += x;
            }
        }
        normalise(&mut sum);
        sum
    }
}

/// What an index knows about a stored document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The SHA-256 of the content it was made from.
    pub content_hash: String,
    /// The model that made its vectors.
    pub model: String,
}

/// A chunk that was found.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The repository of its file.
    pub repo: Option<String>,
    /// The path of its file.
    pub path: String,
    /// The chunk's first line.
    pub first_line: usize,
    /// Its last line.
    pub last_line: usize,
    /// Its text.
    pub text: String,
    /// Its words and those of its path, as [`words`](crate::lexical::words) gives them.
    pub words: Vec<String>,
    /// The cosine between its vector and the one that was asked for.
    pub similarity: f32,
}

/// How common words are in a collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frequencies {
    /// The number of chunks.
    pub chunks: usize,
    /// For each word that was asked about, the number of chunks with it.
    pub with_word: Vec<usize>,
}

/// Why the index did not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// The collection's vectors are another model's, or of another size.
    #[error(
        "collection `{collection}` holds vectors of `{stored}`, these are of `{given}`: \
         they cannot be compared"
    )]
    OtherModel {
        /// The collection.
        collection: String,
        /// The model and size of its vectors.
        stored: String,
        /// The model and size of the vectors at hand.
        given: String,
    },
    /// The database failed.
    #[error("the index cannot be used")]
    Sqlite(#[from] rusqlite::Error),
    /// The server failed. One error may be that of many documents.
    #[error(transparent)]
    Weaviate(Arc<WeaviateError>),
    /// The runtime answered in the index's place.
    #[error(transparent)]
    Resilience(#[from] resilience::Error),
}

impl IndexError {
    /// The same error for every document of a request, which is not to be sent again for each.
    fn for_everyone(self) -> impl Fn() -> Self {
        let shared = match self {
            Self::Weaviate(error) => error,
            other => Arc::new(WeaviateError::Collection(Box::new(other))),
        };
        move || WeaviateError::Final(Arc::clone(&shared)).into()
    }
}

impl From<WeaviateError> for IndexError {
    fn from(error: WeaviateError) -> Self {
        Self::Weaviate(Arc::new(error))
    }
}

impl Classify for IndexError {
    fn classify(&self) -> Classification {
        match self {
            Self::OtherModel { .. } => Classification::new(Category::CONFLICT),
            Self::Sqlite(error) => sqlite_failure(error),
            Self::Weaviate(error) => error.classify(),
            Self::Resilience(error) => error.classify(),
        }
    }
}

resilience::register_classify!(IndexError);

// The time limits of the steps below are for everything around their requests, which have limits
// that can be set.

/// Looks up what is stored under an id.
#[resilient(
    operation = "look_up_document",
    service = "vector_index",
    retries = 2,
    timeout = "5m",
    backoff(initial = "300ms", max = "30s"),
    breaker(wait_duration = "5s"),
    fields(%id)
)]
pub async fn look_up_document(
    index: &dyn VectorIndex,
    id: Uuid,
) -> Result<Option<Stored>, IndexError> {
    index.stored(id).await
}

/// Writes one document. Without a breaker: a request with a hundred documents that fails is one
/// failure, so requests have their own. Without jitter: documents that failed together come back
/// together, and leave in one request again.
#[resilient(
    operation = "index_document",
    service = "vector_index",
    retries = 4,
    timeout = "5m",
    backoff(initial = "300ms", max = "30s", jitter = "none"),
    breaker = off,
    fields(
        collection = &document.collection,
        path = &document.path,
        content_length = document.content.len(),
        chunks = document.chunks.len(),
    )
)]
pub async fn index_document(
    index: &dyn VectorIndex,
    document: &Arc<Document>,
) -> Result<(), IndexError> {
    index.upsert(Arc::clone(document)).await
}

/// Removes one document. Says whether there was one.
#[resilient(
    operation = "remove_document",
    service = "vector_index",
    retries = 4,
    timeout = "5m",
    backoff(initial = "300ms", max = "30s"),
    fields(%id)
)]
pub async fn remove_document(index: &dyn VectorIndex, id: Uuid) -> Result<bool, IndexError> {
    index.delete(id).await
}

/// The name of a document: the same file gets the same one on every machine. The repository is
/// part of it, because relative paths of two repositories are often the same.
pub fn object_id(collection: &str, repo: Option<&str>, path: &str) -> Uuid {
    let name = match repo {
        Some(repo) => format!("{collection}:{repo}:{path}"),
        None => format!("{collection}:{path}"),
    };
    Uuid::new_v5(&Uuid::NAMESPACE_DNS, name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_other_implementations() {
        let cases = [
            (None, "src/main.py", "4031d153-1261-562c-86bf-d72817cd7a74"),
            (
                Some("ServiceA"),
                "src/main.py",
                "5c6aec15-ee47-588d-bf68-d992f572c136",
            ),
            (
                None,
                "/opt/a b/é.py",
                "7db0ae07-47ed-58ee-9748-b1078656218f",
            ),
        ];
        for (repo, path, id) in cases {
            assert_eq!(object_id("SRC_ENTERPRISE__", repo, path).to_string(), id);
        }
    }
}
