//! `sync-pipeline search`: a question to the files that come nearest to it.
//!
//! The index gives the chunks whose vectors are nearest. Vectors of the embedding server stand as
//! they are. Those of the lexical embedder hash thousands of words into 384 numbers, so unlike
//! words collide; its nearest chunks are therefore ranked again by the words they really have
//! (BM25: rare words of the question count more, long chunks count less). A file is as good as its
//! best chunk.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::json;
use sync_pipeline::embed::{Weights, embed_query};
use sync_pipeline::index::{Frequencies, Hit};
use sync_pipeline::lexical::words;

use crate::cli::{Common, SearchArgs};
use crate::report::Screen;
use crate::services::{self, Sending};

/// `sync-pipeline search`.
pub(crate) async fn search(
    common: &Common,
    args: &SearchArgs,
    screen: &mut Screen,
) -> anyhow::Result<ExitCode> {
    let embedder = services::embedder(common)?;
    let target = services::target(common, Sending::NOTHING, services::existing(common)).await?;
    let index = target.index;
    let query = args.query.join(" ");
    let asked: Vec<String> = words(&query)
        .into_iter()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    if embedder.is_lexical() && asked.is_empty() {
        screen.line("Nothing to look for: the question has no words of its own");
        return Ok(ExitCode::SUCCESS);
    }
    let frequencies = index.frequencies(&common.collection, &asked).await?;
    let weights = rarity(&asked, &frequencies);
    let vector = embed_query(&*embedder, &query, &weights)
        .await
        .context("embedding the question")?;
    let mut hits = index
        .nearest(&common.collection, embedder.model(), &vector, CANDIDATES)
        .await
        .context("searching the index")?;
    if embedder.is_lexical() {
        rank_by_words(&mut hits, &weights);
    }
    let files = best_of_each_file(hits, args.limit);
    if files.is_empty() {
        screen.line("Nothing found");
    }
    for (place, hit) in files.iter().enumerate() {
        screen.object(&json!({
            "event": "hit",
            "place": place + 1,
            "repo": hit.repo,
            "path": hit.path,
            "first_line": hit.first_line,
            "last_line": hit.last_line,
            "score": hit.similarity,
            "excerpt": excerpt(hit, &weights),
        }));
        let repo = hit
            .repo
            .as_ref()
            .map_or(String::new(), |repo| format!("{repo}:"));
        screen.line(format_args!(
            "{}. {repo}{}:{}-{}  ({:.2})",
            place + 1,
            hit.path,
            hit.first_line,
            hit.last_line,
            hit.similarity,
        ));
        screen.line(format_args!("   {}", excerpt(hit, &weights)));
    }
    Ok(ExitCode::SUCCESS)
}

/// What each word of a question says about a chunk that has it: the rarer, the more.
fn rarity(asked: &[String], frequencies: &Frequencies) -> Weights {
    let chunks = number(frequencies.chunks);
    let weight = |with_word: usize| {
        let with_word = number(with_word);
        (1.0 + (chunks - with_word + 0.5) / (with_word + 0.5)).ln()
    };
    asked
        .iter()
        .cloned()
        .zip(frequencies.with_word.iter().map(|n| weight(*n)))
        .collect()
}

/// BM25 over the chunks at hand, put in the place of the cosine.
fn rank_by_words(hits: &mut [Hit], weights: &Weights) {
    let total: usize = hits.iter().map(|hit| hit.words.len()).sum();
    let mean = number(total) / number(hits.len().max(1));
    for hit in hits.iter_mut() {
        let mut counts = HashMap::<&str, f32>::new();
        for word in hit.words.iter().filter(|word| weights.contains_key(*word)) {
            *counts.entry(word).or_default() += 1.0;
        }
        let length = number(hit.words.len()) / mean;
        hit.similarity = counts
            .into_iter()
            .map(|(word, count)| {
                let saturated = count * (K + 1.0) / (count + K * (1.0 - B + B * length));
                weights[word] * saturated
            })
            .sum();
    }
    hits.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
}

fn best_of_each_file(hits: Vec<Hit>, limit: usize) -> Vec<Hit> {
    let mut seen = HashSet::new();
    hits.into_iter()
        .filter(|hit| hit.similarity > 0.0 && seen.insert((hit.repo.clone(), hit.path.clone())))
        .take(limit)
        .collect()
}

/// The line of a chunk that has most of the question's words.
fn excerpt(hit: &Hit, weights: &Weights) -> String {
    let score = |line: &str| -> f32 {
        let distinct: HashSet<String> = words(line).into_iter().collect();
        distinct.iter().filter_map(|word| weights.get(word)).sum()
    };
    let mut best = ("", -1.0);
    for line in hit
        .text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        let score = score(line);
        if score > best.1 {
            best = (line, score);
        }
    }
    let mut shown: String = best.0.chars().take(EXCERPT).collect();
    if shown.len() < best.0.len() {
        shown.push('…');
    }
    shown
}

/// A count in a score. A ranking does not see what gets lost above sixteen million.
#[allow(clippy::cast_precision_loss)]
const fn number(count: usize) -> f32 {
    count as f32
}

/// How many chunks are ranked again.
const CANDIDATES: usize = 300;
/// The usual numbers of BM25: how soon repetition stops to count, how much length does.
const K: f32 = 1.2;
const B: f32 = 0.75;
/// How many characters of a line are shown.
const EXCERPT: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(path: &str, text: &str) -> Hit {
        Hit {
            repo: None,
            path: path.into(),
            first_line: 1,
            last_line: 1,
            text: text.into(),
            words: words(text),
            similarity: 0.0,
        }
    }

    #[test]
    fn rare_words_count_more_and_files_come_once() {
        let asked = words("kettle twice");
        let weights = rarity(
            &asked,
            &Frequencies {
                chunks: 100,
                with_word: vec![90, 2],
            },
        );
        let mut hits = vec![
            hit("common", "kettle kettle kettle"),
            hit("both", "the kettle whistles twice"),
            hit("both", "once or twice"),
            hit("neither", "nothing"),
        ];
        rank_by_words(&mut hits, &weights);
        let files = best_of_each_file(hits, 9);
        let paths: Vec<_> = files.iter().map(|hit| hit.path.as_str()).collect();
        assert_eq!(paths, ["both", "common"]);
    }

    #[test]
    fn the_excerpt_is_the_line_that_answers() {
        let weights = Weights::from([(words("twice").remove(0), 2.0)]);
        let hit = hit("a", "first line\n  it whistles twice  \nlast");
        assert_eq!(excerpt(&hit, &weights), "it whistles twice");
    }
}
