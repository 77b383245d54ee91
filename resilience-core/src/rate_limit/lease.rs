//! Leases: permits that threads hold in advance, so that most attempts need neither the clock nor
//! the word that all threads share.
//!
//! Each shard of threads has a purse. The first time that a thread finds plenty of permits, so many
//! of the bucket are set aside for its purse, for good, and put into it; when it is empty, and there
//! are still plenty, it is filled up again from what is left of the bucket:
//!
//! ```text
//!   bucket, as configured
//!   ├──────────── refills with time, up to here ────────────┤├─ set aside ─┤
//!   ██████████████████████████████░░░░░░░░░░░░░░░░░░░░░░░░░░  ▓▓▓▓░ ▓░░░░
//!          │                                                  purses, which
//!          └── fills a purse with what was spent of it ─────▶ refill by this alone
//! ```
//!
//! So what is in the purses and what is in the rest of the bucket are together never more than the
//! bucket holds, and only time adds to them: over any time, leases let no more through than the
//! bucket itself would. What they cost is at the other end. What is set aside and spent does not
//! refill until its purse is filled again, so that after a pause there may be fewer permits than the
//! burst, by as many as one lease for each shard that has one: an eighth of the burst at most.
//!
//! Permits in purses belong to everybody. Who finds none elsewhere takes them all back, under the
//! limiter's lock, before it is refused or waits; purses are filled under the same lock, while nobody
//! waits and half of the bucket is there. What a thread leaves behind when it ends is found there by
//! the next of its shard, or taken back like any other.

use std::sync::OnceLock;

use crate::settings::RateLimitSettings;
use crate::shards::{SHARDS, Shards};
use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// The leases of one limiter. All but [`spend`](Self::spend) is for who holds its lock.
#[derive(Debug)]
pub(super) struct Leases {
    /// Permits in a lease; 0 where there are none.
    size: AtomicU32,
    /// The shards that something is set aside for, a bit each.
    out: AtomicU32,
    /// Made for the first lease: most limiters never give one.
    purses: OnceLock<Box<Shards<AtomicU32>>>,
    /// What was in them when they were emptied before their leases ended.
    emptied: AtomicU64,
}

/// What the leases were that have been taken back, in permits.
pub(super) struct Ended {
    pub(super) set_aside: u64,
    pub(super) unspent: u64,
}

impl Leases {
    pub(super) fn new(settings: RateLimitSettings) -> Self {
        Self {
            size: AtomicU32::new(size(settings)),
            out: AtomicU32::new(0),
            purses: OnceLock::new(),
            emptied: AtomicU64::new(0),
        }
    }

    /// Takes a permit out of the purse of this shard, if there is one.
    #[inline]
    pub(super) fn spend(&self, shard: usize) -> bool {
        let Some(purses) = self.purses.get() else {
            return false;
        };
        let purse = purses.of(shard);
        let mut permits = purse.load(Ordering::Relaxed);
        while permits > 0 {
            match purse.compare_exchange_weak(
                permits,
                permits - 1,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(seen) => permits = seen,
            }
        }
        false
    }

    /// Permits in a lease; 0 where there are none.
    #[inline]
    pub(super) fn size(&self) -> u32 {
        self.size.load(Ordering::Relaxed)
    }

    /// Whether something is set aside.
    #[inline]
    pub(super) fn are_out(&self) -> bool {
        self.out.load(Ordering::Relaxed) != 0
    }

    /// Gives a shard its first lease. Says whether it is the first: else nothing has changed.
    pub(super) fn begin(&self, shard: usize) -> bool {
        let (out, bit) = (self.out.load(Ordering::Relaxed), 1 << shard);
        let is_first = out & bit == 0;
        if is_first {
            self.out.store(out | bit, Ordering::Relaxed);
            self.purse(shard).fetch_add(self.size(), Ordering::Relaxed);
        }
        is_first
    }

    /// Fills a purse up; so many permits were missing.
    pub(super) fn fill(&self, shard: usize) -> u64 {
        let purse = self.purse(shard);
        // Others of the shard may spend meanwhile: they leave less in it.
        let missing = self.size().saturating_sub(purse.load(Ordering::Relaxed));
        purse.fetch_add(missing, Ordering::Relaxed);
        missing.into()
    }

    /// Takes what is in the purses, to be given back when the leases end.
    pub(super) fn empty(&self) {
        let emptied = self.emptied.load(Ordering::Relaxed) + self.take();
        self.emptied.store(emptied, Ordering::Relaxed);
    }

    /// Ends all leases.
    pub(super) fn end(&self) -> Ended {
        let out = self.out.load(Ordering::Relaxed).count_ones();
        self.out.store(0, Ordering::Relaxed);
        Ended {
            set_aside: u64::from(out) * u64::from(self.size()),
            unspent: self.emptied.swap(0, Ordering::Relaxed) + self.take(),
        }
    }

    /// Other numbers, while no lease is out.
    pub(super) fn set(&self, settings: RateLimitSettings) {
        self.size.store(size(settings), Ordering::Relaxed);
    }

    fn take(&self) -> u64 {
        let purses = self.purses.get().into_iter().flat_map(|all| all.iter());
        purses
            .map(|purse| u64::from(purse.swap(0, Ordering::Relaxed)))
            .sum()
    }

    fn purse(&self, shard: usize) -> &AtomicU32 {
        self.purses.get_or_init(Box::default).of(shard)
    }
}

/// So many permits that all shards together hold an eighth of the burst at most, and none where
/// that would spare too few readings of the clock to be worth it.
fn size(settings: RateLimitSettings) -> u32 {
    let size = (settings.burst / (8 * SHARDS as u32)).min(MOST);
    if settings.exact || size < LEAST {
        0
    } else {
        size
    }
}

const MOST: u32 = 64;
const LEAST: u32 = 8;
