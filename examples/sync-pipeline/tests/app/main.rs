//! The application as a user runs it, alone and with the servers that it works with.

// SQLite and OpenAI are names, not code.
#![allow(clippy::doc_markdown)]

mod cli;
mod embeddings;
mod fake;
mod faults;
mod kill;
mod place;
mod retry;
mod secrets;
mod signals;
mod stores;
mod weaviate;
