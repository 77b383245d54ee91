//! Failed records: listed, tried again, settled by what comes later.

use serde_json::json;

use crate::place::{Place, Working, records};

#[test]
fn what_has_failed_is_listed_and_tried_again() {
    let place = Place::new();
    assert!(
        place
            .run(&["failed"], "")
            .says("No runs: there is no database")
    );
    place.sync("late.txt\nnever.txt\n[1]\n");
    let failed = place.run(&["failed"], "");
    assert_eq!(failed.out.lines().count(), 3, "{failed:#?}");
    assert!(
        failed.says(" line 1: modify late.txt [filesystem:low] tried 1x: cannot read `late.txt`")
    );
    place.write("late.txt", "here at last");
    let ran = place.run(&["retry"], "");
    assert_eq!(ran.status, Some(1), "{ran:#?}");
    ran.line("Failed records again (collection Files)");
    ran.line("  3 records: 1 indexed, 0 unchanged, 0 deleted, 0 skipped, 2 failed");
    ran.line("  2 to look at: `sync-pipeline failed` lists them");
    let failed = place.json(&["failed"]);
    let tried: Vec<_> = failed
        .iter()
        .map(|line| (&line["line"], &line["attempts"]))
        .collect();
    assert_eq!(tried, [(&json!(2), &json!(2)), (&json!(3), &json!(2))]);
    assert!(
        place
            .run(&["failed", "--category", "validation"], "")
            .says(" line 3: parse -")
    );
    place
        .run(&["retry", "--category", "filesystem"], "")
        .line("  1 record: ");
    let status = place.json(&["status"]);
    assert_eq!(
        (&status[0]["done"], &status[0]["failed"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(status[0]["status"], "completed");
}

#[test]
fn a_later_record_settles_a_failed_one() {
    let place = Place::new();
    let bad = json!({"path": "a.txt", "content_base64": "?"});
    place.sync(format!("{bad}\nb.txt\n"));
    assert_eq!(place.json(&["failed"]).len(), 2);
    place.sync(json!({"path": "a.txt", "content": "new"}).to_string());
    let failed = place.json(&["failed"]);
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["path"], "b.txt");
}

#[test]
fn a_dry_runs_failures_are_its_own() {
    let place = Place::new();
    place.run(&["sync", "--stdin", "--dry-run"], "none.txt\n");
    assert!(place.json(&["failed"]).is_empty());
    let run = place.json(&["status"])[0]["run_id"].clone();
    let run = run.as_str().expect("a name");
    assert_eq!(place.json(&["failed", "--run-id", run]).len(), 1);
    place.run(&["retry"], "").line("  0 records: ");
}

#[test]
fn the_first_failure_can_be_the_end() {
    let place = Place::new();
    let input = format!("{}none.txt\n{}", records(0..50), records(50..500));
    let args = [
        "sync",
        "--stdin",
        "--on-error",
        "stop",
        "--workers",
        "2",
        "--batch-size",
        "1",
    ];
    let ran = place.run(&args, &input);
    assert_eq!(ran.status, Some(1), "{ran:#?}");
    ran.line("  the same command with the same input goes on where this run ended");
    let status = place.json(&["status"]);
    assert_eq!(status[0]["status"], "stopped");
    let done = status[0]["done"].as_u64().expect("a number");
    assert!((50..100).contains(&done), "{done} done");
    place.write("none.txt", "here now");
    let ran = place.run(&args, &input);
    assert_eq!(ran.status, Some(0), "{ran:#?}");
    ran.line("Taking up run ");
    assert_eq!(place.json(&["status"])[0]["done"], 501);
}

#[test]
fn old_runs_are_forgotten_and_their_failed_records_are_not() {
    let place = Place::new();
    place.sync(records(0..3));
    place.sync("none.txt\n");
    assert_eq!(place.run(&["clean"], "").out, "Forgot 0 runs\n");
    let now = ["clean", "--older-than", "0"];
    assert_eq!(place.run(&now, "").out, "Forgot 1 run\n");
    assert_eq!(place.json(&["failed"]).len(), 1);
    let all = place.json(&[&now[..], &["--failed-too"]].concat());
    assert_eq!(all[0]["runs"].as_array().map(Vec::len), Some(1));
    assert_eq!(place.run(&["status"], "").out, "No runs\n");
    // What is indexed stays.
    assert!(place.run(&["search", "document"], "").says("1. doc-"));
}

#[test]
fn a_run_at_work_is_not_forgotten() {
    let place = Place::new();
    let mut working = Working::start(place.command(&["sync", "--stdin", "--verbose"]));
    working.feed(records(0..3));
    working.hear(": indexed ", 3);
    let now = ["clean", "--older-than", "0", "--failed-too"];
    assert_eq!(place.run(&now, "").out, "Forgot 0 runs\n");
    working.feed("none.txt\n");
    let ran = working.end();
    assert_eq!(ran.status, Some(1), "{ran:#?}");
    assert_eq!(place.json(&["status"])[0]["done"], 3);
    assert_eq!(place.json(&["failed"])[0]["path"], "none.txt");
    assert_eq!(place.run(&now, "").out, "Forgot 1 run\n");
    let left = |table: &str| -> u64 {
        let sql = format!("SELECT count(*) FROM {table}");
        let database = place.database();
        database
            .query_row(&sql, [], |row| row.get(0))
            .expect("counted")
    };
    assert_eq!((left("completed_lines"), left("failed_lines")), (0, 0));
}

#[test]
fn what_is_asked_for_by_name_has_to_be_there() {
    let place = Place::new();
    place.sync("none.txt\n");
    place.run(&["sync", "--stdin", "--dry-run"], "none.txt\n");
    let runs = place.json(&["status"]);
    let run = |n: usize| runs[n]["run_id"].as_str().expect("a name");
    let (dry, real) = (run(0), run(1));
    let refused = [
        (&["retry", "--category", "netwrok"][..], "one of network, "),
        (&["failed", "--category", "netwrok"], "one of network, "),
        (&["retry", "--run-id", "no"], "there is no run `no`"),
        (&["failed", "--run-id", "no"], "there is no run `no`"),
        (&["retry", "--run-id", dry], "was a dry run"),
        (
            &["retry", "--run-id", real, "--collection", "Other"],
            "wrote to sqlite, collection Files, and not to sqlite, collection Other",
        ),
    ];
    for (args, reason) in refused {
        let ran = place.run(args, "");
        assert_eq!(ran.status, Some(2), "{args:?}: {ran:#?}");
        assert!(ran.err.contains(reason), "{args:?}: {ran:#?}");
    }
    let again = place.run(&["retry", "--run-id", real], "");
    again.line("  1 record: ");
}

#[test]
fn a_line_that_is_too_long_stays_so() {
    let place = Place::new();
    let line = "x".repeat(17 << 20);
    let said = "failed [validation:low]: the line is longer than 16777216 bytes";
    assert_eq!(place.sync(&line).line("line 1:"), format!("line 1: {said}"));
    let ran = place.run(&["retry"], "");
    assert_eq!(ran.line("line 1:"), format!("line 1: {said}"));
}

#[test]
fn programs_read_objects() {
    let place = Place::new();
    place.write("a.txt", "one");
    let ran = place.run(
        &["sync", "--stdin", "--json", "--verbose"],
        "a.txt\nlogo.png\nnone.txt\n",
    );
    assert_eq!(ran.status, Some(1), "{ran:#?}");
    let parse = |line: &str| serde_json::from_str::<serde_json::Value>(line).expect("JSON");
    let objects: Vec<_> = ran.out.lines().map(parse).collect();
    let of = |line: u64| {
        objects
            .iter()
            .find(|it| it["line"] == line)
            .expect("a record")
    };
    assert_eq!(of(1)["outcome"], "indexed");
    assert_eq!(of(2)["reason"], "binary file (.png)");
    assert_eq!(
        (&of(3)["category"], &of(3)["severity"]),
        (&json!("filesystem"), &json!("low"))
    );
    let summary = objects.last().expect("a summary");
    assert_eq!(
        (&summary["event"], &summary["status"]),
        (&json!("summary"), &json!("completed"))
    );
    assert_eq!(summary["counts"]["kinds"], json!({"filesystem:low": 1}));
    let errors = place.json(&["errors", "--summary", "--recent", "5"]);
    assert_eq!(errors[0]["total"], 1);
    assert_eq!(errors[1]["path"], "none.txt");
    assert_eq!(place.json(&["search", "one"])[0]["path"], "a.txt");
}
