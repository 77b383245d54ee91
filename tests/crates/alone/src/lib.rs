//! A crate that has nothing but `resilience`: no tokio, no tracing, no anyhow of its own. In
//! edition 2021, and without the workspace's lints, since it has `unsafe` functions.

pub use resilience;

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};

use resilience::{fail_fast, resilient, Classify};

/// What goes wrong here.
#[derive(Debug, Classify)]
pub enum Failure {
    /// As planned.
    #[classify(category = "network", retry_after = "0s")]
    Planned,
    /// By `resilience`.
    #[classify(transparent)]
    Ours(resilience::Error),
}

impl From<resilience::Error> for Failure {
    fn from(error: resilience::Error) -> Self {
        Self::Ours(error)
    }
}

/// Fails so many times, then succeeds.
#[resilient(retries = 3, backoff(initial = "0s", max = "0s"))]
pub async fn flaky(failures: u32, runs: &AtomicU32, text: String) -> Result<String, Failure> {
    let run = runs.fetch_add(1, Ordering::Relaxed);
    if run < failures {
        return Err(Failure::Planned);
    }
    Ok(text)
}

/// Refuses zero.
#[fail_fast(require(n > 0, field = "n", "must be above {}", 0))]
pub async fn strict(n: u32) -> Result<u32, Failure> {
    Ok(n)
}

/// Reads a byte.
///
/// # Safety
///
/// The pointer must be valid for reads.
#[resilient(retries = 1)]
pub async unsafe fn read(pointer: *const u8) -> Result<u8, Failure> {
    Ok(unsafe { *pointer })
}

/// The simplest executor there is.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
