//! Runs one workload: `guard --case stack --iterations 1000 [--listener]`; `guard --list` names all.

use std::process::ExitCode;

use guard::{Case, measured, ours};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).map(String::as_str)
    };
    if arguments.iter().any(|argument| argument == "--list") {
        for case in ours::cases() {
            println!("{}", case.name);
        }
        return ExitCode::SUCCESS;
    }
    let case =
        value("--case").and_then(|name| ours::cases().into_iter().find(|case| case.name == name));
    let calls = value("--iterations").and_then(|calls| calls.parse().ok());
    let (Some(case), Some(calls)) = (case, calls) else {
        eprintln!("guard --list | --case NAME --iterations N [--listener]");
        return ExitCode::FAILURE;
    };
    let listens = arguments.iter().any(|argument| argument == "--listener");
    match run(case, calls, listens) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{}: {problem}", case.name);
            ExitCode::FAILURE
        }
    }
}

fn run(case: Case, calls: u64, listens: bool) -> Result<(), String> {
    let tokio = guard::tokio().map_err(|error| error.to_string())?;
    let _inside = tokio.enter();
    ours::load().map_err(|problems| problems.to_string())?;
    if listens {
        ours::listen();
    }
    (case.check)()?;
    // State is made, windows fill.
    (case.run)(WARM_UP);
    measured(&case, calls);
    Ok(())
}

/// More than any window of the settings holds.
const WARM_UP: u64 = 500;
