//! Settings in force: one snapshot for a runtime.

use crate::problem::Problems;
use crate::settings::load::Settings;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, lock};

/// The snapshot of a runtime. Its calls look at the generation alone; whoever finds another one than
/// it knows asks for the snapshot.
#[derive(Debug)]
pub(crate) struct Live {
    generation: AtomicU64,
    current: Mutex<Snapshot>,
    /// Held while shared state takes new numbers, so that those of two swaps do not mix.
    applying: Mutex<()>,
    last: Mutex<Option<LastReload>>,
}

/// Settings with the number of their swap.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) settings: Settings,
    pub(crate) generation: u64,
}

/// How the last attempt to load settings ended.
#[derive(Clone, Debug)]
pub(crate) struct LastReload {
    pub(crate) at: std::time::SystemTime,
    pub(crate) problems: Problems,
}

impl Live {
    pub(crate) fn new(settings: Settings) -> Self {
        let generation = 1;
        Self {
            generation: AtomicU64::new(generation),
            current: Mutex::new(Snapshot {
                settings,
                generation,
            }),
            applying: Mutex::new(()),
            last: Mutex::new(None),
        }
    }

    /// The one swap, and what belongs to it, which hears what held before. One after the other.
    pub(crate) fn apply<T>(&self, settings: Settings, and: impl FnOnce(&Snapshot, u64) -> T) -> T {
        let _applying = lock(&self.applying);
        let before = self.current();
        let generation = self.swap(settings);
        and(&before, generation)
    }

    /// Of the snapshot: all that a call looks at.
    #[inline]
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(crate) fn current(&self) -> Snapshot {
        lock(&self.current).clone()
    }

    fn swap(&self, settings: Settings) -> u64 {
        let mut current = lock(&self.current);
        let generation = current.generation + 1;
        *current = Snapshot {
            settings,
            generation,
        };
        self.generation.store(generation, Ordering::Release);
        generation
    }

    pub(crate) fn last(&self) -> Option<LastReload> {
        lock(&self.last).clone()
    }

    pub(crate) fn set_last(&self, last: LastReload) {
        *lock(&self.last) = Some(last);
    }
}
