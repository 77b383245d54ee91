//! What the settings name: the database, the embedder, the index.

use anyhow::Context as _;
use resilience::{Runtime, Settings};
use sync_pipeline::db::{Db, DbError, DbOptions};
use sync_pipeline::embed::{Embedder, HashEmbedder, HttpEmbedder};
use sync_pipeline::http::{ApiKey, Timeouts};
use sync_pipeline::index::{SqliteIndex, VectorIndex, WeaviateIndex, WeaviateOptions};
use sync_pipeline::store::Store;

use crate::cli::{self, Common};
use crate::report::Screen;

/// An index, and what it is called in the store. Only runs that write to the same place are
/// continued.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) index: Box<dyn VectorIndex>,
    pub(crate) name: String,
}

/// How many objects go out at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sending {
    pub(crate) batch_size: usize,
    pub(crate) requests: usize,
}

impl Sending {
    /// For commands that send none.
    pub(crate) const NOTHING: Self = Self {
        batch_size: 1,
        requests: 1,
    };
}

/// Gives the runtime the settings of the file and the variables, or says all that is wrong in them.
pub(crate) fn apply_settings(common: &Common) -> anyhow::Result<()> {
    let mut loader = Settings::loader().prefix(cli::PREFIX).env();
    if let Some(path) = &common.settings {
        loader = loader.file(path);
    }
    let settings = loader.load().context("reading the settings")?;
    Runtime::global().apply(&settings);
    Ok(())
}

pub(crate) async fn open(common: &Common) -> anyhow::Result<Db> {
    Db::open(&common.db, db_options(common))
        .await
        .context("opening the database")
}

/// The database, which has to be there.
pub(crate) async fn existing(common: &Common) -> anyhow::Result<Db> {
    Db::open_existing(&common.db, db_options(common))
        .await
        .context("opening the database")
}

/// What earlier runs have stored. Without a database there is no such thing, which is said.
pub(crate) async fn stored(
    common: &Common,
    things: &str,
    screen: &mut Screen,
) -> anyhow::Result<Option<Store>> {
    match Db::open_existing(&common.db, db_options(common)).await {
        Ok(db) => Ok(Some(Store::new(db))),
        Err(error @ DbError::Missing { .. }) => {
            screen.line(format_args!("No {things}: {error}"));
            Ok(None)
        }
        Err(error) => Err(error).context("opening the database"),
    }
}

fn db_options(common: &Common) -> DbOptions {
    DbOptions {
        busy_timeout: common.sqlite_timeout,
        max_bytes: common.max_db_size.map(|megabytes| megabytes.get() << 20),
    }
}

pub(crate) fn embedder(common: &Common) -> anyhow::Result<Box<dyn Embedder>> {
    let (Some(url), Some(model)) = (&common.embeddings, &common.embedding_model) else {
        return Ok(Box::new(HashEmbedder));
    };
    let embedder = HttpEmbedder::new(
        url,
        model.clone(),
        common.embedding_dimensions,
        key(cli::EMBEDDING_KEY)?,
        timeouts(common),
    )
    .context("setting up the embedding service")?;
    Ok(Box::new(embedder))
}

/// The index that the settings name. Nothing is asked of it yet. The database is opened only if it
/// is the index.
pub(crate) async fn target(
    common: &Common,
    sending: Sending,
    db: impl Future<Output = anyhow::Result<Db>>,
) -> anyhow::Result<Target> {
    let Some((url, key)) = weaviate(common)? else {
        return Ok(Target {
            index: Box::new(SqliteIndex::new(db.await?)),
            name: "sqlite".to_owned(),
        });
    };
    let options = WeaviateOptions {
        url: url.clone(),
        key,
        timeouts: timeouts(common),
        batch_size: sending.batch_size,
        requests: sending.requests,
    };
    let index =
        WeaviateIndex::new(common.collection.clone(), &options).context("setting up Weaviate")?;
    Ok(Target {
        index: Box::new(index),
        name: format!("weaviate {}", without_password(&url)),
    })
}

/// The server and the key for it. A key goes only to the server it was set for.
fn weaviate(common: &Common) -> anyhow::Result<Option<(String, Option<ApiKey>)>> {
    let own_key = key(cli::WEAVIATE_KEY)?;
    if let Some(url) = &common.weaviate {
        return Ok(Some((url.clone(), own_key)));
    }
    for (url, foreign_key) in cli::FOREIGN_WEAVIATE {
        if let Some(url) = variable(url) {
            let key = match own_key {
                Some(key) => Some(key),
                None => key(foreign_key)?,
            };
            return Ok(Some((url, key)));
        }
    }
    Ok(None)
}

fn key(name: &str) -> anyhow::Result<Option<ApiKey>> {
    let key = variable(name).map(ApiKey::try_from);
    key.transpose().with_context(|| format!("reading {name}"))
}

fn timeouts(common: &Common) -> Timeouts {
    Timeouts {
        short: common.short_timeout,
        medium: common.medium_timeout,
        long: common.long_timeout,
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (authority, path) = rest.split_at(rest.find(['/', '\\']).unwrap_or(rest.len()));
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_an_address_is_not_stored() {
        assert_eq!(without_password("https://u:p@h:1/v1"), "https://h:1/v1");
        assert_eq!(without_password("http://h"), "http://h");
        assert_eq!(without_password("http://u:p@h@i"), "http://i");
        assert_eq!(without_password("http://h/a@b"), "http://h/a@b");
    }
}
