//! What a classification may cost: no allocation, if typed or of a text of usual length.

use std::hint::black_box;
use std::io;

use allocation_counter::measure;
use resilience::{Classification, Classify, classify};

#[derive(Debug, thiserror::Error, Classify)]
enum Own {
    #[error("busy for {0:?}")]
    #[classify(category = "rate_limit", retry_after = _0)]
    Busy(std::time::Duration),
    #[error(transparent)]
    #[classify(transparent)]
    Io(#[from] io::Error),
}

fn assert_free(what: &str, mut call: impl FnMut() -> Classification) {
    // The first makes the tables.
    black_box(call());
    let cost = measure(|| {
        black_box(call());
    });
    assert_eq!(cost.count_total, 0, "{what}");
}

#[test]
fn what_is_typed_allocates_nothing() {
    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    assert_free("by kind", || refused.classify());
    let full = io::Error::from_raw_os_error(28);
    assert_free("by number", || full.classify());
    let busy = Own::Busy(std::time::Duration::from_secs(1));
    assert_free("own", || busy.classify());
    let own = Own::from(io::Error::from(io::ErrorKind::TimedOut));
    assert_free("transparent", || own.classify());
    let wrapped = anyhow::Error::from(own).context("page 3").context("index");
    assert_free("wrapped", || classify::error(wrapped.as_ref()));
}

#[test]
fn a_text_of_usual_length_allocates_nothing() {
    let rows = include_str!("../resilience-core/tests/data/errors-dev.jsonl");
    let mut usual = 0;
    for row in rows.lines() {
        let row: serde_json::Value = serde_json::from_str(row).expect("every line is JSON");
        let text = row["text"].as_str().expect("a text");
        if text.len() <= 480 {
            usual += 1;
            assert_free(text, || classify::text(text));
            assert_free(text, || classify::display(&text));
        }
    }
    assert!(usual > 200, "nearly all texts are of usual length: {usual}");
}
