//! Being asked to stop, once and twice.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command};
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

/// A run at the moment when its first batch is on its way, whose answer comes late. Its input stays
/// open: nothing but a signal ends it.
struct Underway {
    place: Place,
    weaviate: FakeWeaviate,
    child: Child,
    _input: ChildStdin,
}

impl Underway {
    fn new(late: Duration, lasts: Lasts, more: &[&str]) -> Self {
        let (place, weaviate) = (Place::new(), FakeWeaviate::start());
        weaviate
            .faults
            .add("POST /v1/batch", Kind::Late(late), lasts);
        let mut command = place.command(&["sync", "--stdin", "--weaviate", &weaviate.url()]);
        command.args(more);
        let mut child = start(command);
        let mut input = child.stdin.take().expect("piped");
        input.write_all(records(0..10).as_bytes()).expect("read");
        wait_for("a batch", || !weaviate.asked("POST /v1/batch").is_empty());
        Self {
            place,
            weaviate,
            child,
            _input: input,
        }
    }

    /// One that never ends by itself.
    fn for_good(more: &[&str]) -> Self {
        Self::new(Duration::from_secs(25), Lasts::Times(1), more)
    }

    /// Waits for its end, which comes soon, and takes the run up again.
    fn ends_and_goes_on(self, status: i32) {
        let started = Instant::now();
        let ran = end(self.child);
        assert_eq!(ran.status, Some(status), "{ran:#?}");
        assert!(started.elapsed() < Duration::from_secs(5));
        assert_eq!(self.place.json(&["status"])[0]["failed"], 0);
        let url = self.weaviate.url();
        let again = ["sync", "--stdin", "--weaviate", &url];
        let ran = self.place.run(&again, records(0..10));
        assert_eq!(ran.status, Some(0), "{ran:#?}");
        ran.line("Taking up run ");
        assert_eq!(self.weaviate.paths().len(), 10);
    }
}

#[test]
fn the_first_signal_finishes_what_is_in_flight() {
    for (name, status) in [("INT", 130), ("TERM", 143)] {
        let run = Underway::new(Duration::from_millis(300), Lasts::Forever, &[]);
        signal(&run.child, name);
        let (place, weaviate) = (run.place, run.weaviate);
        let ran = end(run.child);
        assert_eq!(ran.status, Some(status), "{ran:#?}");
        ran.line(&format!("SIG{name}: finishing "));
        ran.line("  the same command with the same input goes on where this run ended");
        assert_eq!(place.json(&["status"])[0]["status"], "interrupted");
        let indexed = weaviate.paths().len();
        ran.line(&format!("  {indexed} records: {indexed} indexed"));

        let args = ["sync", "--stdin", "--weaviate", &weaviate.url()];
        let ran = place.run(&args, records(0..20));
        assert_eq!(ran.status, Some(0), "{ran:#?}");
        ran.line("Taking up run ");
        assert_eq!(weaviate.paths(), (0..20).map(path).collect::<Vec<_>>());
    }
}

#[test]
fn the_second_signal_stops_at_once_and_loses_nothing() {
    let mut run = Underway::for_good(&[]);
    signal(&run.child, "TERM");
    let mut lines = BufReader::new(run.child.stdout.take().expect("piped")).lines();
    let heard = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("SIGTERM")));
    assert!(heard.is_some());
    signal(&run.child, "INT");
    run.ends_and_goes_on(130);
}

#[test]
fn what_does_not_end_in_time_is_done_again_later() {
    let run = Underway::for_good(&["--grace", "0.2"]);
    signal(&run.child, "INT");
    run.ends_and_goes_on(130);
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

#[test]
fn a_signal_while_the_database_is_locked_ends_the_program() {
    let place = Place::new();
    place.sync(records(0..1));
    let other = place.database();
    other.execute_batch("BEGIN IMMEDIATE").expect("locked");
    let started = Instant::now();
    let mut child = start(place.command(&["sync", "--stdin"]));
    let mut input = child.stdin.take().expect("piped");
    input.write_all(records(0..1).as_bytes()).expect("read");
    std::thread::sleep(Duration::from_millis(300));
    signal(&child, "INT");
    assert_eq!(end(child).status, Some(130));
    assert!(started.elapsed() < Duration::from_secs(10), "not after 30");
}
