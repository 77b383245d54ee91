//! Finds many phrases in a text at once, word by word.
//!
//! ```text
//! Phrases: connection refused, connection reset by peer
//! Tree:    connection ─┬─ refused (0)
//!                      └─ reset ── by ── peer (1)
//! ```
//!
//! The tree is one hash table: a node and a word give the next node. A word of a text thus costs
//! one look-up, and one more for each phrase that is under way.

use std::collections::HashMap;

use super::normal::words;

/// A tree of phrases in normal form.
#[derive(Clone, Debug, Default)]
pub(super) struct Phrases {
    /// A power of two of slots, a quarter of them taken at most, so that a look-up of a word that
    /// is in no phrase nearly always ends in the first slot.
    slots: Vec<Slot>,
    /// The numbers of the phrases, those that end at one node side by side.
    ends: Vec<u32>,
}

/// The way from one node to the next.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// The node and the word, hashed; 0 in a free slot. Two ways with one key would be one way:
    /// with 64 bits and some thousand ways that does not happen by chance (a test looks), and on
    /// purpose it makes a text mean what another one does.
    key: u64,
    /// The node at the end of the way.
    node: u32,
    /// Which phrases end there, as a range in `ends`.
    first: u32,
    count: u16,
    /// Whether any phrase goes on from there.
    goes_on: bool,
}

/// The beginning of a phrase at a place in the text.
#[derive(Clone, Copy, Default)]
struct Begun {
    node: u32,
    start: u32,
}

impl Phrases {
    /// No phrases at all.
    pub(super) const fn none() -> Self {
        Self {
            slots: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// The tree of phrases in normal form. A phrase is known by its place in the list; one without
    /// words is never found.
    pub(super) fn new<P: AsRef<str>>(phrases: impl IntoIterator<Item = P>) -> Self {
        let mut tree = Tree::default();
        for (number, phrase) in (0..).zip(phrases) {
            tree.add(phrase.as_ref().as_bytes(), number);
        }
        tree.into_phrases()
    }

    /// Calls `found` with the number, the start and the end of each phrase in a normalised text,
    /// in the order in which they end.
    pub(super) fn find(&self, text: &[u8], mut found: impl FnMut(usize, usize, usize)) {
        let mut begun = [Begun::default(); AT_ONCE];
        let mut len = 0;
        for (start, end) in words(text) {
            let word = hash(&text[start..end]);
            let mut kept = 0;
            let mut go_on = |from: Begun, begun: &mut [Begun; AT_ONCE]| {
                let Some(slot) = self.slot(from.node, word) else {
                    return;
                };
                let numbers = &self.ends[slot.first as usize..][..usize::from(slot.count)];
                for &number in numbers {
                    found(number as usize, from.start as usize, end);
                }
                // Where more have begun than there is room for, which takes a text that repeats
                // itself, the new one is left out.
                if slot.goes_on && kept < AT_ONCE {
                    begun[kept] = Begun {
                        node: slot.node,
                        start: from.start,
                    };
                    kept += 1;
                }
            };
            for i in 0..len {
                go_on(begun[i], &mut begun);
            }
            let here = Begun {
                node: ROOT,
                start: u32::try_from(start).unwrap_or(u32::MAX),
            };
            go_on(here, &mut begun);
            len = kept;
        }
    }

    /// How many beginnings of phrases differ, for a test.
    #[cfg(test)]
    pub(super) fn ways(&self) -> usize {
        self.slots.iter().filter(|slot| slot.key != 0).count()
    }

    fn slot(&self, node: u32, word: u64) -> Option<&Slot> {
        let mask = self.slots.len().checked_sub(1)?;
        let key = key(node, word);
        let mut at = spread(key) & mask;
        loop {
            let slot = &self.slots[at];
            if slot.key == key {
                return Some(slot);
            }
            if slot.key == 0 {
                return None;
            }
            at = (at + 1) & mask;
        }
    }
}

/// The tree while it is built.
#[derive(Default)]
struct Tree {
    ways: Vec<Way>,
    /// The place of each way by its key.
    places: HashMap<u64, usize>,
}

struct Way {
    key: u64,
    numbers: Vec<u32>,
    goes_on: bool,
}

impl Tree {
    fn add(&mut self, phrase: &[u8], number: u32) {
        let mut last: Option<usize> = None;
        for (start, end) in words(phrase) {
            let from = last.map_or(ROOT, Self::node);
            let key = key(from, hash(&phrase[start..end]));
            if let Some(last) = last {
                self.ways[last].goes_on = true;
            }
            let place = *self.places.entry(key).or_insert(self.ways.len());
            if place == self.ways.len() {
                self.ways.push(Way {
                    key,
                    numbers: Vec::new(),
                    goes_on: false,
                });
            }
            last = Some(place);
        }
        if let Some(last) = last {
            self.ways[last].numbers.push(number);
        }
    }

    /// The node at the end of a way.
    fn node(way: usize) -> u32 {
        u32::try_from(way).unwrap_or(u32::MAX - 1) + 1
    }

    fn into_phrases(self) -> Phrases {
        let room = (4 * self.ways.len()).next_power_of_two();
        let mut phrases = Phrases {
            slots: vec![Slot::default(); room],
            ends: Vec::new(),
        };
        for (place, way) in self.ways.into_iter().enumerate() {
            let mut at = spread(way.key) & (room - 1);
            while phrases.slots[at].key != 0 {
                at = (at + 1) & (room - 1);
            }
            phrases.slots[at] = Slot {
                key: way.key,
                node: Self::node(place),
                first: u32::try_from(phrases.ends.len()).unwrap_or(u32::MAX),
                count: u16::try_from(way.numbers.len()).unwrap_or(u16::MAX),
                goes_on: way.goes_on,
            };
            phrases.ends.extend(way.numbers);
        }
        phrases
    }
}

/// The node that every phrase begins at.
const ROOT: u32 = 0;

/// How many phrases may be under way at one place of a text.
const AT_ONCE: usize = 12;

fn hash(word: &[u8]) -> u64 {
    let mut hash = word.len() as u64;
    let mut chunks = word.chunks_exact(8);
    for chunk in &mut chunks {
        let chunk = chunk.try_into().map_or(0, u64::from_le_bytes);
        hash = (hash ^ chunk).wrapping_mul(MIX).rotate_left(29);
    }
    let rest = chunks.remainder();
    let rest = rest
        .iter()
        .rev()
        .fold(0, |rest, &byte| rest << 8 | u64::from(byte));
    (hash ^ rest).wrapping_mul(MIX)
}

fn key(node: u32, word: u64) -> u64 {
    let key = (word ^ u64::from(node).wrapping_mul(MIX)).wrapping_mul(MIX);
    (key ^ key >> 32) | 1
}

/// Where in a table to look for a key first.
fn spread(key: u64) -> usize {
    (key >> 20) as usize
}

/// Odd, and with no pattern in its bits: the golden ratio, as in Fibonacci hashing.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;

    fn found(phrases: &[&str], text: &str) -> Vec<(usize, String)> {
        let mut all = Vec::new();
        Phrases::new(phrases).find(text.as_bytes(), |number, start, end| {
            all.push((number, text[start..end].to_owned()));
        });
        all
    }

    #[test]
    fn phrases_are_found_where_they_overlap_and_in_the_order_of_their_ends() {
        let phrases = [
            " reset by peer ",
            " connection reset ",
            " by ",
            " peer ",
            " reset ",
        ];
        let all = found(&phrases, " connection reset by peer ");
        let all: Vec<_> = all
            .iter()
            .map(|(number, text)| (*number, text.as_str()))
            .collect();
        assert_eq!(
            all,
            [
                (1, "connection reset"),
                (4, "reset"),
                (2, "by"),
                (0, "reset by peer"),
                (3, "peer"),
            ]
        );
    }

    #[test]
    fn only_whole_words_are_found() {
        assert!(found(&[" oom ", " room "], " rooms oo m ").is_empty());
        assert_eq!(
            found(
                &[" a longer word than eight "],
                " a longer word than eight "
            )
            .len(),
            1
        );
        assert!(found(&[" ", ""], " any text ").is_empty());
        assert!(found(&[], " any text ").is_empty());
    }

    #[test]
    fn one_phrase_may_stand_twice_in_the_list_and_in_the_text() {
        let all = found(&[" a b ", " a b "], " a b a b ");
        assert_eq!(
            all.iter().map(|(number, _)| *number).collect::<Vec<_>>(),
            [0, 1, 0, 1]
        );
    }

    #[test]
    fn a_text_that_repeats_itself_is_read_to_its_end() {
        let long = " a a a a a a a a a a a a a a a a b ";
        assert_eq!(found(&[long], long).len(), 1, "the oldest goes on");
        assert_eq!(found(&[" b "], long).len(), 1);
    }
}
