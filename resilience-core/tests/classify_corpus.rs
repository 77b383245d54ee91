//! Scores the classification of texts on real error messages.
//!
//! `data/errors-dev.jsonl` is the set that the rules were made with; its `source` fields name the
//! public issue of each message. `data/errors-own.jsonl` was written and labelled before the rules,
//! `data/errors-found.jsonl` after them and before they were run on it, in rounds (the letter of
//! the id); each round was scored before the rules learned from it. `docs/classification.md` has the
//! figures of those first runs.

use std::collections::BTreeMap;

use resilience_core::{Retry, classify};
use serde_json::Value;

struct Row {
    id: String,
    text: String,
    category: String,
    also_ok: Vec<String>,
    retryable: bool,
}

#[derive(Debug)]
struct Score {
    rows: usize,
    right: usize,
    retried_though_final: usize,
    given_up_though_retryable: usize,
    macro_f1: f64,
}

#[test]
#[expect(clippy::cast_precision_loss, reason = "a few hundred rows")]
fn the_corpus_is_classified_well_enough_to_be_trusted() {
    for (name, data) in [
        ("errors-dev", include_str!("data/errors-dev.jsonl")),
        ("errors-own", include_str!("data/errors-own.jsonl")),
        ("errors-found", include_str!("data/errors-found.jsonl")),
    ] {
        let score = score(&rows(data));
        let accuracy = score.right as f64 / score.rows as f64;
        let harmful = (score.retried_though_final + score.given_up_though_retryable) as f64
            / score.rows as f64;
        println!(
            "{name}: accuracy {accuracy:.3}, macro-F1 {:.3}, harmful {harmful:.3}; {score:?}",
            score.macro_f1
        );
        assert!(accuracy >= 0.95, "{name}: accuracy {accuracy:.3}");
        assert!(harmful <= 0.02, "{name}: harmful {harmful:.3}");
    }
}

fn rows(data: &str) -> Vec<Row> {
    let string = |value: &Value| value.as_str().expect("a string").to_owned();
    data.lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("every line is JSON"))
        .map(|row| Row {
            id: string(&row["id"]),
            text: string(&row["text"]),
            category: string(&row["category"]),
            also_ok: row["also_ok"]
                .as_array()
                .expect("a list")
                .iter()
                .map(string)
                .collect(),
            retryable: row["retryable"].as_bool().expect("a bool"),
        })
        .collect()
}

/// An answer in `also_ok` counts as the right one, for accuracy and for F1.
#[expect(clippy::cast_precision_loss, reason = "a few hundred rows")]
fn score(rows: &[Row]) -> Score {
    let mut score = Score {
        rows: rows.len(),
        right: 0,
        retried_though_final: 0,
        given_up_though_retryable: 0,
        macro_f1: 0.0,
    };
    // For each category: found and right, found but wrong, missed.
    let mut counts: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    for row in rows {
        let found = classify::text(&row.text);
        let category = found.category().as_str();
        let right = category == row.category || row.also_ok.iter().any(|ok| ok == category);
        let late = found.retry() == Retry::Yes && !row.retryable;
        let early = found.retry() == Retry::No && row.retryable;
        score.right += usize::from(right);
        score.retried_though_final += usize::from(late);
        score.given_up_though_retryable += usize::from(early);
        if right {
            counts.entry(row.category.clone()).or_default()[0] += 1;
        } else {
            counts.entry(category.to_owned()).or_default()[1] += 1;
            counts.entry(row.category.clone()).or_default()[2] += 1;
        }
        if !right || late || early {
            println!(
                "{} {}{}: {category} {} ({}), wanted {} {} | {}",
                if right { "" } else { "WRONG " },
                if late || early { "HARMFUL " } else { "" },
                row.id,
                found.retry().as_str(),
                found.reason(),
                row.category,
                if row.retryable { "yes" } else { "no" },
                row.text
                    .chars()
                    .take(230)
                    .collect::<String>()
                    .replace('\n', "\\n"),
            );
        }
    }
    let f1 = counts.values().map(|[right, wrong, missed]| {
        2.0 * *right as f64 / ((2 * right + wrong + missed).max(1)) as f64
    });
    score.macro_f1 = f1.sum::<f64>() / counts.len() as f64;
    score
}
