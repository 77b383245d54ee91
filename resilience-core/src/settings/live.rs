//! Settings in force: one snapshot for a runtime, and what each site made of it.

use std::ops::Deref;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use crate::problem::Problems;
use crate::settings::SiteSettings;
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

    /// Something for which the snapshot must stay the one in force.
    pub(crate) fn steady<T>(&self, what: impl FnOnce(&Snapshot) -> T) -> T {
        let _applying = lock(&self.applying);
        what(&self.current())
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

/// The settings of a site, with the generation that they were made of.
#[derive(Debug)]
pub(crate) struct Versioned {
    pub(crate) generation: u64,
    pub(crate) settings: SiteSettings,
}

/// What a site made of the snapshot.
#[derive(Debug)]
pub(crate) struct Slot(ArcSwap<Versioned>);

/// The settings that a call began with, and keeps.
#[derive(Debug)]
pub(crate) struct InForce(Guard<Arc<Versioned>>);

impl Slot {
    pub(crate) fn new(versioned: Versioned) -> Self {
        Self(ArcSwap::from_pointee(versioned))
    }

    /// The settings, unless the runtime has others by now. Takes no lock and allocates nothing.
    #[inline]
    pub(crate) fn in_force(&self, live: &Live) -> Option<InForce> {
        let versioned = self.0.load();
        let current = live.generation.load(Ordering::Acquire);
        (versioned.generation == current).then_some(InForce(versioned))
    }

    /// Keeps other settings, for the calls to come as well.
    pub(crate) fn set(&self, versioned: Versioned) -> InForce {
        let versioned = Arc::new(versioned);
        self.0.store(Arc::clone(&versioned));
        InForce(Guard::from_inner(versioned))
    }
}

impl Deref for InForce {
    type Target = SiteSettings;

    #[inline]
    fn deref(&self) -> &SiteSettings {
        &self.0.settings
    }
}
