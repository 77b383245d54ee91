//! The one-line set-up, in a process of its own: what it writes, and that no secret is in it.

mod support;

use std::process::{Command, Output as Ended};
use std::time::Instant;

use resilience::{Context, Runtime, fail_fast, resilient, summary};
use resilience_otel::{Config, Error, Output};
use support::{Answer, Endpoint, logs, spans};

#[resilient(
    operation = "leaky",
    retries = 1,
    backoff(initial = "1ms"),
    fields(url)
)]
async fn leaky(url: &str, token: &str) -> anyhow::Result<()> {
    anyhow::bail!("502 Bad Gateway: {url} with Authorization: Bearer {token}")
}

#[fail_fast(operation = "explodes")]
async fn explodes(token: &str) -> anyhow::Result<()> {
    panic!("with {token}")
}

/// Not a test of its own: what the others run in another process.
#[test]
fn child() {
    let Ok(output) = std::env::var("OUTPUT_OF_CHILD") else {
        return;
    };
    let output = match &*output {
        "json" => Output::Json,
        "text" => Output::Text,
        _ => Output::None,
    };
    let config = Config::new("child").output(output);
    let telemetry = resilience_otel::init(&config).unwrap();
    // A panic's text is the program's to show: the hook of the standard library would.
    std::panic::set_hook(Box::new(|_| {}));
    assert!(matches!(
        resilience_otel::init(&config),
        Err(Error::Subscriber(_))
    ));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let about = Context::new().session_id("s-1");
    runtime.block_on(about.scope(async {
        let url = format!("https://me:{TOKEN}@h.io/x?token={TOKEN}");
        leaky(&url, TOKEN).await.unwrap_err();
        let panicked = tokio::spawn(explodes(TOKEN)).await;
        assert!(panicked.is_err());
    }));
    assert_eq!((summary().failed, summary().panicked), (1, 1));
    println!("{} {:?}", summary(), Runtime::global().recent_errors(9));
    println!("{telemetry:?} {config:?}");
    drop(telemetry);
}

fn child_process(output: &str, endpoint: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child", "--nocapture"])
        .env("OUTPUT_OF_CHILD", output)
        .env("RUST_LOG", "debug")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .env(
            "OTEL_EXPORTER_OTLP_HEADERS",
            format!("authorization=Bearer {TOKEN}"),
        )
        .env("OTEL_EXPORTER_OTLP_TIMEOUT", "500")
        .env("OTEL_SERVICE_NAME", "named-by-the-environment")
        .env("OTEL_RESOURCE_ATTRIBUTES", "team=blue");
    command
}

fn run_child(output: &str, endpoint: &str) -> (Ended, String) {
    let ended = child_process(output, endpoint).output().unwrap();
    let written = [&*ended.stdout, &*ended.stderr].concat();
    (ended, String::from_utf8(written).unwrap())
}

#[test]
fn no_secret_is_written_or_sent_and_the_variables_hold() {
    let endpoint = Endpoint::new(Answer::Yes);
    let (ended, written) = run_child("text", &endpoint.url);
    assert!(ended.status.success(), "{written}");
    assert!(
        written.contains("call failed") && written.contains("h.io"),
        "{written}"
    );
    assert!(!written.contains(TOKEN), "{written}");
    assert!(!written.contains("not delivered"), "{written}");
    let requests = endpoint.requests();
    for request in &requests {
        assert_eq!(request.headers["authorization"], format!("Bearer {TOKEN}"));
        let body = String::from_utf8_lossy(&request.body);
        assert!(!body.contains(TOKEN), "{body}");
        assert!(body.contains("named-by-the-environment") && body.contains("team"));
    }
    assert!(
        logs(&requests)
            .iter()
            .any(|log| log.event_name == "resilience.call.panicked")
    );
    let attempts = spans(&requests)
        .iter()
        .filter(|span| span.name == "resilience.attempt")
        .count();
    assert_eq!(attempts, 3);
}

#[test]
fn the_output_can_be_json_and_what_is_lost_is_said_in_bounded_time() {
    let began = Instant::now();
    let (ended, written) = run_child("json", "http://127.0.0.1:9");
    assert!(ended.status.success(), "{written}");
    let failed = written
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find(|line| line["message"] == "call failed")
        .unwrap_or_else(|| panic!("{written}"));
    assert_eq!(failed["level"], "WARN");
    assert_eq!(failed["error.type"], "anyhow::Error");
    assert!(
        written.contains("were not delivered (io: Connection refused"),
        "{written}"
    );
    assert!(!written.contains(TOKEN), "{written}");
    assert!(began.elapsed().as_secs() < 8, "{:?}", began.elapsed());
}

#[test]
fn a_closed_standard_error_is_no_reason_to_panic() {
    let (read, write) = std::io::pipe().unwrap();
    drop(read);
    let ended = child_process("text", "http://127.0.0.1:9")
        .stderr(write)
        .output()
        .unwrap();
    assert!(ended.status.success(), "{ended:?}");
}

#[test]
fn an_empty_variable_is_as_good_as_none() {
    let endpoint = Endpoint::new(Answer::Yes);
    let ended = child_process("text", &endpoint.url)
        .env("OTEL_SERVICE_NAME", "")
        .env("OTEL_EXPORTER_OTLP_CERTIFICATE", "")
        .env("OTEL_BSP_SCHEDULE_DELAY", "")
        .env("RUST_LOG", "")
        .output()
        .unwrap();
    let written = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.success(), "{written}");
    assert!(
        written.contains("WARN") && !written.contains("DEBUG"),
        "{written}"
    );
    let requests = endpoint.requests();
    let named = |text: &str| {
        requests
            .iter()
            .any(|request| String::from_utf8_lossy(&request.body).contains(text))
    };
    assert!(named("child") && !named("unknown_service"));
}

const TOKEN: &str = "xaat-5ecr3t";
