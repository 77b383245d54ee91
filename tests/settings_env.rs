//! What a program has that says nothing about its settings: the variables of its process. Each test
//! starts itself again with others.

mod support;

use std::process::Command;

use resilience::{Error, inspect, reload, resilient};
use support::Directory;

#[resilient(operation = "quiet", service = "quiet-service")]
async fn quiet() -> Result<(), Error> {
    Ok(())
}

/// Whether this is the process that [`again`] started.
fn is_again() -> bool {
    std::env::var_os(AGAIN).is_some()
}

/// Runs a test in a process with these variables, and returns what it prints.
fn again(test: &str, variables: &[(&str, &str)]) -> String {
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args([test, "--exact", "--nocapture"]);
    program.env(AGAIN, "1").envs(variables.iter().copied());
    let output = program.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}{errors}");
    told
}

const AGAIN: &str = "SETTINGS_ENV_AGAIN";

#[tokio::test]
async fn variables_name_the_file_and_single_keys() {
    if is_again() {
        quiet().await.unwrap();
        println!("{}", inspect());
        return;
    }
    let directory = Directory::new("env");
    let file = directory.file("app.toml");
    let text = "[services.quiet-service]\nretries = 7\ntimeout = '7s'\n";
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let variables = [
        ("RESILIENCE_CONFIG", file),
        ("RESILIENCE__SERVICES__QUIET_SERVICE__RETRIES", "8"),
        (
            "RESILIENCE_SET",
            "sites.\"quiet\".deadline = 9s; defaults.nested=retry",
        ),
    ];
    let told = again("variables_name_the_file_and_single_keys", &variables);
    let from_file = format!("services ({file}:3)");
    for (key, value, origin) in [
        (
            "retries",
            "8",
            "services (RESILIENCE__SERVICES__QUIET_SERVICE__RETRIES)",
        ),
        ("timeout", "7s", &from_file),
        ("deadline", "9s", "sites (RESILIENCE_SET)"),
        ("nested", "retry", "defaults (RESILIENCE_SET)"),
    ] {
        let line = format!("  {key:<32} {value:<14} {origin}\n");
        assert!(told.contains(&line), "{line}{told}");
    }
}

#[tokio::test]
async fn a_file_that_is_wrong_at_the_start_can_be_mended_while_the_program_runs() {
    if is_again() {
        return mends_its_file().await;
    }
    let directory = Directory::new("mended");
    let file = directory.file("app.toml");
    std::fs::write(&file, "[defaults]\nretires = 7\n").unwrap();
    again(
        "a_file_that_is_wrong_at_the_start_can_be_mended_while_the_program_runs",
        &[("RESILIENCE_CONFIG", file.to_str().unwrap())],
    );
}

async fn mends_its_file() {
    let problems = inspect().problems;
    assert_eq!(problems[0].nearest.as_deref(), Some("retries"));
    quiet().await.unwrap();
    // Nothing has changed, so nothing is said to be right.
    reload().await.unwrap_err();
    assert_eq!(inspect().problems, problems);

    let file = std::env::var_os("RESILIENCE_CONFIG").unwrap();
    std::fs::write(&file, "[defaults]\nretries = 7\n").unwrap();
    assert!(reload().await.unwrap());
    let inspection = inspect();
    assert!(inspection.problems.is_empty());
    let mut sites = inspection.sites.iter();
    let site = sites.find(|site| site.operation == "quiet").unwrap();
    let mut settings = site.settings.iter();
    let retries = settings.find(|setting| setting.key == "retries").unwrap();
    assert_eq!(retries.value, "7");
    assert!(!reload().await.unwrap());
}
