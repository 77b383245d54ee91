//! `sync-pipeline`: indexes the files that its input names, and goes on when some of them fail.
//!
//! The program's own layer: it decides what to do and explains what went wrong (`anyhow`). The
//! work is done by the library next to it, which knows its failures by type.

// SQLite and OpenAI are names, not code; help texts are not Markdown.
#![allow(clippy::doc_markdown)]

mod cli;
mod errors;
mod report;
mod run;
mod search;
mod steps;
mod telemetry;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use sync_pipeline::db::Db;
use sync_pipeline::embed::{ApiKey, Embedder, HashEmbedder, HttpEmbedder};

use crate::cli::{Cli, Command, Common};
use crate::report::Screen;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match start(&cli) {
        Ok(code) => code,
        Err(error) => {
            // Nobody is left to tell if this fails too.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}

fn start(cli: &Cli) -> anyhow::Result<ExitCode> {
    let mut screen = match &cli.command {
        Command::Sync(_) => Screen::with_progress(),
        Command::Search(_) | Command::Errors(_) => Screen::plain(),
    };
    telemetry::log_to(&screen).context("setting up the log")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the runtime")?;
    let result = runtime.block_on(async {
        match &cli.command {
            Command::Sync(args) => run::sync(&cli.common, args, &mut screen).await,
            Command::Search(args) => search::search(&cli.common, args, &mut screen).await,
            Command::Errors(args) => errors::errors(&cli.common, args, &mut screen).await,
        }
    });
    // A read from standard input that nobody waits for any more must not keep the program alive.
    runtime.shutdown_background();
    result
}

async fn open(common: &Common) -> anyhow::Result<Db> {
    Db::open(&common.db).await.context("opening the database")
}

fn embedder(common: &Common) -> anyhow::Result<Box<dyn Embedder>> {
    let (Some(url), Some(model)) = (&common.embeddings, &common.embedding_model) else {
        return Ok(Box::new(HashEmbedder));
    };
    let key = std::env::var(cli::KEY_VARIABLE)
        .ok()
        .filter(|key| !key.is_empty());
    let embedder = HttpEmbedder::new(url, model.clone(), key.map(ApiKey::from))
        .context("setting up the embedding service")?;
    Ok(Box::new(embedder))
}

const SOME_FAILED: u8 = 1;
const COULD_NOT_RUN: u8 = 2;
