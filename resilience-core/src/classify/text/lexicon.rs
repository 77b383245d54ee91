//! Everything that the tables know, ready to be searched for in one pass.

use std::sync::LazyLock;

use super::normal::phrase;
use super::phrases::Phrases;
use super::rule::{Rank, Verdict};
use super::table::pairs::PAIRS;
use super::table::signs::{self, Unit};
use super::table::{self, os};
use crate::sorted::Sorted;

/// Every phrase of every table, ready to be searched for.
pub(super) struct Lexicon {
    pub(super) phrases: Phrases,
    /// What each phrase stands for, by its number.
    pub(super) entries: Vec<Entry>,
    /// The reason of each pair.
    pub(super) pairs: Vec<String>,
}

/// What a phrase stands for.
pub(super) enum Entry {
    Finding {
        rank: Rank,
        verdict: Verdict,
        reason: String,
        is_code: bool,
    },
    Part(Part),
    Evidence,
    Complaint,
    NoError,
    Calm,
    Guess,
    Final,
    Allowance,
    Pace,
    Wait(Unit),
}

/// In which pairs a word is what.
pub(super) struct Part {
    pub(super) roles: Vec<(usize, Role)>,
}

#[derive(Clone, Copy)]
pub(super) enum Role {
    Subject,
    Event,
}

/// Made on first use, which takes a few milliseconds.
pub(super) static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let mut patterns = Vec::new();
    let mut entries = Vec::new();
    let mut add = |text: &str, entry: Entry| {
        patterns.push(phrase(text));
        entries.push(entry);
    };
    for rule in table::RULES.into_iter().flatten() {
        for &text in rule.phrases {
            let reason = format!("{}: `{text}`", rule.name);
            add(
                text,
                Entry::Finding {
                    rank: rule.rank,
                    verdict: rule.verdict,
                    reason,
                    is_code: false,
                },
            );
        }
    }
    for errno in os::all() {
        let entry = |errno: &os::Errno| Entry::Finding {
            rank: Rank::Code,
            verdict: errno.verdict,
            reason: errno.reason.to_owned(),
            is_code: true,
        };
        add(errno.name, entry(errno));
        // WSAECONNRESET
        add(&format!("wsa{}", errno.name), entry(errno));
    }
    for (texts, entry) in [
        (signs::EVIDENCE, (|| Entry::Evidence) as fn() -> Entry),
        (signs::COMPLAINT, || Entry::Complaint),
        (signs::NO_ERROR, || Entry::NoError),
        (signs::CALM, || Entry::Calm),
        (signs::GUESS, || Entry::Guess),
        (signs::FINAL, || Entry::Final),
        (signs::ALLOWANCE, || Entry::Allowance),
        (signs::PACE, || Entry::Pace),
    ] {
        for text in texts {
            add(text, entry());
        }
    }
    for (text, roles) in &parts() {
        let roles = roles.clone();
        add(text, Entry::Part(Part { roles }));
    }
    for (text, unit) in signs::WAIT {
        add(text, Entry::Wait(*unit));
    }
    let phrases = Phrases::new(&patterns);
    let pairs = PAIRS
        .iter()
        .map(|pair| format!("{} (words near each other)", pair.name))
        .collect();
    Lexicon {
        phrases,
        entries,
        pairs,
    }
});

/// Each word of the pairs once, with all its roles.
fn parts() -> Sorted<&'static str, Vec<(usize, Role)>> {
    let mut parts = Sorted::<_, Vec<_>>::new();
    for (number, pair) in PAIRS.iter().enumerate() {
        for &text in pair.subjects {
            parts.entry(text).push((number, Role::Subject));
        }
        for &text in pair.events {
            parts.entry(text).push((number, Role::Event));
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_beginnings_of_phrases_are_taken_for_one() {
        let mut beginnings = HashSet::new();
        for rule in table::RULES.into_iter().flatten() {
            for text in rule.phrases {
                let words: Vec<_> = text.split(' ').collect();
                beginnings.extend((1..=words.len()).map(|n| words[..n].join(" ")));
            }
        }
        let phrases: Vec<_> = beginnings.iter().map(|text| phrase(text)).collect();
        assert_eq!(Phrases::new(&phrases).ways(), beginnings.len());
    }

    #[test]
    fn every_phrase_is_in_normal_form_and_stands_in_one_rule() {
        let mut seen = HashSet::new();
        for rule in table::RULES.into_iter().flatten() {
            for &text in rule.phrases {
                assert_eq!(
                    phrase(text).trim(),
                    text,
                    "{}: not in normal form",
                    rule.name
                );
                assert!(
                    seen.insert(text),
                    "{}: `{text}` stands in two rules",
                    rule.name
                );
            }
        }
    }
}
