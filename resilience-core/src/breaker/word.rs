//! What the hot path reads.

use std::time::Duration;

use crate::clock::saturating_nanos;
use crate::sync::atomic::{AtomicU64, Ordering};

/// The generation with two flags, and from how long on an attempt is slow: on a cache line of their
/// own, since failures write the rest.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Word {
    state: AtomicU64,
    /// In nanoseconds; `u64::MAX` where no attempt is slow.
    slow: AtomicU64,
}

impl Word {
    pub(super) fn new(state: u64, slow: Option<Duration>) -> Self {
        Self {
            state: AtomicU64::new(state),
            slow: AtomicU64::new(slow_nanos(slow)),
        }
    }

    /// The word of a generation.
    pub(super) const fn of(generation: u64, flags: u64) -> u64 {
        generation << FLAGS | flags
    }

    pub(super) const fn generation(word: u64) -> u64 {
        word >> FLAGS
    }

    #[inline]
    pub(super) fn load(&self) -> u64 {
        self.state.load(Ordering::Acquire)
    }

    pub(super) fn store(&self, word: u64) {
        // A healthy line stays shared between cores: written only when it changes.
        if self.state.load(Ordering::Relaxed) != word {
            self.state.store(word, Ordering::Release);
        }
    }

    /// From how long on an attempt is slow.
    #[inline]
    pub(super) fn slow(&self) -> Option<Duration> {
        match self.slow.load(Ordering::Relaxed) {
            u64::MAX => None,
            nanos => Some(Duration::from_nanos(nanos)),
        }
    }

    pub(super) fn set_slow(&self, slow: Option<Duration>) {
        self.slow.store(slow_nanos(slow), Ordering::Relaxed);
    }
}

fn slow_nanos(slow: Option<Duration>) -> u64 {
    slow.map_or(u64::MAX, saturating_nanos)
}

const FLAGS: u32 = 2;
/// Attempts go through without a question.
pub(super) const CLOSED: u64 = 1;
/// And a success that is not slow would change nothing.
pub(super) const CLEAN: u64 = 2;
