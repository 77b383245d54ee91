//! The index that needs nothing else on the machine: vectors as blobs, compared one by one.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use uuid::Uuid;

use crate::db::Db;
use crate::embed::BoxFuture;
use crate::index::{Document, Frequencies, Hit, IndexError, Stored, VectorIndex};
use crate::lexical::words;

/// An index in the pipeline's own database.
#[derive(Clone, Debug)]
pub struct SqliteIndex {
    db: Db,
}

impl SqliteIndex {
    /// The index in this database.
    pub const fn new(db: Db) -> Self {
        Self { db }
    }
}

impl VectorIndex for SqliteIndex {
    fn stored(&self, id: Uuid) -> BoxFuture<'_, Result<Option<Stored>, IndexError>> {
        Box::pin(self.db.call(move |connection| {
            let stored = connection
                .query_row(
                    "SELECT d.content_hash, c.model FROM documents d
                     JOIN collections c ON c.name = d.collection WHERE d.id = ?1",
                    [id.to_string()],
                    |row| {
                        Ok(Stored {
                            content_hash: row.get(0)?,
                            model: row.get(1)?,
                        })
                    },
                )
                .optional()?;
            Ok(stored)
        }))
    }

    fn upsert(&self, document: Arc<Document>) -> BoxFuture<'_, Result<(), IndexError>> {
        Box::pin(
            self.db
                .call(move |connection| upsert(connection, &document)),
        )
    }

    fn delete(&self, id: Uuid) -> BoxFuture<'_, Result<bool, IndexError>> {
        Box::pin(self.db.call(move |connection| {
            // The chunks go with it (ON DELETE CASCADE).
            let rows =
                connection.execute("DELETE FROM documents WHERE id = ?1", [id.to_string()])?;
            Ok(rows > 0)
        }))
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), IndexError>> {
        Box::pin(self.db.call(|connection| {
            connection.query_row("SELECT 1", [], |_| Ok(()))?;
            Ok(())
        }))
    }

    fn nearest<'a>(
        &'a self,
        collection: &'a str,
        model: &'a str,
        vector: &'a [f32],
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Hit>, IndexError>> {
        let (collection, model) = (collection.to_owned(), model.to_owned());
        let vector = vector.to_vec();
        Box::pin(self.db.call(move |connection| {
            same_model(connection, &collection, &model, vector.len())?;
            nearest(connection, &collection, &vector, limit)
        }))
    }

    fn frequencies<'a>(
        &'a self,
        collection: &'a str,
        words: &'a [String],
    ) -> BoxFuture<'a, Result<Frequencies, IndexError>> {
        let (collection, words) = (collection.to_owned(), words.to_vec());
        Box::pin(self.db.call(move |connection| {
            let chunks = connection.query_row(
                "SELECT count(*) FROM chunks WHERE collection = ?1",
                [&collection],
                |row| row.get(0),
            )?;
            let mut count = connection.prepare(
                "SELECT count(*) FROM chunks WHERE collection = ?1 AND instr(words, ?2) > 0",
            )?;
            let with_word = words
                .iter()
                .map(|word| {
                    count.query_row(params![collection, format!(" {word} ")], |row| row.get(0))
                })
                .collect::<Result<_, _>>()?;
            Ok(Frequencies { chunks, with_word })
        }))
    }
}

fn upsert(connection: &mut Connection, document: &Document) -> Result<(), IndexError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if let Some((_, vector)) = document.chunks.first() {
        transaction.execute(
            "INSERT OR IGNORE INTO collections (name, model, dimensions) VALUES (?1, ?2, ?3)",
            params![document.collection, document.model, vector.len()],
        )?;
        same_model(
            &transaction,
            &document.collection,
            &document.model,
            vector.len(),
        )?;
    }
    let id = document.id.to_string();
    transaction.execute("DELETE FROM documents WHERE id = ?1", [&id])?;
    transaction.execute(
        "INSERT INTO documents (id, collection, repo, path, content_hash, bytes, indexed_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))",
        params![
            id,
            document.collection,
            document.repo,
            document.path,
            document.content_hash,
            document.content.len(),
        ],
    )?;
    let path_words = words(&document.path).join(" ");
    {
        let mut insert = transaction.prepare(
            "INSERT INTO chunks (document, collection, first_line, last_line, text, words, vector)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        for (chunk, vector) in &document.chunks {
            insert.execute(params![
                id,
                document.collection,
                chunk.first_line,
                chunk.last_line,
                chunk.text,
                // A blank on either side of every word, so that a search finds whole ones.
                format!(" {path_words} {} ", words(&chunk.text).join(" ")),
                to_blob(vector),
            ])?;
        }
    }
    transaction.commit()?;
    Ok(())
}

/// Vectors of two models, or of two sizes, have no distance between them.
fn same_model(
    connection: &Connection,
    collection: &str,
    model: &str,
    dimensions: usize,
) -> Result<(), IndexError> {
    let stored: Option<(String, usize)> = connection
        .query_row(
            "SELECT model, dimensions FROM collections WHERE name = ?1",
            [collection],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    match stored {
        Some((stored, size)) if stored != model || size != dimensions => {
            Err(IndexError::OtherModel {
                collection: collection.to_owned(),
                stored: format!("{stored} ({size} numbers)"),
                given: format!("{model} ({dimensions} numbers)"),
            })
        }
        _ => Ok(()),
    }
}

fn nearest(
    connection: &Connection,
    collection: &str,
    vector: &[f32],
    limit: usize,
) -> Result<Vec<Hit>, IndexError> {
    let mut scan = connection.prepare("SELECT rowid, vector FROM chunks WHERE collection = ?1")?;
    let mut rows = scan.query([collection])?;
    let mut found: Vec<(f32, i64)> = Vec::new();
    while let Some(row) = rows.next()? {
        let blob = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        found.push((dot(vector, blob), row.get(0)?));
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.truncate(limit);
    let mut chunk = connection.prepare(
        "SELECT d.repo, d.path, c.first_line, c.last_line, c.text, c.words
         FROM chunks c JOIN documents d ON d.id = c.document WHERE c.rowid = ?1",
    )?;
    found
        .into_iter()
        .map(|(similarity, rowid)| {
            let hit = chunk.query_row([rowid], |row| {
                let words: String = row.get(5)?;
                Ok(Hit {
                    repo: row.get(0)?,
                    path: row.get(1)?,
                    first_line: row.get(2)?,
                    last_line: row.get(3)?,
                    text: row.get(4)?,
                    words: words.split_whitespace().map(str::to_owned).collect(),
                    similarity,
                })
            })?;
            Ok(hit)
        })
        .collect()
}

fn to_blob(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// The cosine, since both have length 1.
fn dot(vector: &[f32], blob: &[u8]) -> f32 {
    let numbers = blob.chunks_exact(4).map(|bytes| {
        // `chunks_exact(4)` gives four bytes.
        f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    });
    vector.iter().zip(numbers).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use resilience::{Category, Classify as _};

    use super::*;
    use crate::chunk::Chunk;
    use crate::db::DbOptions;
    use crate::index::object_id;

    async fn index() -> (tempfile::TempDir, SqliteIndex) {
        let folder = tempfile::tempdir().expect("a folder");
        let db = Db::open(&folder.path().join("sync.db"), DbOptions::default())
            .await
            .expect("a database");
        (folder, SqliteIndex::new(db))
    }

    fn document(path: &str, vectors: &[[f32; 2]]) -> Arc<Document> {
        let chunk = |line: usize| Chunk {
            first_line: line,
            last_line: line,
            text: format!("word{line} of {path}"),
        };
        Arc::new(Document {
            id: object_id("C", None, path),
            collection: "C".into(),
            repo: None,
            path: path.into(),
            content_hash: "h".into(),
            content: "x".into(),
            modified: None,
            model: "m".into(),
            chunks: vectors
                .iter()
                .enumerate()
                .map(|(i, v)| (chunk(i + 1), v.to_vec()))
                .collect(),
        })
    }

    #[tokio::test]
    async fn the_nearest_chunk_comes_first() {
        let (_folder, index) = index().await;
        index
            .upsert(document("a", &[[1.0, 0.0], [0.6, 0.8]]))
            .await
            .expect("stored");
        index
            .upsert(document("b", &[[0.0, 1.0]]))
            .await
            .expect("stored");
        let hits = index.nearest("C", "m", &[0.0, 1.0], 2).await.expect("hits");
        let found: Vec<_> = hits
            .iter()
            .map(|hit| (hit.path.as_str(), hit.first_line))
            .collect();
        assert_eq!(found, [("b", 1), ("a", 2)]);
        assert!((hits[1].similarity - 0.8).abs() < 1e-6);
        assert!(
            index
                .nearest("Other", "m", &[0.0, 1.0], 2)
                .await
                .expect("none")
                .is_empty()
        );
    }

    #[tokio::test]
    async fn a_document_replaces_itself_and_goes_with_its_chunks() {
        let (_folder, index) = index().await;
        let old = document("a", &[[1.0, 0.0], [0.6, 0.8]]);
        index.upsert(Arc::clone(&old)).await.expect("stored");
        index
            .upsert(document("a", &[[1.0, 0.0]]))
            .await
            .expect("stored again");
        assert_eq!(
            index
                .nearest("C", "m", &[1.0, 0.0], 9)
                .await
                .expect("hits")
                .len(),
            1
        );
        let stored = Stored {
            content_hash: "h".into(),
            model: "m".into(),
        };
        assert_eq!(index.stored(old.id).await.expect("read"), Some(stored));
        assert!(index.delete(old.id).await.expect("deleted"));
        assert!(!index.delete(old.id).await.expect("already gone"));
        assert!(
            index
                .nearest("C", "m", &[1.0, 0.0], 9)
                .await
                .expect("hits")
                .is_empty()
        );
    }

    #[tokio::test]
    async fn words_are_counted_as_whole_words() {
        let (_folder, index) = index().await;
        index
            .upsert(document("open.rs", &[[1.0, 0.0], [0.0, 1.0]]))
            .await
            .expect("stored");
        let asked = ["word1".to_owned(), "word".to_owned(), "open".to_owned()];
        let frequencies = index.frequencies("C", &asked).await.expect("counted");
        assert_eq!(
            frequencies,
            Frequencies {
                chunks: 2,
                with_word: vec![1, 0, 2]
            }
        );
    }

    #[tokio::test]
    async fn vectors_of_two_models_never_meet() {
        let (_folder, index) = index().await;
        index
            .upsert(document("a", &[[1.0, 0.0]]))
            .await
            .expect("stored");
        let mut other = Document::clone(&document("b", &[[1.0, 0.0]]));
        other.model = "n".into();
        let other = Arc::new(other);
        let error = index
            .upsert(Arc::clone(&other))
            .await
            .expect_err("another model");
        assert_eq!(error.classify().category(), Category::CONFLICT);
        assert!(index.nearest("C", "n", &[1.0, 0.0], 1).await.is_err());
        assert_eq!(
            index.stored(other.id).await.expect("read"),
            None,
            "nothing half-written"
        );
    }
}
