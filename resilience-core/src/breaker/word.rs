//! What the hot path reads.

use std::time::Duration;

use super::{OpenedBy, Reason};
use crate::clock::{Moment, saturating_nanos};
use crate::sync::atomic::{AtomicU64, Ordering};

/// The generation with two flags, from how long on an attempt is slow, and until when an open breaker
/// refuses, and why: on a cache line of their own, since failures write the rest.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Word {
    state: AtomicU64,
    /// In nanoseconds; `u64::MAX` where no attempt is slow.
    slow: AtomicU64,
    /// Zero where it takes more than the time to tell who is refused.
    until: AtomicU64,
    reason: AtomicU64,
}

impl Word {
    pub(super) fn new(state: u64, slow: Option<Duration>) -> Self {
        Self {
            state: AtomicU64::new(state),
            slow: AtomicU64::new(slow_nanos(slow)),
            until: AtomicU64::new(0),
            reason: AtomicU64::new(0),
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
    pub(super) fn store(&self, word: u64, open: Option<(Moment, Reason)>) {
        // A healthy line stays shared between cores: written only when it changes.
        let write = |place: &AtomicU64, value, order| {
            if place.load(Ordering::Relaxed) != value {
                place.store(value, order);
            }
        };
        let until = open.map_or(0, |(until, _)| until.as_nanos());
        if let Some((_, reason)) = open {
            write(&self.reason, packed(reason), Ordering::Relaxed);
        }
        write(&self.until, until, Ordering::Relaxed);
        write(&self.state, word, Ordering::Release);
    }

    /// Until when everybody is refused, and why, if that is so at `now`. `None` says nothing.
    pub(super) fn open(&self, now: Moment) -> Option<(Moment, Reason)> {
        if self.load() & CLOSED != 0 {
            return None;
        }
        let until = Moment::from_nanos(self.until.load(Ordering::Relaxed));
        (now < until || !until.is_finite())
            .then(|| (until, unpacked(self.reason.load(Ordering::Relaxed))))
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

fn packed(reason: Reason) -> u64 {
    u64::from(reason.count) << 8 | u64::from(reason.by as u8)
}

fn unpacked(reason: u64) -> Reason {
    Reason {
        by: OpenedBy::of(reason as u8),
        count: (reason >> 8) as u32,
    }
}

const FLAGS: u32 = 2;
/// Attempts go through without a question.
pub(super) const CLOSED: u64 = 1;
/// And a success that is not slow would change nothing.
pub(super) const CLEAN: u64 = 2;
