//! The servers of the tests, for `tests/walkthrough.sh`: prints the addresses of a Weaviate and of
//! an embedding server, and serves until its standard input ends, for a minute at most.
//!
//! With `slow` as its argument, every answer comes half a second later.

// OpenAI is a name, not code.
#![allow(clippy::doc_markdown)]

// The tests use all of it, this program a part.
#[allow(dead_code)]
#[path = "../tests/app/fake/mod.rs"]
mod fake;

use std::io::Read as _;
use std::time::Duration;

use fake::embeddings::FakeEmbeddings;
use fake::weaviate::FakeWeaviate;
use fake::{Kind, Lasts};

fn main() {
    let (weaviate, embeddings) = (FakeWeaviate::start(), FakeEmbeddings::start());
    if std::env::args().nth(1).as_deref() == Some("slow") {
        let late = Kind::Late(Duration::from_millis(500));
        weaviate.faults.add("", late.clone(), Lasts::Forever);
        embeddings.faults.add("", late, Lasts::Forever);
    }
    println!("{} {}", weaviate.url(), embeddings.url());
    std::thread::spawn(|| {
        std::thread::sleep(LIFETIME);
        std::process::exit(0);
    });
    // What is written there is of no interest.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

const LIFETIME: Duration = Duration::from_secs(60);
