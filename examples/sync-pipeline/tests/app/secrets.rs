//! A secret that the program is given, or that others write into their errors, is nobody's to read.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use crate::fake::embeddings::{self, FakeEmbeddings};
use crate::fake::weaviate::{self, FakeWeaviate};
use crate::fake::{Asked, Kind, Lasts, Server, lock, status};
use crate::place::{Place, records, run};

/// What a careless server writes into an error.
const LEAK: &str =
    "GET https://me:s3cr3t-1@upstream/x?token=s3cr3t-1 (Authorization: Bearer s3cr3t-1)";

#[test]
fn no_secret_is_said_stored_or_exported() {
    let (place, weaviate, embeddings) =
        (Place::new(), FakeWeaviate::start(), FakeEmbeddings::start());
    let (collector, exported) = collector();
    let mut said = String::new();
    let mut sync = |first: usize, expected: i32| {
        let mut command = place.command(&["sync", "--stdin", "--embedding-model", "m"]);
        command
            .args(["--weaviate", &with_password(&weaviate.url())])
            .args(["--embeddings", &with_password(&embeddings.url())])
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())
            .env(
                "OTEL_EXPORTER_OTLP_HEADERS",
                "authorization=Bearer s3cr3t-1",
            );
        with_keys(&mut command);
        let ran = run(command, records(first..first + 3).as_bytes());
        assert_eq!(ran.status, Some(expected), "{ran:#?}");
        said = format!("{said}{ran:?}");
    };
    sync(0, 0);
    let refused = Kind::Status(403, None, weaviate::error(LEAK));
    weaviate
        .faults
        .add("POST /v1/batch", refused, Lasts::Times(1));
    sync(10, 1);
    let objects = Kind::FailedObjects(&[("doc", LEAK)]);
    weaviate
        .faults
        .add("POST /v1/batch", objects, Lasts::Times(1));
    sync(20, 1);
    let busy = Kind::Status(503, None, embeddings::error(LEAK, "busy"));
    embeddings.faults.add("POST", busy, Lasts::Forever);
    sync(30, 1);
    for command in [
        &["failed"][..],
        &["status"],
        &["errors", "--summary", "--recent", "99"],
    ] {
        let ran = place.run(command, "");
        assert_eq!(ran.status, Some(0), "{ran:#?}");
        said += &ran.out;
    }

    assert!(said.contains("Authorization: Bearer ***"), "{said}");
    assert!(said.contains("https://***@upstream/x?***"), "{said}");
    assert!(!said.contains("s3cr3t"), "{said}");
    assert!(!contains_secret(&stored(
        &place.path().join(".sync-pipeline")
    )));
    let exported = lock(&exported);
    let has = |text: &str| exported.iter().any(|asked| contains(&asked.bytes, text));
    assert!(has("sync_document") && has("Authorization: Bearer ***"));
    for asked in exported.iter() {
        assert_eq!(asked.authorization.as_deref(), Some("Bearer s3cr3t-1"));
        assert!(!contains_secret(&asked.bytes), "{}", asked.path);
    }
}

#[test]
fn a_key_in_the_query_of_an_address_is_refused_and_not_repeated() {
    let place = Place::new();
    for option in ["--weaviate", "--embeddings"] {
        let url = "http://127.0.0.1:1/?token=s3cr3t-1";
        let mut command = place.command(&["sync", "--stdin", option, url]);
        if option == "--embeddings" {
            command.args(["--embedding-model", "m"]);
        }
        let ran = run(command, b"");
        assert_eq!(ran.status, Some(2), "{ran:#?}");
        assert!(ran.err.contains("it has a query"), "{ran:#?}");
        assert!(!ran.err.contains("s3cr3t"), "{ran:#?}");
    }
}

#[test]
fn a_key_that_no_header_can_carry_is_refused_and_not_repeated() {
    let place = Place::new();
    for (option, name) in [("--weaviate", "WEAVIATE"), ("--embeddings", "EMBEDDING")] {
        let name = format!("SYNC_PIPELINE_{name}_API_KEY");
        let mut command = place.command(&["sync", "--stdin", option, "http://127.0.0.1:1"]);
        if option == "--embeddings" {
            command.args(["--embedding-model", "m"]);
        }
        command.env(&name, "s3cr3t-1\n");
        let ran = run(command, b"");
        assert_eq!(ran.status, Some(2), "{ran:#?}");
        assert_eq!(
            ran.err,
            format!("error: reading {name}: the key has characters that no header may have\n")
        );
    }
}

fn with_password(url: &str) -> String {
    url.replace("http://", "http://me:s3cr3t-1@")
}

fn with_keys(command: &mut Command) {
    command
        .env("SYNC_PIPELINE_WEAVIATE_API_KEY", "s3cr3t-1")
        .env("SYNC_PIPELINE_EMBEDDING_API_KEY", "s3cr3t-1")
        .env("SYNC_PIPELINE_LOG", "trace");
}

/// An OTLP endpoint that keeps what it gets.
fn collector() -> (Server, Arc<Mutex<Vec<Asked>>>) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&kept);
    let server = Server::start(0, move |asked| {
        lock(&keep).push(asked);
        std::future::ready(status(200, None, String::new()))
    });
    (server, kept)
}

/// Everything in the files of a folder: the database and its journal.
fn stored(folder: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(folder).expect("listed");
    files
        .flat_map(|file| std::fs::read(file.expect("listed").path()).expect("read"))
        .collect()
}

fn contains_secret(bytes: &[u8]) -> bool {
    contains(bytes, "s3cr3t")
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}
