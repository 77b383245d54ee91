//! `sync-pipeline`: indexes the files that its input names, and goes on when some of them fail.
//!
//! The program's own layer: it decides what to do and explains what went wrong (`anyhow`). The
//! work is done by the library next to it, which knows its failures by type.

// SQLite and OpenAI are names, not code; help texts are not Markdown.
#![allow(clippy::doc_markdown)]

mod cli;
mod errors;
mod feed;
mod input;
mod report;
mod room;
mod run;
mod search;
mod services;
mod status;
mod steps;
mod stop;
mod tally;
mod telemetry;
mod work;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::cli::{Cli, Command};
use crate::report::{Format, Screen};

fn main() -> ExitCode {
    let cli = Cli::of_this_process();
    match start(&cli) {
        Ok(code) => code,
        Err(error) => {
            // Its lines are settings' mistakes, one each.
            for (place, line) in report::chain(&error).lines().enumerate() {
                let start = if place == 0 { "error: " } else { "" };
                // Nobody is left to tell if this fails too.
                let _ = writeln!(std::io::stderr(), "{start}{}", report::printable(line));
            }
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}

fn start(cli: &Cli) -> anyhow::Result<ExitCode> {
    let common = &cli.common;
    let format = if common.json {
        Format::Json
    } else {
        Format::Text
    };
    let (mut screen, export) = match &cli.command {
        Command::Sync(_) | Command::Retry(_) => {
            (Screen::with_progress(format), telemetry::export()?)
        }
        _ => (Screen::plain(format), None),
    };
    telemetry::log_to(&screen, export.as_ref())?;
    services::apply_settings(common)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the runtime")?;
    let result = runtime.block_on(async {
        let screen = &mut screen;
        match &cli.command {
            Command::Sync(args) => run::sync(common, args, screen).await,
            Command::Retry(args) => run::retry(common, args, screen).await,
            Command::Failed(args) => status::failed(common, args, screen).await,
            Command::Status(args) => status::status(common, args, screen).await,
            Command::Search(args) => search::search(common, args, screen).await,
            Command::Errors(args) => errors::errors(common, args, screen).await,
            Command::Clean(args) => status::clean(common, args, screen).await,
        }
    });
    // A read from standard input that nobody waits for any more must not keep the program alive.
    runtime.shutdown_background();
    let code = result?;
    screen.all_said().context("writing to standard output")?;
    Ok(code)
}

const SOME_FAILED: u8 = 1;
const COULD_NOT_RUN: u8 = 2;
