//! `kill -9` at random moments: the next process goes on, and nothing is lost or done twice.

use std::process::Stdio;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use crate::place::{Place, Working, records};

const RECORDS: usize = 5_000;
const KILLS: u32 = 30;

#[test]
fn thirty_kills_lose_nothing() {
    let place = Place::new();
    place.write("input", records(0..RECORDS));
    let mut random = Random::seeded();
    println!("seed {}", random.0);
    let mut in_the_middle = 0;
    for _ in 0..KILLS {
        let before = done(&place);
        // Some part of what is left for the kills that are left, and then some more time.
        let more = random.below(2 * RECORDS as u64 / 3 / u64::from(KILLS) * 2);
        let delay = Duration::from_micros(random.below(5_000));
        let mut child = place
            .command(&["sync", "--input", "input"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let patience = Instant::now() + Duration::from_secs(20);
        while done(&place) < before + more && child.try_wait().expect("asked").is_none() {
            assert!(Instant::now() < patience, "no progress from {before}");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(delay);
        child.kill().expect("killed");
        let status = child.wait().expect("ended");
        let now = done(&place);
        if status.code().is_none() && now > 0 && now < RECORDS as u64 {
            in_the_middle += 1;
        }
    }
    assert!(in_the_middle >= 25, "{in_the_middle} kills in the middle");
    let left = RECORDS as u64 - done(&place);

    let ran = place.run(&["sync", "--input", "input"], "");
    assert_eq!(ran.status, Some(0), "{ran:#?}");
    ran.line("Taking up run ");
    assert!(
        ran.says(&format!("  {left} records: ")),
        "{left} left: {ran:#?}"
    );
    let database = place.database();
    let number = |sql: &str| -> u64 {
        database
            .query_row(sql, [], |row| row.get(0))
            .expect("counted")
    };
    let all = RECORDS as u64;
    assert_eq!(number("SELECT count(*) FROM documents"), all);
    assert_eq!(number("SELECT count(DISTINCT path) FROM documents"), all);
    assert_eq!(number("SELECT count(*) FROM chunks"), all);
    assert_eq!(number("SELECT count(*) FROM completed_lines"), all);
    assert_eq!(number("SELECT max(line_number) FROM completed_lines"), all);
    assert_eq!(number("SELECT count(*) FROM failed_lines"), 0);
    assert_eq!(
        number("SELECT count(*) FROM sync_runs WHERE status = 'completed'"),
        1
    );
    // A kill before the first line leaves a run that nobody locked.
    assert_eq!(
        number("SELECT count(*) FROM sync_runs WHERE status NOT IN ('completed', 'beginning')"),
        0
    );
    let sound: String = database
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("checked");
    assert_eq!(sound, "ok");
}

#[test]
fn a_file_that_has_changed_since_is_not_skipped() {
    let place = Place::new();
    for name in ["a.txt", "b.txt", "c.txt"] {
        place.write(name, "old");
    }
    let mut working = Working::start(place.command(&["sync", "--stdin", "--verbose"]));
    working.feed("a.txt\nb.txt\n");
    working.hear(": indexed ", 2);
    working.child.kill().expect("killed");
    working.child.wait().expect("ended");
    // File systems keep time in steps.
    std::thread::sleep(Duration::from_millis(60));
    place.write("b.txt", "new");
    let ran = place.run(&["sync", "--stdin", "--verbose"], "a.txt\nb.txt\nc.txt\n");
    assert_eq!(ran.status, Some(0), "{ran:#?}");
    ran.line("Taking up run ");
    assert!(ran.says("line 2: indexed b.txt"), "{ran:#?}");
    assert!(ran.says("line 3: indexed c.txt"), "{ran:#?}");
    assert!(!ran.says("line 1: indexed a.txt"), "{ran:#?}");
}

#[test]
fn another_input_is_another_run() {
    let place = Place::new();
    let stopped = [
        "sync",
        "--stdin",
        "--on-error",
        "stop",
        "--workers",
        "1",
        "--batch-size",
        "1",
    ];
    place.run(
        &stopped,
        format!("{}none.txt\n{}", records(0..3), records(3..200)),
    );
    // It begins alike, so the run is taken up, but no line is skipped that is not the same.
    let other = format!("{}{}", records(0..1), records(300..303));
    let ran = place.run(&["sync", "--stdin", "--verbose"], other);
    ran.line("Taking up run ");
    ran.line("  3 records: 3 indexed");
    // It begins with another line, or nobody wants it: then it is a run of its own.
    place.run(&stopped, format!("{}none.txt\n", records(400..401)));
    let ran = place.run(&["sync", "--stdin"], records(500..502));
    assert!(!ran.says("Taking up"), "{ran:#?}");
    let ran = place.run(&["sync", "--stdin", "--no-resume"], records(400..401));
    assert!(!ran.says("Taking up"), "{ran:#?}");
}

#[test]
fn a_failed_record_is_tried_again_so_many_times() {
    let place = Place::new();
    let input = format!("none.txt\n{}", records(0..300));
    let run = |on_error: &str| {
        let limits = ["--max-retries", "1", "--workers", "1", "--batch-size", "1"];
        let args = ["sync", "--stdin", "--on-error", on_error];
        let ran = place.run(&[&args[..], &limits].concat(), &input);
        assert_eq!(ran.status, Some(1), "{ran:#?}");
        ran
    };
    // Each of these stops early, and so is taken up.
    run("stop").line("line 1: failed none.txt");
    run("stop").line("line 1: failed none.txt");
    let ran = run("stop");
    assert!(!ran.says("line 1:"), "{ran:#?}");
    assert!(ran.says(", 1 given up before"), "{ran:#?}");
    assert_eq!(place.json(&["failed"])[0]["attempts"], 2);
    assert_eq!(place.json(&["status"])[0]["done"], 300);
}

/// The lines that the checkpoint says are done.
fn done(place: &Place) -> u64 {
    let path = place.path().join(".sync-pipeline/sync.db");
    let Ok(database) = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY) else {
        return 0;
    };
    database
        .query_row("SELECT count(*) FROM completed_lines", [], |row| row.get(0))
        .unwrap_or(0)
}

/// xorshift64*, from a seed that a failed test has printed or from the clock.
struct Random(u64);

impl Random {
    fn seeded() -> Self {
        let given = std::env::var("KILL_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok());
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let clock = now.map_or(1, |now| now.subsec_nanos());
        Self(given.unwrap_or_else(|| u64::from(clock)).max(1))
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % end.max(1)
    }
}
