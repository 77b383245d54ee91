//! An embedding server that is slow, strict, away, or another one.

use std::process::Command;

use serde_json::json;

use crate::fake::embeddings::{FakeEmbeddings, error};
use crate::fake::proxy::{Proxy, Trouble};
use crate::fake::{Kind, Lasts};
use crate::place::{Place, Ran, dead_port, records, run};

fn command(place: &Place, url: &str, args: &[&str]) -> Command {
    let mut command = place.command(args);
    command.args(["--embeddings", url, "--embedding-model", "m"]);
    command
}

fn sync(place: &Place, url: &str, input: &str) -> Ran {
    run(command(place, url, &["sync", "--stdin"]), input.as_bytes())
}

#[test]
fn a_batch_that_is_too_large_goes_in_halves_and_in_order() {
    let (place, server) = (Place::new(), FakeEmbeddings::start());
    server
        .faults
        .add("POST", Kind::TooLargeAbove(5), Lasts::Forever);
    let text = "A line of text.\n\n".repeat(400);
    let ran = sync(
        &place,
        &server.url(),
        &json!({"path": "a", "content": text}).to_string(),
    );
    assert_eq!(ran.status, Some(0), "{ran:#?}");
    let asked = server.asked();
    let taken: usize = asked
        .iter()
        .map(|asked| asked.body["input"].as_array().map_or(0, Vec::len))
        .filter(|texts| *texts <= 5)
        .sum();
    let chunks: usize = place
        .database()
        .query_row("SELECT count(*) FROM chunks", [], |row| row.get(0))
        .expect("counted");
    assert!(chunks > 20 && taken == chunks, "{taken} of {chunks}");
    assert!(asked.len() < 2 * chunks);
}

#[test]
fn records_are_kept_while_the_service_is_away() {
    let place = Place::new();
    let port = dead_port();
    let url = format!("http://127.0.0.1:{port}");
    let ran = sync(&place, &url, &records(0..12));
    assert_eq!(ran.status, Some(1), "{ran:#?}");
    ran.line("  12 kept until the embedding service answers again: then `sync-pipeline retry`");
    ran.line("  embeddings: open (");
    for line in place.json(&["failed"]) {
        assert_eq!(line["waits_for"], "the embedding service", "{line}");
    }
    // The lexical vectors of a run without the service would be another model's.
    assert_eq!(place.run(&["search", "text"], "").out, "Nothing found\n");

    let server = FakeEmbeddings::start_at(port, 3);
    let ran = run(command(&place, &url, &["retry"]), b"");
    assert_eq!(ran.status, Some(0), "{ran:#?}");
    ran.line("  12 records: 12 indexed");
    assert!(place.json(&["failed"]).is_empty());
    assert!(server.asked().len() <= 24);
    let other = place.run(&["retry"], "");
    other.line("  0 records: ");
    let mixed = place.sync(r#"{"path":"x","content":"y"}"#);
    assert!(
        mixed.line("line 1: ").contains("[conflict:low]"),
        "{mixed:#?}"
    );
}

#[test]
fn refusals_mean_what_they_say() {
    let quota = error("You exceeded your current quota", "insufficient_quota");
    let cases = [
        (429, None, quota, "rate_limit:medium", 1),
        (
            401,
            None,
            error("no such key", "invalid_api_key"),
            "auth:medium",
            1,
        ),
        (400, None, error("bad", "bad_request"), "validation:low", 1),
        (503, None, String::new(), "service:medium", 2),
        (429, Some("0"), String::new(), "rate_limit:medium", 2),
    ];
    for (code, after, body, kind, requests) in cases {
        let (place, server) = (Place::new(), FakeEmbeddings::start());
        server
            .faults
            .add("POST", Kind::Status(code, after, body), Lasts::Forever);
        let ran = sync(&place, &server.url(), &records(0..1));
        assert_eq!(ran.status, Some(1), "{ran:#?}");
        assert!(ran.says(&format!("       1  {kind}")), "{ran:#?}");
        assert_eq!(server.asked().len(), requests, "{code}: {ran:#?}");
    }
}

#[test]
fn a_connection_that_breaks_is_made_again() {
    for trouble in [Trouble::ResetHalfWay, Trouble::Truncate(30)] {
        let (place, server) = (Place::new(), FakeEmbeddings::start());
        let proxy = Proxy::start(server.server().address());
        proxy.trouble(trouble, 1);
        let ran = sync(&place, &proxy.url(), &records(0..5));
        assert_eq!(ran.status, Some(0), "{ran:#?}");
        ran.line("  5 records: 5 indexed");
    }
}

#[test]
fn vectors_have_the_size_that_was_asked_for() {
    let (place, server) = (Place::new(), FakeEmbeddings::start());
    let sized = |size: &str, input: &str| {
        let mut command = command(&place, &server.url(), &["sync", "--stdin"]);
        command.args(["--embedding-dimensions", size]);
        run(command, input.as_bytes())
    };
    assert_eq!(sized("3", &records(0..1)).status, Some(0));
    assert_eq!(server.asked()[0].body["dimensions"], 3);
    let ran = sized("4", &records(1..2));
    assert!(
        ran.line("line 1: ")
            .contains("vectors of 3 numbers, not of 4"),
        "{ran:#?}"
    );
}
