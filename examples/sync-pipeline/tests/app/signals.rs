//! Being asked to stop, once and twice.

use std::io::Write as _;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::fake::weaviate::FakeWeaviate;
use crate::fake::{Kind, Lasts};
use crate::place::{Place, end, path, records, start};

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), &child.id().to_string()])
        .status()
        .expect("sent");
    assert!(sent.success());
}

fn wait_for(what: &str, done: impl Fn() -> bool) {
    let patience = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < patience, "waited for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_first_signal_finishes_what_is_in_flight() {
    for (name, status) in [("INT", 130), ("TERM", 143)] {
        let (place, weaviate) = (Place::new(), FakeWeaviate::start());
        let late = Kind::Late(Duration::from_millis(300));
        weaviate.faults.add("POST /v1/batch", late, Lasts::Forever);
        let url = weaviate.url();
        let args = ["sync", "--stdin", "--weaviate", &url];
        let mut child = start(place.command(&args));
        let mut input = child.stdin.take().expect("piped");
        // The input stays open: nothing but the signal ends the run.
        input.write_all(records(0..10).as_bytes()).expect("read");
        wait_for("a batch", || !weaviate.asked("POST /v1/batch").is_empty());
        signal(&child, name);
        let ran = end(child);
        assert_eq!(ran.status, Some(status), "{ran:#?}");
        ran.line(&format!("SIG{name}: finishing "));
        ran.line("  the same command with the same input goes on where this run ended");
        assert_eq!(place.json(&["status"])[0]["status"], "interrupted");
        let indexed = weaviate.paths().len();
        ran.line(&format!("  {indexed} records: {indexed} indexed"));
        drop(input);

        let ran = place.run(&args, records(0..20));
        assert_eq!(ran.status, Some(0), "{ran:#?}");
        ran.line("Taking up run ");
        assert_eq!(weaviate.paths(), (0..20).map(path).collect::<Vec<_>>());
    }
}

#[test]
fn the_second_signal_stops_at_once_and_loses_nothing() {
    let (place, weaviate) = (Place::new(), FakeWeaviate::start());
    let never = Kind::Late(Duration::from_secs(25));
    weaviate
        .faults
        .add("POST /v1/batch", never, Lasts::Times(1));
    let url = weaviate.url();
    let args = ["sync", "--stdin", "--weaviate", &url];
    let mut child = start(place.command(&args));
    let mut input = child.stdin.take().expect("piped");
    input.write_all(records(0..10).as_bytes()).expect("read");
    wait_for("a batch", || !weaviate.asked("POST /v1/batch").is_empty());
    let started = Instant::now();
    signal(&child, "TERM");
    std::thread::sleep(Duration::from_millis(200));
    signal(&child, "INT");
    let ran = end(child);
    assert_eq!(ran.status, Some(130), "{ran:#?}");
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(place.json(&["status"])[0]["status"], "left behind");
    let ran = place.run(&args, records(0..10));
    assert_eq!(ran.status, Some(0), "{ran:#?}");
    assert_eq!(weaviate.paths().len(), 10);
}

#[test]
fn what_does_not_end_in_time_is_done_again_later() {
    let (place, weaviate) = (Place::new(), FakeWeaviate::start());
    let never = Kind::Late(Duration::from_secs(25));
    weaviate
        .faults
        .add("POST /v1/batch", never, Lasts::Times(1));
    let url = weaviate.url();
    let args = ["sync", "--stdin", "--weaviate", &url, "--grace", "0.2"];
    let mut child = start(place.command(&args));
    let mut input = child.stdin.take().expect("piped");
    input.write_all(records(0..10).as_bytes()).expect("read");
    wait_for("a batch", || !weaviate.asked("POST /v1/batch").is_empty());
    let started = Instant::now();
    signal(&child, "INT");
    let ran = end(child);
    assert_eq!(ran.status, Some(130), "{ran:#?}");
    assert!(started.elapsed() < Duration::from_secs(5));
    let ran = place.run(&args, records(0..10));
    assert_eq!(ran.status, Some(0), "{ran:#?}");
    assert_eq!(weaviate.paths().len(), 10);
}

#[test]
fn a_signal_before_the_first_line_ends_the_program() {
    let place = Place::new();
    let mut child = start(place.command(&["sync", "--stdin"]));
    let input = child.stdin.take().expect("piped");
    wait_for("the database", || {
        place.path().join(".sync-pipeline/sync.db").exists()
    });
    std::thread::sleep(Duration::from_millis(100));
    signal(&child, "INT");
    assert_eq!(end(child).status, Some(130));
    drop(input);
}
