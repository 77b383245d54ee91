//! What all cases of the peers do, and the same as a subject of tests.

use std::cell::Cell;
use std::fmt;
use std::hint::black_box;

use guard::Yield;

/// The error of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The other side is down.
    Down,
    /// Not let through.
    Refused,
    /// It took too long.
    TimedOut,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Down => "the other side is down",
            Self::Refused => "refused",
            Self::TimedOut => "timed out",
        })
    }
}

impl std::error::Error for Failure {}

/// Succeeds at once.
pub async fn ready(x: u64) -> Result<u64, Failure> {
    Ok(black_box(x) + 1)
}

/// Succeeds after one pending poll.
pub async fn waits(x: u64) -> Result<u64, Failure> {
    Yield::default().await;
    Ok(black_box(x) + 1)
}

/// Fails at once.
pub async fn fails(x: u64) -> Result<u64, Failure> {
    if black_box(x) == u64::MAX {
        return Ok(x);
    }
    Err(Failure::Down)
}

/// Does what the number says, and counts its runs.
pub async fn tested(x: u64) -> Result<u64, Failure> {
    RUNS.set(RUNS.get() + 1);
    match x {
        FAIL => Err(Failure::Down),
        HANG => std::future::pending().await,
        _ => Ok(x + 1),
    }
}

/// How often [`tested`] has run in this thread.
#[must_use]
pub fn runs() -> u64 {
    RUNS.get()
}

/// Makes [`tested`] fail.
pub const FAIL: u64 = 1_000_001;
/// Makes [`tested`] wait for ever.
pub const HANG: u64 = 1_000_002;

thread_local! {
    static RUNS: Cell<u64> = const { Cell::new(0) };
}
