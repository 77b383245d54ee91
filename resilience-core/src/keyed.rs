//! State by key: a breaker, limiter or bulkhead for each tenant, host or whatever `key = ..` says.
//!
//! The state of a key is made when it is first asked for. There is a bound, since keys may come
//! from strangers: when it is reached, a new key takes the place of the least recently used one,
//!
//! 1. among those that nobody holds and that are as new ones would be: nothing is lost with them;
//! 2. else among those that nobody holds: what it knew is forgotten, and it begins anew next time;
//! 3. else, with a running call on every key, it takes nobody's place: all keys that come too late
//!    share one state. They are limited together then, rather than not at all.
//!
//! A state that somebody holds is never given up, so that no key ever has two of its own.
//!
//! Keys are known by 128 bits of keyed hash alone. Looking one up takes no more for one of a megabyte
//! than for a short one, and no allocation, and nobody who does not know the secret can
//! choose keys that meet; that two meet by chance has, with ten thousand of them, a probability of
//! 2^-102.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use crate::clock::Moment;
use crate::sync::{Mutex, lock};

/// State by key. Asked under a short lock, of one of several shards.
pub(crate) struct Keyed<T> {
    secret: RandomState,
    shards: Box<[Mutex<Shard<T>>]>,
    /// Keys in a shard.
    bound: usize,
    /// What keys share that come too late.
    overflow: Mutex<Option<Arc<T>>>,
}

/// What can be kept by key.
pub(crate) trait Forgettable {
    /// Whether it is at `now` as a new one would be, so that nobody will miss it.
    fn is_fresh(&self, now: Moment) -> bool;
}

/// The keys with one remainder. They are few, so that looking through all of them is both the
/// simplest and a fast way to find one, or one that can go.
struct Shard<T> {
    entries: Vec<Entry<T>>,
    /// Counts uses, to know the order in which they came.
    uses: u64,
}

/// What a key is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id(u128);

struct Entry<T> {
    key: Id,
    used: u64,
    value: Arc<T>,
}

impl<T: Forgettable> Keyed<T> {
    pub(crate) const DEFAULT_BOUND: usize = 10_000;

    /// For at most `bound` keys, and at least one.
    ///
    /// The bound is divided among the shards, and keys do not fall into them quite evenly: in some,
    /// places begin to be taken over when there are three quarters as many keys.
    pub(crate) fn new(bound: usize) -> Self {
        let shards = (bound / PER_SHARD).max(1);
        Self {
            secret: RandomState::new(),
            shards: (0..shards).map(|_| Mutex::new(Shard::new())).collect(),
            bound: (bound / shards).max(1),
            overflow: Mutex::new(None),
        }
    }

    /// What a key is known by.
    #[inline]
    pub(crate) fn id<K: Hash + ?Sized>(&self, key: &K) -> Id {
        let mut hasher = self.secret.build_hasher();
        key.hash(&mut hasher);
        let low = hasher.finish();
        // The hash of something longer: nobody without the secret can tell one from the other.
        hasher.write_u64(low);
        Id(u128::from(hasher.finish()) << 64 | u128::from(low))
    }

    /// The state of a key, which is kept for as long as the answer is held. The time is asked for
    /// only where a key has to make room.
    pub(crate) fn get(
        &self,
        key: Id,
        now: impl FnOnce() -> Moment,
        make: impl FnOnce() -> T,
    ) -> Arc<T> {
        let mut shard = lock(&self.shards[key.0 as usize % self.shards.len()]);
        if let Some(value) = shard.find(key) {
            return value;
        }
        if shard.entries.len() < self.bound {
            return shard.add(key, make());
        }
        if let Some(place) = shard.dispensable(now()) {
            shard.entries.swap_remove(place);
            return shard.add(key, make());
        }
        drop(shard);
        Arc::clone(lock(&self.overflow).get_or_insert_with(|| Arc::new(make())))
    }

    /// Every state there is, to tell them all something. What is made meanwhile may be missing.
    pub(crate) fn values(&self) -> Vec<Arc<T>> {
        let mut values: Vec<_> = lock(&self.overflow).iter().map(Arc::clone).collect();
        for shard in &self.shards {
            let shard = lock(shard);
            values.extend(shard.entries.iter().map(|entry| Arc::clone(&entry.value)));
        }
        values
    }

    /// How many keys have a state of their own.
    pub(crate) fn len(&self) -> usize {
        let keys = |shard: &Mutex<Shard<T>>| lock(shard).entries.len();
        self.shards.iter().map(keys).sum()
    }
}

impl<T: Forgettable> Shard<T> {
    const fn new() -> Self {
        Self {
            entries: Vec::new(),
            uses: 0,
        }
    }

    fn find(&mut self, key: Id) -> Option<Arc<T>> {
        let entry = self.entries.iter_mut().find(|entry| entry.key == key)?;
        self.uses += 1;
        entry.used = self.uses;
        Some(Arc::clone(&entry.value))
    }

    fn add(&mut self, key: Id, value: T) -> Arc<T> {
        let value = Arc::new(value);
        self.uses += 1;
        self.entries.push(Entry {
            key,
            used: self.uses,
            value: Arc::clone(&value),
        });
        value
    }

    /// Whose place a new key takes.
    fn dispensable(&self, now: Moment) -> Option<usize> {
        let (mut fresh, mut unheld) = (None, None);
        for (place, Entry { used, value, .. }) in self.entries.iter().enumerate() {
            // New holders come through this shard's lock, or from a holder that is counted.
            if Arc::strong_count(value) > 1 {
                continue;
            }
            let older = |than: Option<(u64, usize)>| than.is_none_or(|(than, _)| *used < than);
            if older(unheld) {
                unheld = Some((*used, place));
            }
            if older(fresh) && value.is_fresh(now) {
                fresh = Some((*used, place));
            }
        }
        fresh.or(unheld).map(|(_, place)| place)
    }
}

impl<T: Forgettable> fmt::Debug for Keyed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyed")
            .field("keys", &self.len())
            .field("bound", &(self.bound * self.shards.len()))
            .finish_non_exhaustive()
    }
}

/// With fewer, keys would fall into the shards less evenly; with more, a stranger who sends nothing
/// but new keys would make each of them cost more than the 2 µs of a look at so many breakers.
const PER_SHARD: usize = 100;

#[cfg(all(test, loom))]
mod loom_tests {
    use std::time::Duration;

    use loom::sync::atomic::{AtomicBool, Ordering};
    use loom::thread;

    use super::*;

    struct Used(AtomicBool);

    impl Forgettable for Used {
        fn is_fresh(&self, _: Moment) -> bool {
            !self.0.load(Ordering::Relaxed)
        }
    }

    fn unused() -> Used {
        Used(AtomicBool::new(false))
    }

    #[test]
    fn loom_a_state_is_not_given_up_while_it_is_used() {
        loom::model(|| {
            let keyed = Arc::new(Keyed::new(1));
            let now = Moment::from_nanos(0) + Duration::ZERO;
            let other = Arc::clone(&keyed);
            let thread = thread::spawn(move || {
                let theirs = other.get(other.id("theirs"), || now, unused);
                theirs.0.store(true, Ordering::Relaxed);
                assert!(Arc::ptr_eq(
                    &theirs,
                    &other.get(other.id("theirs"), || now, unused)
                ));
            });
            let ours = keyed.get(keyed.id("ours"), || now, unused);
            ours.0.store(true, Ordering::Relaxed);
            // One place for two: whoever came too late shares, for as long as the place is taken.
            let again = keyed.get(keyed.id("ours"), || now, unused);
            let shared = lock(&keyed.overflow).is_some();
            assert!(Arc::ptr_eq(&ours, &again) || shared);
            thread.join().expect("no panic");
            assert_eq!(keyed.len(), 1);
        });
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
