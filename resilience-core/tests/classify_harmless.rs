//! Sentences that mention trouble and report none.

use resilience_core::{Category, classify};

#[test]
fn harmless_sentences_are_not_placed() {
    let sentences: Vec<_> = include_str!("data/harmless.txt").lines().collect();
    assert!(sentences.len() >= 100, "{} sentences", sentences.len());
    let alarms: Vec<_> = sentences
        .iter()
        .map(|sentence| (sentence, classify::text(sentence)))
        .filter(|(_, found)| found.category() != Category::UNKNOWN)
        .map(|(sentence, found)| format!("{sentence}: {} ({})", found.category(), found.reason()))
        .collect();
    assert!(alarms.is_empty(), "false alarms:\n{}", alarms.join("\n"));
}
