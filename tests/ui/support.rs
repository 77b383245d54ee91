//! What the files in `pass` share: an error type and a dependency that fails so many times.
#![allow(dead_code)]

use std::sync::atomic::{AtomicU32, Ordering};

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("planned")]
    Planned,
    #[error(transparent)]
    Rejected(#[from] resilience::Error),
}

impl PartialEq for Failure {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

/// Fails `failures` times, then succeeds.
pub struct Flaky {
    failures: u32,
    runs: AtomicU32,
}

impl Flaky {
    pub const fn new(failures: u32) -> Self {
        Self {
            failures,
            runs: AtomicU32::new(0),
        }
    }

    /// One run: the number of runs so far, or the planned failure.
    pub fn run(&self) -> Result<u32, Failure> {
        let run = self.runs.fetch_add(1, Ordering::SeqCst) + 1;
        if run <= self.failures {
            Err(Failure::Planned)
        } else {
            Ok(run)
        }
    }

    pub fn runs(&self) -> u32 {
        self.runs.load(Ordering::SeqCst)
    }
}

/// Runs a future with a paused clock.
pub fn block_on<F: std::future::Future>(future: F) -> F::Output {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(future)
}

/// Runs it as a task of its own, for which it has to be `Send` and own what it uses.
pub fn spawn<F>(future: F) -> F::Output
where
    F: std::future::Future<Output: Send> + Send + 'static,
{
    block_on(async { tokio::spawn(future).await.unwrap() })
}
