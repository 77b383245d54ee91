use std::sync::Arc;
use std::time::Duration;

use resilience::{Category, Severity};

use super::*;
use crate::db::DbOptions;

async fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().expect("a folder");
    let db = Db::open(&folder.path().join("sync.db"), DbOptions::default())
        .await
        .expect("a database");
    (folder, Store::new(db))
}

fn run() -> NewRun {
    NewRun {
        input: "stdin".into(),
        fingerprint: "f".into(),
        target: "sqlite".into(),
        collection: "C".into(),
        dry_run: false,
    }
}

async fn begin(store: &Store) -> Arc<str> {
    store.begin_run(run()).await.expect("begun").into()
}

fn entry(run: &Arc<str>, line: u64, path: &str, settled: Settled) -> Entry {
    Entry {
        run_id: Arc::clone(run),
        line,
        hash: LineHash::of(path.as_bytes()),
        path: Some(path.into()),
        operation: "modify",
        repo: None,
        took: Duration::from_millis(3),
        settled,
    }
}

fn failure(category: Category) -> Settled {
    Settled::Failed(Failure {
        category,
        severity: Severity::Low,
        message: "message".into(),
        waits_for: None,
        payload: b"a\xff".to_vec(),
    })
}

async fn record(store: &Store, entries: Vec<Entry>) {
    store.record(Arc::new(entries)).await.expect("stored");
}

async fn failed(store: &Store) -> Vec<(u64, u32)> {
    let all = store
        .failed_lines(FailedFilter::default(), FailedPlace::default(), 100)
        .await
        .expect("read");
    all.into_iter()
        .map(|line| (line.line, line.attempts))
        .collect()
}

#[tokio::test]
async fn a_run_has_a_name_of_its_own() {
    let (_folder, store) = store().await;
    let (first, second) = (begin(&store).await, begin(&store).await);
    assert_ne!(first, second);
    let parts: Vec<_> = first.split('_').collect();
    let lengths: Vec<_> = parts.iter().map(|part| part.len()).collect();
    assert_eq!(lengths[..3], [4, 8, 6]);
    assert_eq!(parts[3], std::process::id().to_string());
    assert_eq!(parts[4].len(), 8);
}

#[tokio::test]
async fn failures_are_counted_and_kept_newest_first_until_reset() {
    let (_folder, store) = store().await;
    let run = begin(&store).await;
    let entries = vec![
        entry(&run, 1, "a", failure(Category::FILESYSTEM)),
        entry(&run, 2, "b", failure(Category::ENCODING)),
        entry(&run, 3, "c", failure(Category::FILESYSTEM)),
    ];
    record(&store, entries).await;
    let counts = store.error_counts().await.expect("read");
    assert_eq!(
        counts,
        [("filesystem:low".into(), 2), ("encoding:low".into(), 1)]
    );
    let recent = store.recent_errors(2).await.expect("read");
    let lines: Vec<_> = recent.iter().map(|error| error.line).collect();
    assert_eq!(lines, [3, 2]);
    let time = &recent[0].stored_at;
    assert!(
        time.len() == 24 && time.ends_with('Z') && time.as_bytes()[10] == b'T',
        "{time}"
    );
    assert_eq!(store.reset_errors().await.expect("reset"), 3);
    assert!(store.error_counts().await.expect("read").is_empty());
    assert!(store.recent_errors(9).await.expect("read").is_empty());
}

#[tokio::test]
async fn a_failed_line_is_kept_until_it_is_dealt_with() {
    let (_folder, store) = store().await;
    let run = begin(&store).await;
    let failing = || entry(&run, 1, "a", failure(Category::NETWORK));
    record(&store, vec![failing()]).await;
    record(&store, vec![failing()]).await;
    assert_eq!(failed(&store).await, [(1, 2)]);
    let payload = store
        .failed_lines(FailedFilter::default(), FailedPlace::default(), 1)
        .await
        .expect("read")
        .remove(0)
        .payload;
    assert_eq!(payload, b"a\xff");
    record(&store, vec![entry(&run, 1, "a", Settled::Done("indexed"))]).await;
    assert_eq!(failed(&store).await, []);
    let states = store.lines(&run, 1, 2).await.expect("read");
    assert!(matches!(states[&1], LineState::Done { hash, .. } if hash == LineHash::of(b"a")));
}

#[tokio::test]
async fn a_later_state_of_a_file_settles_the_earlier_one() {
    let (_folder, store) = store().await;
    let (first, second) = (begin(&store).await, begin(&store).await);
    let entries = vec![
        entry(&first, 7, "a", failure(Category::NETWORK)),
        entry(&first, 8, "b", failure(Category::NETWORK)),
        entry(&second, 1, "a", failure(Category::NETWORK)),
        entry(&second, 2, "a", Settled::Done("skipped")),
    ];
    record(&store, entries).await;
    assert_eq!(failed(&store).await, [(7, 1), (8, 1), (1, 1)]);
    record(
        &store,
        vec![entry(&second, 3, "a", Settled::Done("deleted"))],
    )
    .await;
    assert_eq!(failed(&store).await, [(8, 1)]);
    // A resumed run must not bring the old state back.
    let states = store.lines(&second, 1, 4).await.expect("read");
    assert!(matches!(states[&1], LineState::Done { .. }));
}

#[tokio::test]
async fn only_a_run_of_the_same_kind_is_taken_up_and_only_unfinished() {
    let (_folder, store) = store().await;
    let id = begin(&store).await;
    let unfinished = |run: NewRun| async { store.unfinished(run).await.expect("read") };
    assert!(
        unfinished(run()).await.is_empty(),
        "its owner has not locked it"
    );
    assert!(store.resume(&id).await.expect("taken up"));
    assert_eq!(unfinished(run()).await, [id.to_string()]);
    let other = |change: fn(&mut NewRun)| {
        let mut run = run();
        change(&mut run);
        run
    };
    assert!(unfinished(other(|run| run.dry_run = true)).await.is_empty());
    assert!(
        unfinished(other(|run| run.collection = "D".into()))
            .await
            .is_empty()
    );
    assert!(
        unfinished(other(|run| run.target = "t".into()))
            .await
            .is_empty()
    );
    assert!(
        unfinished(other(|run| run.fingerprint = "g".into()))
            .await
            .is_empty()
    );
    assert!(store.resume(&id).await.expect("taken up"));
    store
        .finish_run(&id, "completed", vec![])
        .await
        .expect("ended");
    assert!(unfinished(run()).await.is_empty());
    assert!(!store.resume(&id).await.expect("nothing to take up"));
}

#[tokio::test]
async fn cleaning_keeps_what_has_failed_lines() {
    let (_folder, store) = store().await;
    let (done, open) = (begin(&store).await, begin(&store).await);
    let entries = vec![
        entry(&done, 1, "a", Settled::Done("skipped")),
        entry(&open, 1, "b", failure(Category::NETWORK)),
        entry(&open, 2, "c", Settled::Done("indexed")),
    ];
    record(&store, entries).await;
    let runs = store.runs(9).await.expect("read");
    let sums: Vec<_> = runs
        .iter()
        .map(|run| (run.success, run.skipped, run.failed))
        .collect();
    assert_eq!(sums, [(1, 0, 1), (0, 1, 0)]);
    assert!(store.old_runs(1, true).await.expect("read").is_empty());
    // A moment later both began more than no days ago.
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(
        store.old_runs(0, false).await.expect("read"),
        [done.to_string()]
    );
    assert_eq!(
        store.old_runs(0, true).await.expect("read"),
        [done.to_string(), open.to_string()]
    );
    assert!(store.forget(&done, false).await.expect("asked"));
    assert!(!store.forget(&open, false).await.expect("asked"));
    assert_eq!(failed(&store).await.len(), 1);
    assert!(store.forget(&open, true).await.expect("asked"));
    store.compact().await.expect("compacted");
    assert!(store.runs(9).await.expect("read").is_empty());
    assert_eq!(failed(&store).await, []);
}

#[tokio::test]
async fn breaker_states_are_those_of_the_newest_run() {
    let (_folder, store) = store().await;
    assert_eq!(store.breaker_history().await.expect("read"), None);
    let run = begin(&store).await;
    let open = BreakerState {
        service: "s".into(),
        state: "open".into(),
        failures: 5,
    };
    store
        .finish_run(&run, "completed", vec![open.clone()])
        .await
        .expect("finished");
    let history = store
        .breaker_history()
        .await
        .expect("read")
        .expect("a history");
    assert_eq!((&*history.run_id, history.breakers), (&*run, vec![open]));
}
