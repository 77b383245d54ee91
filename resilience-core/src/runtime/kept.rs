//! What has been made of settings stays, so that calls use it in place.

use std::sync::{Arc, OnceLock};

use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use crate::sync::{Mutex, lock};

/// Something that is made of settings, and made anew when these change.
pub(crate) trait Made {
    /// The latest generation of settings that is known to make just this.
    fn generation(&self) -> &AtomicU64;

    fn generation_in_force(&self) -> u64;

    /// Whether what was made later is the same.
    fn is_same(&self, later: &Self) -> bool;

    /// Whether it is what the settings in force make.
    #[inline]
    fn is_current(&self) -> bool {
        self.generation().load(Ordering::Acquire) == self.generation_in_force()
    }

    /// If it is the same as what was made later, it holds as long as that does.
    fn stands_in_for(&self, later: &Self) -> bool {
        let is_same = self.is_same(later);
        if is_same {
            // Whoever read an older snapshot may come later.
            let generation = later.generation().load(Ordering::Acquire);
            self.generation().fetch_max(generation, Ordering::AcqRel);
        }
        is_same
    }
}

/// What the settings of one site have made so far.
///
/// ```text
///   first            stays, and is all that there is of a site whose settings never change
///   others  0 .. 15  stay too, each once: settings that come back find what they made before
///   loose            whatever comes after those, until there is another: under a lock
/// ```
///
/// So this is bounded, however many settings there are. What is in force tells [`Made::is_current`]
/// alone: which one was so last is where to look first, no more.
#[derive(Debug)]
pub(crate) struct Kept<T> {
    first: OnceLock<Arc<T>>,
    others: OnceLock<Box<Others<T>>>,
}

#[derive(Debug)]
struct Others<T> {
    /// The one that was in force last.
    last: AtomicUsize,
    staying: [OnceLock<Arc<T>>; STAYING],
    /// Held while one is added.
    loose: Mutex<Option<Arc<T>>>,
}

/// What is in force.
#[derive(Debug)]
pub(crate) enum InForce<'a, T> {
    /// For as long as there is the [`Kept`].
    Staying(&'a Arc<T>),
    Loose(Arc<T>),
}

impl<T> Kept<T> {
    pub(crate) const fn new() -> Self {
        Self {
            first: OnceLock::new(),
            others: OnceLock::new(),
        }
    }
}

impl<T: Made> Kept<T> {
    /// The first, if that is in force.
    #[inline]
    pub(crate) fn first(&self) -> Option<&T> {
        in_force(self.first.get()?)
    }

    /// Another one that stays, if that is in force.
    pub(crate) fn other(&self) -> Option<&T> {
        in_force(self.others.get()?.last()?)
    }

    /// What is in force, made if need be.
    pub(crate) fn in_force(&self, make: impl FnOnce() -> T) -> InForce<'_, T> {
        let last = self.others.get().and_then(|others| others.last());
        let mut staying = [self.first.get(), last].into_iter().flatten();
        if let Some(found) = staying.find(|made| made.is_current()) {
            return InForce::Staying(found);
        }
        match self.loose() {
            Some(found) => InForce::Loose(found),
            None => self.add(make()),
        }
    }

    fn loose(&self) -> Option<Arc<T>> {
        let made = lock(&self.others.get()?.loose).clone()?;
        made.is_current().then_some(made)
    }

    fn add(&self, made: T) -> InForce<'_, T> {
        let made = Arc::new(made);
        let first = self.first.get_or_init(|| Arc::clone(&made));
        if first.stands_in_for(&made) {
            return InForce::Staying(first);
        }
        let others = self.others.get_or_init(Box::default);
        let mut loose = lock(&others.loose);
        for (number, place) in others.staying.iter().enumerate() {
            let staying = place.get_or_init(|| Arc::clone(&made));
            if staying.stands_in_for(&made) {
                others.last.store(number, Ordering::Relaxed);
                return InForce::Staying(staying);
            }
        }
        let former = loose.replace(Arc::clone(&made));
        drop(loose);
        // Without the lock, with whatever goes with it.
        drop(former);
        InForce::Loose(made)
    }
}

/// Read once: the pointer would be read again behind the question.
#[inline]
fn in_force<T: Made>(made: &T) -> Option<&T> {
    made.is_current().then_some(made)
}

impl<T> Others<T> {
    fn last(&self) -> Option<&Arc<T>> {
        let last = self.last.load(Ordering::Relaxed);
        self.staying.get(last)?.get()
    }
}

impl<T> Default for Others<T> {
    fn default() -> Self {
        Self {
            last: AtomicUsize::new(0),
            staying: Default::default(),
            loose: Mutex::default(),
        }
    }
}

impl<T> InForce<'_, T> {
    /// To be held for as long as one likes.
    pub(crate) fn shared(self) -> Arc<T> {
        match self {
            Self::Staying(made) => Arc::clone(made),
            Self::Loose(made) => made,
        }
    }
}

/// How many stay beside the first.
const STAYING: usize = if cfg!(loom) { 1 } else { 16 };

#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(all(test, not(loom)))]
mod tests;
#[cfg(test)]
mod toy;
