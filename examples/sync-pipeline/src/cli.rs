//! The command line. Everything that can be set is here, with its variable.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Indexes the files that its input names, and finds them again.
#[derive(Debug, Parser)]
#[command(name = "sync-pipeline", version, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct Common {
    /// The SQLite database that holds index, runs and errors
    #[arg(
        long,
        global = true,
        env = "SYNC_PIPELINE_DB",
        value_name = "PATH",
        default_value = ".sync-pipeline/sync.db"
    )]
    pub(crate) db: PathBuf,

    /// The collection to write to and to search in
    #[arg(
        long,
        global = true,
        env = "SYNC_PIPELINE_COLLECTION",
        value_name = "NAME",
        default_value = "Files",
        value_parser = collection
    )]
    pub(crate) collection: String,

    /// An embedding server in the OpenAI form, such as http://localhost:8080; without one, texts
    /// are compared by their words
    #[arg(
        long,
        global = true,
        env = "SYNC_PIPELINE_EMBEDDINGS",
        value_name = "URL",
        requires = "embedding_model"
    )]
    pub(crate) embeddings: Option<String>,

    /// The model to ask the embedding server for
    #[arg(
        long,
        global = true,
        env = "SYNC_PIPELINE_EMBEDDING_MODEL",
        value_name = "NAME",
        requires = "embeddings"
    )]
    pub(crate) embedding_model: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Index what the records of the input name; go on after a failed record
    ///
    /// One record a line: a path, a JSON string with a path, or a JSON object.
    ///
    ///   {"op": "add|modify|delete", "path": "…", "repo": "…", "content": "…",
    ///    "content_base64": "…", "content_ref": "/…", "skip_index": true}
    ///
    /// Only `path` is needed. A file whose content is indexed already is left as it is.
    #[command(verbatim_doc_comment)]
    Sync(SyncArgs),
    /// Find the files that come nearest to a question
    Search(SearchArgs),
    /// Show the errors that earlier runs have stored
    Errors(ErrorsArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SyncArgs {
    /// Read the records from standard input
    #[arg(long, required = true)]
    pub(crate) stdin: bool,

    /// Read and check everything, but write nothing to the index
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Print a line for every record, not only for skipped and failed ones
    #[arg(long, short)]
    pub(crate) verbose: bool,

    /// Skip files of more bytes than this
    #[arg(
        long,
        env = "SYNC_PIPELINE_MAX_FILE_SIZE",
        value_name = "BYTES",
        default_value_t = 1_000_000
    )]
    pub(crate) max_file_size: u64,
}

#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// What to look for
    #[arg(required = true, value_name = "QUERY")]
    pub(crate) query: Vec<String>,

    /// How many files to list
    #[arg(long, short = 'n', value_name = "N", default_value_t = 5)]
    pub(crate) limit: usize,
}

#[derive(Debug, Args)]
pub(crate) struct ErrorsArgs {
    /// Show how many errors of each kind there were, and how the breakers stood
    #[arg(long)]
    pub(crate) summary: bool,

    /// Show the newest N errors (10 if nothing else is asked for)
    #[arg(long, value_name = "N")]
    pub(crate) recent: Option<u32>,

    /// Forget the stored errors and breaker states
    #[arg(long, conflicts_with_all = ["summary", "recent"])]
    pub(crate) reset: bool,
}

/// The embedding server's key: a variable alone, because other users of a machine can read
/// command lines.
pub(crate) const KEY_VARIABLE: &str = "SYNC_PIPELINE_EMBEDDING_API_KEY";
/// How much to log.
pub(crate) const LOG_VARIABLE: &str = "SYNC_PIPELINE_LOG";

const AFTER_HELP: &str = "\
Exit status: 0 all well, 1 some records failed, 2 could not run.

Other variables:
  SYNC_PIPELINE_EMBEDDING_API_KEY  the embedding server's key
  SYNC_PIPELINE_LOG                off, error, warn, info, debug or trace: what to log to
                                   standard error (default: off)

Example:
  git ls-files | sync-pipeline sync --stdin
  sync-pipeline search \"where is the database\"";

/// The names that vector databases take for a collection.
fn collection(name: &str) -> Result<String, String> {
    let fits = name.len() <= 255
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if fits {
        Ok(name.to_owned())
    } else {
        Err("a capital letter, then letters, digits and `_`, at most 255 in all".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_collection_has_a_name_that_every_index_takes() {
        assert!(collection("SRC_ENTERPRISE__").is_ok());
        for name in ["", "files", "A b", "Ä", "A:b"] {
            assert!(collection(name).is_err(), "{name}");
        }
    }
}
