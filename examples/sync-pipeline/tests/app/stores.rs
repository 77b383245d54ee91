//! A database that is shared, locked or full.

use std::io::Write as _;

use serde_json::json;

use crate::place::{Place, Working, end, records, run, start};

#[test]
fn two_processes_share_one_database() {
    let place = Place::new();
    // From the first moment on: both make the tables. The same input twice, then two inputs.
    for inputs in [[0..300, 0..300], [300..600, 600..900]] {
        let children = inputs.map(|numbers| {
            let mut child = start(place.command(&["sync", "--stdin"]));
            let mut input = child.stdin.take().expect("piped");
            std::thread::spawn(move || input.write_all(records(numbers).as_bytes()));
            child
        });
        for child in children {
            let ran = end(child);
            assert_eq!(ran.status, Some(0), "{ran:#?}");
            assert!(
                !ran.says("Taking up"),
                "a living run has one owner: {ran:#?}"
            );
            ran.line("  300 records: ");
        }
    }
    let number = |sql: &str| -> u64 {
        place
            .database()
            .query_row(sql, [], |row| row.get(0))
            .expect("counted")
    };
    assert_eq!(number("SELECT count(*) FROM documents"), 900);
    assert_eq!(number("SELECT count(*) FROM completed_lines"), 1_200);
    assert_eq!(
        number("SELECT count(*) FROM sync_runs WHERE status = 'completed'"),
        4
    );
    let sound: String = place
        .database()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("checked");
    assert_eq!(sound, "ok");
    let files = std::fs::read_dir(place.path().join(".sync-pipeline")).expect("listed");
    let locks = files.filter(|file| {
        file.as_ref()
            .is_ok_and(|file| file.file_name().to_string_lossy().ends_with(".lock"))
    });
    assert_eq!(locks.count(), 0);
}

#[test]
fn a_locked_database_is_a_clear_error_and_nothing_is_lost() {
    let place = Place::new();
    place.sync(records(0..5));
    place.write(
        "settings.toml",
        "[services.vector_index]\nbackoff = { initial = \"10ms\" }\n
         [sites.sync_document]\nbackoff = { initial = \"10ms\" }\n",
    );
    let sync = || {
        let mut command = place.command(&["sync", "--stdin", "--settings", "settings.toml"]);
        command.env("SYNC_PIPELINE_SQLITE_TIMEOUT", "0.2");
        command
    };
    let other = place.database();
    other.execute_batch("BEGIN IMMEDIATE").expect("locked");
    let ran = run(sync(), records(5..10).as_bytes());
    assert_eq!(ran.status, Some(2), "{ran:#?}");
    assert!(
        ran.err.starts_with("error: ") && ran.err.contains("database is locked"),
        "{ran:#?}"
    );
    other.execute_batch("ROLLBACK").expect("unlocked");

    // In the middle of a run.
    let mut command = sync();
    command.arg("--verbose");
    let mut working = Working::start(command);
    working.feed(records(10..15));
    working.hear(": indexed ", 5);
    other.execute_batch("BEGIN IMMEDIATE").expect("locked");
    working.feed(records(15..20));
    let ran = working.end();
    assert_eq!(ran.status, Some(2), "{ran:#?}");
    assert!(ran.err.contains("database is locked"), "{ran:#?}");
    ran.line("The same command with the same input goes on where this run ended.");
    other.execute_batch("ROLLBACK").expect("unlocked");

    let ran = run(sync(), records(10..20).as_bytes());
    assert_eq!(ran.status, Some(0), "{ran:#?}");
    ran.line("  5 records: 5 indexed, 0 unchanged, 0 deleted, 0 skipped, 0 failed, 5 done before");
}

#[test]
fn a_full_disk_is_a_clear_error_and_nothing_is_lost() {
    let place = Place::new();
    let record = |n| {
        let text = format!("Word{n} and more. ").repeat(1_000);
        json!({"path": format!("{n}.txt"), "content": text}).to_string()
    };
    let input = (0..200).map(record).collect::<Vec<_>>().join("\n");
    let mut command = place.command(&["sync", "--stdin"]);
    command.env("SYNC_PIPELINE_MAX_DB_SIZE", "2");
    let ran = run(command, input.as_bytes());
    assert_eq!(ran.status, Some(2), "{ran:#?}");
    assert!(ran.err.contains("database or disk is full"), "{ran:#?}");
    ran.line("The same command with the same input goes on where this run ended.");
    let ran = place.sync(&input);
    assert_eq!(ran.status, Some(0), "{ran:#?}");
    ran.line("Taking up run ");
    let documents: u64 = place
        .database()
        .query_row("SELECT count(*) FROM documents", [], |row| row.get(0))
        .expect("counted");
    assert_eq!(documents, 200);
    assert!(place.json(&["failed"]).is_empty());
}
