//! The command line. Everything that can be set is here, with its variable.

mod values;

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{FalseyValueParser, Resettable};
use clap::{
    Arg, Args, Command as Grammar, CommandFactory as _, FromArgMatches as _, Parser, Subcommand,
    ValueEnum,
};
use resilience::Category;

use self::values::{category, collection, count, dimensions, megabytes, seconds};

/// Indexes the files that its input names, and finds them again.
#[derive(Debug, Parser)]
#[command(name = "sync-pipeline", version, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    #[command(flatten)]
    pub(crate) common: Common,
}

impl Cli {
    /// What this process was asked for. A mistake ends it, as do `--help` and `--version`.
    pub(crate) fn of_this_process() -> Self {
        let matches = without_empty_variables(Self::command()).get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
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

    /// The size to ask the model for; without it, the size of its first vector holds
    #[arg(
        long,
        global = true,
        env = "SYNC_PIPELINE_EMBEDDING_DIMENSIONS",
        value_name = "N",
        requires = "embeddings",
        value_parser = dimensions
    )]
    pub(crate) embedding_dimensions: Option<usize>,

    /// A Weaviate server to index into, such as http://localhost:8080 [otherwise: WCD_URL, then
    /// WEAVIATE_URL]; without one, the database is the index
    #[arg(
        long,
        global = true,
        env = "SYNC_PIPELINE_WEAVIATE",
        value_name = "URL"
    )]
    pub(crate) weaviate: Option<String>,

    /// How long to wait for a connection, and for answers that take no work
    #[arg(
        long,
        global = true,
        env = "SYNC_PIPELINE_SHORT_TIMEOUT",
        value_name = "SECONDS",
        default_value = "5",
        hide_short_help = true,
        value_parser = seconds
    )]
    pub(crate) short_timeout: Duration,

    /// How long a batch may take to be written
    #[arg(
        long,
        global = true,
        env = "SYNC_PIPELINE_MEDIUM_TIMEOUT",
        value_name = "SECONDS",
        default_value = "30",
        hide_short_help = true,
        value_parser = seconds
    )]
    pub(crate) medium_timeout: Duration,

    /// How long the model may take for a batch of texts
    #[arg(
        long,
        global = true,
        env = "SYNC_PIPELINE_LONG_TIMEOUT",
        value_name = "SECONDS",
        default_value = "60",
        hide_short_help = true,
        value_parser = seconds
    )]
    pub(crate) long_timeout: Duration,

    /// How long to wait for another process that has the database locked
    #[arg(
        long,
        global = true,
        env = "SYNC_PIPELINE_SQLITE_TIMEOUT",
        value_name = "SECONDS",
        default_value = "30",
        hide_short_help = true,
        value_parser = seconds
    )]
    pub(crate) sqlite_timeout: Duration,

    /// A TOML file with the settings of the dependencies: retries, time limits, breakers
    #[arg(
        long,
        global = true,
        env = "SYNC_PIPELINE_SETTINGS",
        value_name = "FILE"
    )]
    pub(crate) settings: Option<PathBuf>,

    /// What the database may grow to [default: as long as there is room on the disk]
    #[arg(
        long,
        global = true,
        env = "SYNC_PIPELINE_MAX_DB_SIZE",
        value_name = "MB",
        hide_short_help = true,
        value_parser = megabytes
    )]
    pub(crate) max_db_size: Option<NonZeroU64>,

    /// Print one JSON object a line, for programs
    #[arg(
        long,
        global = true,
        env = "SYNC_PIPELINE_JSON",
        value_parser = FalseyValueParser::new()
    )]
    pub(crate) json: bool,
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
    /// A run that was killed or stopped is taken up again by the same command with the same input.
    #[command(verbatim_doc_comment)]
    Sync(SyncArgs),
    /// Try the records again that have failed, from what was stored of them
    Retry(RetryArgs),
    /// List the records that have failed and were not dealt with since
    Failed(FailedArgs),
    /// Show the newest runs and what has become of their records
    Status(StatusArgs),
    /// Find the files that come nearest to a question
    Search(SearchArgs),
    /// Show the errors that earlier runs have stored
    Errors(ErrorsArgs),
    /// Forget old runs; those with failed records are kept
    Clean(CleanArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SyncArgs {
    /// Read the records from standard input
    #[arg(long, required_unless_present = "input", conflicts_with = "input")]
    pub(crate) stdin: bool,

    /// Read the records from a file, or with `-` from standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,

    /// Read and check everything, but write nothing to the index
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Begin anew, even if there is a run of this input to take up again
    #[arg(long)]
    pub(crate) no_resume: bool,

    /// How often a run that is taken up again tries a failed record again
    #[arg(
        long,
        env = "SYNC_PIPELINE_MAX_RETRIES",
        value_name = "N",
        default_value_t = 3
    )]
    pub(crate) max_retries: u32,

    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RetryArgs {
    /// Only those of this run
    #[arg(long, value_name = "ID")]
    pub(crate) run_id: Option<String>,

    /// Only those of this category
    #[arg(long, value_name = "NAME", value_parser = category)]
    pub(crate) category: Option<Category>,

    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

/// How to work on records.
#[derive(Debug, Args)]
pub(crate) struct WorkArgs {
    /// How many records are read and embedded at a time
    #[arg(
        long,
        env = "SYNC_PIPELINE_WORKERS",
        value_name = "N",
        default_value = "8",
        value_parser = count
    )]
    pub(crate) workers: NonZeroUsize,

    /// How many documents at most go into one request to Weaviate
    #[arg(
        long,
        env = "SYNC_PIPELINE_BATCH_SIZE",
        value_name = "N",
        default_value = "100",
        value_parser = count
    )]
    pub(crate) batch_size: NonZeroUsize,

    /// What to do after a failed record
    #[arg(
        long,
        env = "SYNC_PIPELINE_ON_ERROR",
        value_name = "WHAT",
        default_value = "continue"
    )]
    pub(crate) on_error: OnError,

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

    /// How much the records in flight may take; the reader waits for room
    #[arg(
        long,
        env = "SYNC_PIPELINE_MEMORY_LIMIT_MB",
        value_name = "MB",
        default_value = "128",
        hide_short_help = true,
        value_parser = megabytes
    )]
    pub(crate) memory_limit: NonZeroU64,

    /// How long records in flight may take after Ctrl-C or SIGTERM
    #[arg(
        long,
        env = "SYNC_PIPELINE_GRACE",
        value_name = "SECONDS",
        default_value = "10",
        hide_short_help = true,
        value_parser = seconds
    )]
    pub(crate) grace: Duration,
}

/// What to do after a failed record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnError {
    /// Go on with the next one
    Continue,
    /// Finish what is in flight and stop
    Stop,
}

#[derive(Debug, Args)]
pub(crate) struct FailedArgs {
    /// Only those of this run, which may be a dry one
    #[arg(long, value_name = "ID")]
    pub(crate) run_id: Option<String>,

    /// Only those of this category
    #[arg(long, value_name = "NAME", value_parser = category)]
    pub(crate) category: Option<Category>,

    /// How many to list
    #[arg(long, short = 'n', value_name = "N", default_value_t = 50)]
    pub(crate) limit: u32,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Only this run
    #[arg(long, value_name = "ID")]
    pub(crate) run_id: Option<String>,

    /// How many runs to show
    #[arg(
        long,
        value_name = "N",
        default_value_t = 10,
        conflicts_with = "run_id"
    )]
    pub(crate) recent: u32,

    /// Ask the index whether it can be used (exit status 2 if not)
    #[arg(long, conflicts_with_all = ["run_id", "recent"])]
    pub(crate) ready: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CleanArgs {
    /// Forget runs that began more than so many days ago
    #[arg(
        long,
        env = "SYNC_PIPELINE_CLEANUP_DAYS",
        value_name = "DAYS",
        default_value_t = 7
    )]
    pub(crate) older_than: u32,

    /// Forget their failed records, too: nobody can try them again
    #[arg(long)]
    pub(crate) failed_too: bool,
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

/// The servers' keys: variables alone, because other users of a machine can read command lines.
pub(crate) const EMBEDDING_KEY: &str = "SYNC_PIPELINE_EMBEDDING_API_KEY";
pub(crate) const WEAVIATE_KEY: &str = "SYNC_PIPELINE_WEAVIATE_API_KEY";
/// The variables of Weaviate's own tools, for an address and its key.
pub(crate) const FOREIGN_WEAVIATE: [(&str, &str); 2] = [
    ("WCD_URL", "WCD_API_KEY"),
    ("WEAVIATE_URL", "WEAVIATE_API_KEY"),
];
/// What all variables of this program begin with.
pub(crate) const PREFIX: &str = "SYNC_PIPELINE_";
/// How much to log.
pub(crate) const LOG_VARIABLE: &str = "SYNC_PIPELINE_LOG";
/// OpenTelemetry's own variable for the address of a collector.
pub(crate) const ENDPOINT_VARIABLE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

const AFTER_HELP: &str = "\
Exit status: 0 all well, 1 some records failed, 2 could not run, 130 or 143 stopped by a signal.

Other variables:
  SYNC_PIPELINE_EMBEDDING_API_KEY  the embedding server's key
  SYNC_PIPELINE_WEAVIATE_API_KEY   Weaviate's key (with WCD_URL or WEAVIATE_URL also WCD_API_KEY
                                   or WEAVIATE_API_KEY)
  SYNC_PIPELINE_MAX_RETRY_ATTEMPTS, _RETRY_BASE_DELAY, _RETRY_MAX_DELAY,
  _CB_FAILURE_THRESHOLD, _CB_RECOVERY_TIMEOUT, _ERROR_HISTORY_LIMIT, _LOG_LEVEL
                                   defaults of what `--settings` can say one by one
  SYNC_PIPELINE_LOG                off, error, warn, info, debug or trace: what to log to
                                   standard error (default: off)
  OTEL_EXPORTER_OTLP_ENDPOINT      a collector, such as http://localhost:4318: sync and retry send
                                   traces, logs and metrics there; other OTEL_* variables hold, too
  AXIOM_TOKEN, AXIOM_EDGE, AXIOM_TRACES_DATASET, _LOGS_DATASET, _METRICS_DATASET
                                   the same to Axiom

Example:
  git ls-files | sync-pipeline sync --stdin
  sync-pipeline search \"where is the database\"";

/// An empty variable is as good as none: whoever starts programs from a template has them.
fn without_empty_variables(grammar: Grammar) -> Grammar {
    fn is_empty(arg: &Arg) -> bool {
        let value = arg.get_env().and_then(std::env::var_os);
        value.is_some_and(|value| value.is_empty())
    }
    let without = |arg: Arg| {
        if is_empty(&arg) {
            arg.env(Resettable::Reset)
        } else {
            arg
        }
    };
    grammar
        .mut_args(without)
        .mut_subcommands(|command| command.mut_args(without))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
