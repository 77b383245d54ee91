//! Counters that threads do not meet in.

use std::cell::Cell;

/// As many copies of a counter as threads are likely to run at once: each thread adds to its own,
/// and who wants the sum reads them all.
#[derive(Debug, Default)]
pub(crate) struct Shards<T>([Padded<T>; SHARDS]);

/// A cache line, and the next one left free: processors fetch lines in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Padded<T>(T);

impl<T> Shards<T> {
    /// The one of this thread, which it may share with others.
    #[inline]
    pub(crate) fn mine(&self) -> &T {
        self.mine_at().1
    }

    /// The same, with its number.
    #[inline]
    pub(crate) fn mine_at(&self) -> (usize, &T) {
        let number = my_shard();
        (number, self.of(number))
    }

    /// The one of this number, if there are so many.
    pub(crate) fn at(&self, number: usize) -> Option<&T> {
        self.0.get(number).map(|Padded(shard)| shard)
    }

    /// The one of this number, from [`my_shard`].
    #[inline]
    pub(crate) fn of(&self, number: usize) -> &T {
        &self.0[number % SHARDS].0
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|Padded(shard)| shard)
    }
}

/// The number of this thread's shard, less than [`SHARDS`].
#[inline]
pub(crate) fn my_shard() -> usize {
    SHARD.get().unwrap_or_else(take_shard) % SHARDS
}

/// Threads take turns. Which shard a thread has is no state of a pattern, so that loom need not
/// look at it.
#[cold]
fn take_shard() -> usize {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let shard = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    SHARD.set(Some(shard));
    shard
}

thread_local! {
    /// Which shard this thread counts in.
    static SHARD: Cell<Option<usize>> = const { Cell::new(None) };
}

/// How many shards there are.
pub(crate) const SHARDS: usize = if cfg!(loom) { 2 } else { 16 };
