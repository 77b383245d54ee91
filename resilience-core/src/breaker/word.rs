//! What the hot path reads.

use std::time::Duration;

use crate::Error;
use crate::clock::{Moment, saturating_nanos};
use crate::sync::atomic::{AtomicU64, Ordering};

/// The generation with two flags, from how long on an attempt is slow, and until when an open breaker
/// refuses, and with which answer: on a cache line of their own, since failures write the rest.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Word {
    state: AtomicU64,
    /// In nanoseconds; `u64::MAX` where no attempt is slow.
    slow: AtomicU64,
    /// Zero where it takes more than the time to tell who is refused.
    until: AtomicU64,
    /// Packed, without the time until then.
    answer: AtomicU64,
}

impl Word {
    pub(super) fn new(state: u64, slow: Option<Duration>) -> Self {
        Self {
            state: AtomicU64::new(state),
            slow: AtomicU64::new(slow_nanos(slow)),
            until: AtomicU64::new(0),
            answer: AtomicU64::new(0),
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

    /// Under the lock of the rest. Who sees the state sees what it refuses, or what a later one does.
    pub(super) fn store(&self, word: u64, open: Option<(Moment, Error)>) {
        // A healthy line stays shared between cores: written only when it changes.
        let write = |place: &AtomicU64, value, order| {
            if place.load(Ordering::Relaxed) != value {
                place.store(value, order);
            }
        };
        let until = open.as_ref().map_or(0, |(until, _)| until.as_nanos());
        if let Some(answer) = open.and_then(|(_, answer)| answer.packed()) {
            write(&self.answer, answer, Ordering::Relaxed);
        }
        write(&self.until, until, Ordering::Relaxed);
        write(&self.state, word, Ordering::Release);
    }

    /// Until when everybody is refused, and with which answer, if that is so at `now`. `None` says
    /// nothing.
    #[inline]
    pub(super) fn open(&self, now: Moment) -> Option<(Moment, Error)> {
        if self.load() & CLOSED != 0 {
            return None;
        }
        let until = Moment::from_nanos(self.until.load(Ordering::Relaxed));
        (now < until || !until.is_finite())
            .then(|| (until, Error::unpacked(self.answer.load(Ordering::Relaxed))))
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
