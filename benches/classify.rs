//! What a classification costs: `cargo bench --bench classify`.
//!
//! Prints nanoseconds a call, the best of several runs, which is the one that least else disturbed.
//! With `-- corpus` it classifies the corpus ten times and nothing else, for a count of instructions
//! (`valgrind --tool=callgrind`), which no other work on the machine disturbs.

use std::hint::black_box;
use std::io;
use std::time::Instant;

use resilience::{Category, Classification, Classify, classify};
use serde_json::Value;

fn main() {
    if std::env::args().any(|argument| argument == "corpus") {
        for text in corpus().iter().cycle().take(10 * corpus().len()) {
            black_box(classify::text(black_box(text)));
        }
        return;
    }
    println!("{:>10}  what", "ns");

    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    report("typed: io::Error by kind", || refused.classify());
    let full = io::Error::from_raw_os_error(28);
    report("typed: io::Error by number", || full.classify());
    let own = OwnError;
    report("typed: a type of one's own", || own.classify());
    let wrapped = anyhow::Error::from(io::Error::from(io::ErrorKind::TimedOut))
        .context("reading page 3")
        .context("indexing");
    report("typed: io::Error under two contexts of anyhow", || {
        classify::error(wrapped.as_ref())
    });

    for text in USUAL {
        report(&format!("text: {text}"), || classify::text(text));
    }
    let opaque = anyhow::anyhow!("rate limited, retry after 3 s").context("embedding");
    report("text: of an anyhow error with a context", || {
        classify::error(opaque.as_ref())
    });

    let corpus = corpus();
    let bytes: usize = corpus.iter().map(String::len).sum();
    let all = nanoseconds(10, || {
        for text in &corpus {
            black_box(classify::text(black_box(text)));
        }
    });
    let (count, length) = (corpus.len(), bytes / corpus.len());
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    let each = all / count as f64;
    println!("{each:>10.0}  text: mean of the {count} of the corpus, {length} bytes each");
}

#[derive(Debug, thiserror::Error, Classify)]
#[error("busy")]
#[classify(category = "rate_limit")]
struct OwnError;

/// Messages as they come most of the time.
const USUAL: [&str; 7] = [
    "connection refused",
    "operation timed out",
    "HTTP status server error (503 Service Unavailable) for url (http://127.0.0.1:8080/)",
    "error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)",
    "duplicate key value violates unique constraint \"users_email_key\"",
    "429 Too Many Requests: please try again in 20s",
    "something that no rule has ever heard of happened in step 17",
];

fn report(what: &str, mut call: impl FnMut() -> Classification) {
    assert_ne!(
        call(),
        Classification::new(Category::MEMORY),
        "not measured"
    );
    let each = nanoseconds(10_000, || {
        black_box(call());
    });
    println!("{each:>10.0}  {what}");
}

/// Nanoseconds of one of `times` calls in the best of several runs.
fn nanoseconds(times: u32, mut call: impl FnMut()) -> f64 {
    (0..20)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..times {
                call();
            }
            start.elapsed().as_secs_f64() * 1e9 / f64::from(times)
        })
        .fold(f64::INFINITY, f64::min)
}

fn corpus() -> Vec<String> {
    include_str!("../resilience-core/tests/data/errors-dev.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("every line is JSON"))
        .map(|row| row["text"].as_str().expect("a text").to_owned())
        .collect()
}
