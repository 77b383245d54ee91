//! Named pools of something countable (tokens, bytes, connections) that attempts lease from.
//!
//! ```text
//!   acquire(amount) ── current + amount <= limit ──▶ Lease ──▶ release(lease)
//!                  └── else ──▶ Exhausted { current, limit }; nobody waits
//! ```

mod amount;

use std::sync::Arc;

use crate::sorted::Sorted;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, lock};

pub use self::amount::{Amount, amount};

/// A pool: what is leased of it, and how much may be. One word each, no lock.
#[derive(Debug)]
pub(crate) struct Pool {
    current: AtomicU64,
    /// [`UNLIMITED`] where there is none.
    limit: AtomicU64,
}

/// What was leased. Give it back with [`Pool::release`].
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) struct Lease(u64);

/// More was asked for than is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted {
    /// What was leased.
    pub(crate) current: u64,
    /// What may be.
    pub(crate) limit: u64,
}

impl Pool {
    /// A pool with this limit, or with none.
    pub(crate) fn new(limit: Option<u64>) -> Self {
        Self {
            current: AtomicU64::new(0),
            limit: AtomicU64::new(limit.unwrap_or(UNLIMITED)),
        }
    }

    /// Sets another limit, which holds from the next lease on. Where it is below what is leased,
    /// nothing more is until enough has come back.
    pub(crate) fn set_limit(&self, limit: Option<u64>) {
        self.limit
            .store(limit.unwrap_or(UNLIMITED), Ordering::Relaxed);
    }

    /// Leases `amount`, all of it or nothing.
    pub(crate) fn acquire(&self, amount: u64) -> Result<Lease, Exhausted> {
        let mut current = self.current.load(Ordering::Relaxed);
        loop {
            let limit = self.limit.load(Ordering::Relaxed);
            // Without a limit there is nothing to exceed; what does not fit is not booked, and so
            // does not come back either.
            let lease = match current.checked_add(amount) {
                Some(sum) if sum <= limit => amount,
                None if limit == UNLIMITED => UNLIMITED - current,
                _ => return Err(Exhausted { current, limit }),
            };
            match self.current.compare_exchange_weak(
                current,
                current + lease,
                Ordering::AcqRel,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Ok(Lease(lease)),
                Err(seen) => current = seen,
            }
        }
    }

    /// Takes a lease back.
    #[expect(clippy::needless_pass_by_value, reason = "a lease is given back once")]
    pub(crate) fn release(&self, lease: Lease) {
        self.current.fetch_sub(lease.0, Ordering::AcqRel);
    }

    /// What is leased.
    pub(crate) fn current(&self) -> u64 {
        self.current.load(Ordering::Relaxed)
    }

    /// What may be, if there is a limit.
    pub(crate) fn limit(&self) -> Option<u64> {
        let limit = self.limit.load(Ordering::Relaxed);
        (limit != UNLIMITED).then_some(limit)
    }
}

/// All pools of a runtime, by name.
#[derive(Debug, Default)]
pub(crate) struct Pools(Mutex<Sorted<Box<str>, Arc<Pool>>>);

impl Pools {
    /// The pool of this name, the same one for everybody. It is made without a limit where nobody
    /// has set one, which is a Problem for whoever reads the settings.
    pub(crate) fn pool(&self, name: &str) -> Arc<Pool> {
        let mut pools = lock(&self.0);
        if let Some(pool) = pools.get(name) {
            return Arc::clone(pool);
        }
        let pool = Arc::new(Pool::new(None));
        pools.insert(name.into(), Arc::clone(&pool));
        pool
    }

    /// Every pool, by name.
    pub(crate) fn all(&self) -> Vec<(Box<str>, Arc<Pool>)> {
        lock(&self.0)
            .iter()
            .map(|(name, pool)| (name.clone(), Arc::clone(pool)))
            .collect()
    }
}

/// As a limit, it cannot be exceeded, and so is none.
const UNLIMITED: u64 = u64::MAX;

#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(all(test, not(loom)))]
mod tests;
