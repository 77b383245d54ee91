//! Finds what the tables know in a text and lets the strongest finding decide.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::normal::{Normal, phrase};
use super::rule::{Rank, Verdict};
use super::table::pairs::{PAIRS, Pair};
use super::table::signs::{self, Unit};
use super::table::{self, os};
use super::{hint, numbers};
use crate::{Classification, Retry};

/// Decides what the text says.
pub(super) fn decide(text: &Normal<'_>) -> Classification {
    let mut signs = Signs::default();
    let mut best = Best::default();
    let mut near = Near::default();
    let lexicon: &'static Lexicon = &LEXICON;
    for found in lexicon.phrases.find_overlapping_iter(text.words) {
        // The spaces at both ends belong to the pattern.
        let (start, end) = (found.start() + 1, found.end() - 1);
        match &lexicon.entries[found.pattern().as_usize()] {
            Entry::Finding {
                rank,
                verdict,
                reason,
            } => {
                best.offer(
                    text,
                    Finding {
                        rank: *rank,
                        verdict: *verdict,
                        reason,
                        start,
                        end,
                    },
                );
            }
            Entry::Part(part) => {
                near.met(part, start, end, |finding| best.offer(text, finding));
            }
            Entry::Evidence => signs.evidence += 1,
            Entry::NoError => signs.no_error += 1,
            Entry::Calm => signs.calm = true,
            Entry::Final => signs.last = true,
            Entry::Wait(unit) => signs.wait = hint::wait(text, end, *unit).or(signs.wait),
        }
    }
    numbers::read(text, |finding| best.offer(text, finding));
    let Some(finding) = best.pick(&signs) else {
        return Classification::unknown();
    };
    let mut classification = finding.verdict.because(finding.reason);
    if signs.last {
        classification = classification.with_retry(Retry::No);
    }
    match signs.wait {
        Some(wait) if classification.retry() != Retry::No => classification.with_retry_after(wait),
        _ => classification,
    }
}

/// Something in a text that a rule knows.
#[derive(Clone, Copy)]
pub(super) struct Finding {
    pub(super) rank: Rank,
    pub(super) verdict: Verdict,
    pub(super) reason: &'static str,
    /// The place among the normalised words.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What words that do not decide say about the others.
#[derive(Default)]
struct Signs {
    evidence: u32,
    no_error: u32,
    calm: bool,
    last: bool,
    wait: Option<Duration>,
}

/// The strongest finding of each rank so far.
#[derive(Default)]
struct Best {
    by_rank: [Option<Finding>; 8],
    /// A word of daily language whose place in the text says that it is meant.
    clear_word: Option<Finding>,
}

impl Best {
    fn offer(&mut self, text: &Normal<'_>, finding: Finding) {
        let mut rank = finding.rank;
        if !finding.is_code() && rank <= Rank::Topic && rank != Rank::Loose {
            match (position(text, finding.start, finding.end), rank) {
                (Position::Data, _) => return,
                (Position::Clear, Rank::Word) => return keep(&mut self.clear_word, finding),
                (Position::Clear, Rank::Topic) => rank = Rank::Decisive,
                (Position::Clear | Position::Prose, _) => {}
            }
        }
        keep(&mut self.by_rank[rank as usize], finding);
    }

    fn pick(&self, signs: &Signs) -> Option<Finding> {
        let is_error = signs.evidence > signs.no_error;
        let is_calm = (signs.calm || signs.no_error > 0) && !is_error;
        let held = |rank: Rank| self.by_rank[rank as usize];
        // A report of success that mentions a failure is none; a code stays one.
        let spoken = |rank: Rank| held(rank).filter(|finding| !is_calm || finding.is_code());
        held(Rank::Final)
            .or_else(|| held(Rank::Decisive))
            .or_else(|| held(Rank::Topic).filter(|_| is_error))
            .or_else(|| spoken(Rank::Code))
            .or_else(|| spoken(Rank::Phrase))
            .or_else(|| spoken(Rank::Vague))
            .or_else(|| spoken(Rank::Loose))
            .or_else(|| self.clear_word.filter(|_| !is_calm))
            .or_else(|| held(Rank::Word).filter(|_| is_error))
    }
}

impl Finding {
    /// Whether a number or name of a register was found rather than words.
    fn is_code(&self) -> bool {
        !self.reason.ends_with('`')
    }
}

/// Keeps the later finding; of two that end together, the longer.
fn keep(slot: &mut Option<Finding>, finding: Finding) {
    if slot.is_none_or(|held| (finding.end, held.start) > (held.end, finding.start)) {
        *slot = Some(finding);
    }
}

/// Brings subjects and events of a [`Pair`] together.
#[derive(Default)]
struct Near {
    /// For each pair, where its last subject and its last event ended, and where they began.
    subjects: [Option<(usize, usize)>; PAIRS.len()],
    events: [Option<(usize, usize)>; PAIRS.len()],
}

impl Near {
    fn met(
        &mut self,
        part: &'static Part,
        start: usize,
        end: usize,
        mut found: impl FnMut(Finding),
    ) {
        let close = |other: Option<(usize, usize)>| {
            other.filter(|(_, other_end)| *other_end < start && start - other_end <= NEAR)
        };
        for &(pair, role) in &part.roles {
            let other = match role {
                Role::Subject => {
                    self.subjects[pair] = Some((start, end));
                    close(self.events[pair])
                }
                Role::Event => {
                    self.events[pair] = Some((start, end));
                    close(self.subjects[pair])
                }
            };
            if let Some((start, _)) = other {
                let Pair { rank, verdict, .. } = PAIRS[pair];
                let reason = LEXICON.pairs[pair].as_str();
                found(Finding {
                    rank,
                    verdict,
                    reason,
                    start,
                    end,
                });
            }
        }
    }
}

/// How many bytes may stand between the two, about six words.
const NEAR: usize = 36;

/// How words stand in the text.
enum Position {
    /// The name of a field, an option, an event: quoted as one word, or with its value.
    Data,
    /// An identifier such as `NotFound`, or alone between punctuation, as in `error: timeout`.
    Clear,
    /// Among other words.
    Prose,
}

fn position(text: &Normal<'_>, start: usize, end: usize) -> Position {
    let (start, end) = text.raw_range(start, end);
    let (before, found, after) = (&text.raw[..start], &text.raw[start..end], &text.raw[end..]);
    if is_value(after) {
        return Position::Data;
    }
    let open = before.iter().rev().copied().find(|byte| !is_filler(*byte));
    let close = after.iter().copied().find(|byte| !is_filler(*byte));
    let quoted = before.last().copied().is_some_and(is_quote)
        && after.first().copied().is_some_and(is_quote);
    let alone = open.is_none_or(is_boundary) && close.is_none_or(is_boundary);
    if alone && !(quoted && open.is_none()) {
        return Position::Clear;
    }
    let one_word = !found.contains(&b' ');
    if quoted && one_word {
        return Position::Data;
    }
    let humps = found
        .iter()
        .filter(|byte| byte.is_ascii_uppercase())
        .count();
    if one_word && humps > 1 {
        Position::Clear
    } else {
        Position::Prose
    }
}

/// Quotes, and spaces other than the end of a line.
fn is_filler(byte: u8) -> bool {
    is_quote(byte) || matches!(byte, b' ' | b'\t')
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

fn is_boundary(byte: u8) -> bool {
    b":;,.()[]{}<>|!\n\r".contains(&byte)
}

/// Whether what follows is the value of a setting: `timeout: 30`, `connect_timeout=5`.
fn is_value(after: &[u8]) -> bool {
    let mut rest = after.iter().filter(|byte| !is_filler(**byte));
    matches!(rest.next(), Some(b':' | b'=')) && rest.next().is_some_and(u8::is_ascii_digit)
}

/// Every phrase of every table, ready to be searched for.
struct Lexicon {
    phrases: AhoCorasick,
    entries: Vec<Entry>,
    /// The reason of each pair.
    pairs: Vec<String>,
}

/// What a phrase stands for.
enum Entry {
    Finding {
        rank: Rank,
        verdict: Verdict,
        reason: String,
    },
    Part(Part),
    Evidence,
    NoError,
    Calm,
    Final,
    Wait(Unit),
}

/// In which pairs a word is what.
struct Part {
    roles: Vec<(usize, Role)>,
}

#[derive(Clone, Copy)]
enum Role {
    Subject,
    Event,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
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
                },
            );
        }
    }
    for errno in os::all() {
        let entry = |errno: &os::Errno| Entry::Finding {
            rank: Rank::Code,
            verdict: errno.verdict,
            reason: errno.reason.to_owned(),
        };
        add(errno.name, entry(errno));
        // WSAECONNRESET
        add(&format!("wsa{}", errno.name), entry(errno));
    }
    for (texts, entry) in [
        (signs::EVIDENCE, (|| Entry::Evidence) as fn() -> Entry),
        (signs::NO_ERROR, || Entry::NoError),
        (signs::CALM, || Entry::Calm),
        (signs::FINAL, || Entry::Final),
    ] {
        for text in texts {
            add(text, entry());
        }
    }
    for (text, roles) in parts() {
        add(text, Entry::Part(Part { roles }));
    }
    for (text, unit) in signs::WAIT {
        add(text, Entry::Wait(*unit));
    }
    let phrases = AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::ContiguousNFA))
        .build(&patterns)
        // Fails only on more states than 32 bits count, and a test builds these tables.
        .expect("the tables are small");
    let pairs = PAIRS
        .iter()
        .map(|pair| format!("{}: `…`", pair.name))
        .collect();
    Lexicon {
        phrases,
        entries,
        pairs,
    }
});

/// Each word of the pairs once, with all its roles.
fn parts() -> BTreeMap<&'static str, Vec<(usize, Role)>> {
    let mut parts = BTreeMap::<_, Vec<_>>::new();
    for (number, pair) in PAIRS.iter().enumerate() {
        for &text in pair.subjects {
            parts.entry(text).or_default().push((number, Role::Subject));
        }
        for &text in pair.events {
            parts.entry(text).or_default().push((number, Role::Event));
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

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
