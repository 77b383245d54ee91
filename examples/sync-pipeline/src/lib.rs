//! The library of the sync pipeline: records in, documents in a vector index out.
//!
//! This layer knows its failures one by one: every module has an error type of its own
//! ([`thiserror`]) that says what kind of failure it is ([`resilience::Classify`]). The program
//! around it (`main.rs` and its modules) adds context with `anyhow` and decides what to do.
//!
//! | module | what it does |
//! |---|---|
//! | [`lines`] | input to lines, bounded |
//! | [`record`] | a line to a change record |
//! | [`content`] | a change record to its text |
//! | [`chunk`], [`lexical`] | text to chunks, chunks to words |
//! | [`embed`] | chunks to vectors |
//! | [`index`] | vectors to a searchable index |
//! | [`store`] | what happened to every line, kept for the next process |
//! | [`lock`] | whether a run is alive |
//! | [`db`] | the one connection to SQLite behind `index` and `store` |
//! | [`http`] | what the clients of embeddings and index share |

// SQLite and OpenAI are names, not code.
#![allow(clippy::doc_markdown)]

mod blocking;
pub mod chunk;
pub mod content;
pub mod db;
pub mod embed;
pub mod http;
pub mod index;
pub mod lexical;
pub mod lines;
pub mod lock;
pub mod record;
pub mod store;
