//! The servers of the tests, for scripts: prints the addresses of a Weaviate and of an embedding
//! server, and serves until its standard input ends, for a minute at most.
//!
//! Arguments, and later the lines of its standard input, say what goes wrong from then on; each line
//! is repeated when it holds.

// OpenAI is a name, not code.
#![allow(clippy::doc_markdown)]

// The tests use all of it, this program a part.
#[allow(dead_code)]
#[path = "../tests/app/fake/mod.rs"]
mod fake;

use std::io::BufRead as _;
use std::time::Duration;

use fake::embeddings::FakeEmbeddings;
use fake::weaviate::FakeWeaviate;
use fake::{Kind, Lasts};

fn main() {
    let servers = (FakeWeaviate::start(), FakeEmbeddings::start());
    for word in std::env::args().skip(1) {
        obey(&word, &servers);
    }
    println!("{} {}", servers.0.url(), servers.1.url());
    std::thread::spawn(|| {
        std::thread::sleep(LIFETIME);
        std::process::exit(0);
    });
    for word in std::io::stdin().lock().lines().map_while(Result::ok) {
        obey(&word, &servers);
        println!("{word}");
    }
}

fn obey(word: &str, (weaviate, embeddings): &(FakeWeaviate, FakeEmbeddings)) {
    let unavailable = Kind::Status(503, None, String::new());
    match word {
        // Every answer comes half a second later.
        "slow" => {
            let late = Kind::Late(Duration::from_millis(500));
            weaviate.faults.add("", late.clone(), Lasts::Forever);
            embeddings.faults.add("", late, Lasts::Forever);
        }
        // Objects of this path are not taken.
        "picky" => {
            let invalid = &[("doc-0003", "invalid text property 'content'")];
            let kind = Kind::FailedObjects(invalid);
            weaviate.faults.add("POST /v1/batch", kind, Lasts::Forever);
        }
        // Two requests find nobody.
        "hiccup" => weaviate.faults.add("GET", unavailable, Lasts::Times(2)),
        "down" => weaviate.faults.add("", unavailable, Lasts::Forever),
        "up" => weaviate.faults.clear(),
        other => panic!("no such word: {other}"),
    }
}

const LIFETIME: Duration = Duration::from_secs(60);
