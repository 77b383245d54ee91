//! An embedder that needs nothing but the text. It is lexical: it knows words, not meaning.

use crate::blocking;
use crate::embed::{BoxFuture, EmbedError, Embedder, Weights, normalise};
use crate::lexical::words;

/// Feature hashing: every word, pair of words and group of three letters adds to one of 384
/// numbers, with a sign of its own, and the result has length 1.
#[derive(Clone, Copy, Debug, Default)]
pub struct HashEmbedder;

impl HashEmbedder {
    /// The size of its vectors.
    pub const DIMENSIONS: usize = 384;
}

impl Embedder for HashEmbedder {
    fn model(&self) -> &'static str {
        // With a new way to cut or to count, the old vectors are another model's.
        "lexical-hash-384-v1"
    }

    fn is_lexical(&self) -> bool {
        true
    }

    fn batch_size(&self) -> usize {
        256
    }

    fn embed<'a>(
        &'a self,
        texts: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Vec<f32>>, EmbedError>> {
        let texts = texts.to_vec();
        Box::pin(async move {
            let work = move || {
                texts
                    .iter()
                    .map(|text| vector(text, &Weights::new()))
                    .collect()
            };
            Ok(blocking::run(work).await)
        })
    }

    fn embed_query<'a>(
        &'a self,
        query: &'a [String],
        weights: &'a Weights,
    ) -> BoxFuture<'a, Result<Vec<Vec<f32>>, EmbedError>> {
        let vectors = query.iter().map(|text| vector(text, weights)).collect();
        Box::pin(std::future::ready(Ok(vectors)))
    }
}

fn vector(text: &str, weights: &Weights) -> Vec<f32> {
    let words = words(text);
    let mut counts = std::collections::HashMap::<u64, (f32, f32)>::new();
    let mut count = |feature: u64, weight: f32| {
        counts.entry(feature).or_insert((0.0, weight)).0 += 1.0;
    };
    let rarity = |word: &String| weights.get(word).copied().unwrap_or(1.0);
    for word in &words {
        count(hash(&[b"w", word.as_bytes()]), rarity(word));
        for letters in word.as_bytes().windows(3) {
            count(hash(&[b"c", letters]), LETTERS * rarity(word));
        }
    }
    for pair in words.windows(2) {
        let weight = PAIRS * rarity(&pair[0]).min(rarity(&pair[1]));
        count(
            hash(&[b"p", pair[0].as_bytes(), b" ", pair[1].as_bytes()]),
            weight,
        );
    }
    let mut vector = vec![0.0_f32; HashEmbedder::DIMENSIONS];
    for (feature, (count, weight)) in counts {
        let place = (feature % HashEmbedder::DIMENSIONS as u64) as usize;
        let sign = if feature >> 63 == 0 { 1.0 } else { -1.0 };
        // The tenth time a word appears says less than the first.
        vector[place] += sign * weight * (1.0 + count.ln());
    }
    normalise(&mut vector);
    vector
}

/// FNV-1a with a final mix. The standard library's hasher may change from release to release, and
/// stored vectors must not.
fn hash(parts: &[&[u8]]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in parts.iter().copied().flatten() {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ (hash >> 29)
}

/// What a group of letters and a pair of words count, where a word counts 1. Letters bring forms
/// of a word together that no ending explains, but too much of them drowns the words.
const LETTERS: f32 = 0.15;
const PAIRS: f32 = 0.4;

#[cfg(test)]
mod tests {
    use super::*;

    fn similarity(a: &str, b: &str) -> f32 {
        let (a, b) = (vector(a, &Weights::new()), vector(b, &Weights::new()));
        a.iter().zip(&b).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn vectors_have_length_one_or_none() {
        let length: f32 = vector("the kettle whistles", &Weights::new())
            .iter()
            .map(|x| x * x)
            .sum();
        assert!((length - 1.0).abs() < 1e-5);
        assert!(vector("---", &Weights::new()).iter().all(|x| *x == 0.0));
    }

    #[test]
    fn the_same_words_are_near_and_others_far() {
        assert!(
            similarity(
                "the kettle whistles twice",
                "when does a kettle whistle twice?"
            ) > 0.9
        );
        assert!(similarity("the kettle whistles twice", "cooking rice in a pot").abs() < 0.2);
        assert!(
            similarity("classification", "classifier") > similarity("classification", "window")
        );
    }

    #[test]
    fn a_stored_vector_is_the_same_in_every_build() {
        assert_eq!(hash(&[b"w", b"kettle"]), 17_956_899_795_319_301_709);
    }
}
