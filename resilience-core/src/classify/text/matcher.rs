//! Finds what the tables know in a text and lets the strongest finding decide.

use std::time::Duration;

use super::lexicon::{Entry, LEXICON, Lexicon, Part, Role};
use super::normal::Normal;
use super::position::{Position, position};
use super::rule::{Rank, Verdict, verdict};
use super::table::pairs::{PAIRS, Pair};
use super::{hint, numbers};
use crate::{Classification, Retry};

/// Decides what the text says.
pub(super) fn decide(text: &Normal<'_>) -> Classification {
    let mut signs = Signs::default();
    let mut best = Best::default();
    let mut near = Near::new();
    let lexicon: &'static Lexicon = &LEXICON;
    lexicon.phrases.find(text.words, |number, start, end| {
        match &lexicon.entries[number] {
            Entry::Finding {
                rank,
                verdict,
                reason,
                is_code,
            } => {
                let (rank, verdict, is_code) = (*rank, *verdict, *is_code);
                best.offer(
                    text,
                    Finding {
                        rank,
                        verdict,
                        reason,
                        is_code,
                        start,
                        end,
                    },
                );
            }
            Entry::Part(part) => {
                near.met(part, start, end, |finding| best.offer(text, finding));
            }
            Entry::Evidence => signs.evidence += 1,
            // `the invalid entries` speaks of something known.
            Entry::Complaint => signs.complaint |= text.word_before(start - 1).0 != b"the",
            // `error message: …` introduces one.
            Entry::NoError => {
                signs.no_error += u32::from(text.is_run(start, end) && !text.is_named(end));
            }
            Entry::Calm => signs.calm = true,
            Entry::Guess => best.guesses = true,
            Entry::Final => signs.last = true,
            Entry::Allowance => signs.limit.allowance = true,
            Entry::Pace => signs.limit.pace = true,
            Entry::Wait(unit) => signs.wait = hint::wait(text, end, *unit).or(signs.wait),
        }
    });
    numbers::read(text, |finding| best.offer(text, finding));
    let Some(finding) = best.pick(&signs) else {
        return Classification::unknown();
    };
    let is_allowance = signs.limit.allowance && !signs.limit.pace && signs.wait.is_none();
    let finding = if is_allowance && finding.verdict.is_for_pace() {
        Finding {
            verdict: verdict::QUOTA,
            reason: "quota used up: a refusal that names a quota, a plan or billing",
            ..finding
        }
    } else {
        finding
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
    /// Whether this is a number or name of a register rather than words.
    pub(super) is_code: bool,
    /// The place among the normalised words.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What words that do not decide say about the others.
#[derive(Default)]
struct Signs {
    evidence: u32,
    complaint: bool,
    no_error: u32,
    calm: bool,
    last: bool,
    limit: Limit,
    wait: Option<Duration>,
}

/// What a refusal for asking too much is about.
#[derive(Default)]
struct Limit {
    allowance: bool,
    pace: bool,
}

/// The strongest finding of each rank so far.
#[derive(Default)]
struct Best {
    by_rank: [Option<Finding>; 9],
    /// A word of daily language whose place in the text says that it is meant.
    clear_word: Option<Finding>,
    /// Whether the text has come to guessing: what it says from there on replaces nothing.
    guesses: bool,
}

impl Best {
    fn offer(&mut self, text: &Normal<'_>, finding: Finding) {
        let mut rank = finding.rank;
        if !finding.is_code && rank <= Rank::Topic && rank != Rank::Loose {
            match (position(text, finding.start, finding.end), rank) {
                (Position::Data, _) => return,
                (Position::Clear, Rank::Word) => {
                    return keep(&mut self.clear_word, finding, self.guesses);
                }
                (Position::Clear, Rank::Topic) => rank = Rank::Decisive,
                (Position::Clear | Position::Prose, _) => {}
            }
        }
        keep(&mut self.by_rank[rank as usize], finding, self.guesses);
    }

    fn pick(&self, signs: &Signs) -> Option<Finding> {
        let held = |rank: Rank| self.by_rank[rank as usize];
        // A code stands only in reports of errors.
        let is_coded = [Rank::Vague, Rank::Code, Rank::Decisive]
            .into_iter()
            .any(|rank| held(rank).is_some_and(|finding| finding.is_code));
        let is_reported = is_coded || signs.evidence > signs.no_error;
        let is_calm = (signs.calm || signs.no_error > 0) && !is_reported;
        let is_error = is_reported || (signs.complaint && !is_calm);
        // A report of success that mentions a failure is none; a code stays one.
        let spoken = |rank: Rank| held(rank).filter(|finding| !is_calm || finding.is_code);
        held(Rank::Final)
            .or_else(|| held(Rank::Decisive))
            .or_else(|| held(Rank::Topic).filter(|_| is_error))
            .or_else(|| spoken(Rank::Code))
            .or_else(|| spoken(Rank::Phrase))
            .or_else(|| spoken(Rank::Vague))
            .or_else(|| self.clear_word.filter(|_| !is_calm))
            .or_else(|| spoken(Rank::Loose))
            .or_else(|| held(Rank::Word).filter(|_| is_error))
            .or_else(|| held(Rank::Subject).filter(|_| is_error))
    }
}

/// Keeps the later finding; of two that end together, the longer.
fn keep(slot: &mut Option<Finding>, finding: Finding, guessed: bool) {
    if slot.is_none_or(|held| !guessed && (finding.end, held.start) > (held.end, finding.start)) {
        *slot = Some(finding);
    }
}

/// Brings subjects and events of a [`Pair`] together.
struct Near {
    /// For each pair, where its last subject and its last event ended, and where they began.
    subjects: [Option<Place>; PAIRS.len()],
    events: [Option<Place>; PAIRS.len()],
}

/// Where something stands in the normalised words, which are fewer bytes than this counts.
#[derive(Clone, Copy)]
struct Place {
    start: u16,
    end: u16,
}

impl Near {
    fn new() -> Self {
        Self {
            subjects: [None; PAIRS.len()],
            events: [None; PAIRS.len()],
        }
    }

    fn met(
        &mut self,
        part: &'static Part,
        start: usize,
        end: usize,
        mut found: impl FnMut(Finding),
    ) {
        let short = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
        let here = Place {
            start: short(start),
            end: short(end),
        };
        let close = |other: Option<Place>| {
            other.filter(|other| other.end < here.start && here.start - other.end <= NEAR)
        };
        for &(pair, role) in &part.roles {
            let other = match role {
                Role::Subject => {
                    self.subjects[pair] = Some(here);
                    close(self.events[pair])
                }
                Role::Event => {
                    self.events[pair] = Some(here);
                    close(self.subjects[pair])
                }
            };
            if let Some(other) = other {
                let start = usize::from(other.start);
                let Pair { rank, verdict, .. } = PAIRS[pair];
                let reason = LEXICON.pairs[pair].as_str();
                found(Finding {
                    rank,
                    verdict,
                    reason,
                    is_code: false,
                    start,
                    end,
                });
            }
        }
    }
}

/// How many bytes may stand between the two, about six words.
const NEAR: u16 = 36;
