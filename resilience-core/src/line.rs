//! Those who wait, in the order in which they came.

use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::task::Waker;

/// A queue in which everybody can be found, also to leave from the middle.
///
/// It lies under the lock of its owner. Wakers are code of somebody else's, so they are moved in
/// and out, and cloned, woken and dropped by the owner when the lock is free again.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// Places ascend, so that one is found by halving.
    waiting: VecDeque<(Place, Option<Waker>)>,
    last: u64,
}

/// A place in the line. No two are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(NonZeroU64);

impl Line {
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes the place behind all others.
    pub(crate) fn join(&mut self) -> Place {
        self.last += 1;
        let place = Place(NonZeroU64::new(self.last).unwrap_or(NonZeroU64::MAX));
        self.waiting.push_back((place, None));
        place
    }

    /// How many are before this one; `None` where it is no longer in the line.
    pub(crate) fn ahead_of(&self, place: Place) -> Option<usize> {
        self.waiting
            .binary_search_by_key(&place, |&(place, _)| place)
            .ok()
    }

    /// Keeps whom to wake, for the one with so many before it; returns whom it kept until now.
    pub(crate) fn keep(&mut self, ahead: usize, waker: Waker) -> Option<Waker> {
        let (_, kept) = self.waiting.get_mut(ahead)?;
        kept.replace(waker)
    }

    /// The one with so many before it leaves.
    pub(crate) fn remove(&mut self, ahead: usize) -> Option<Waker> {
        self.waiting.remove(ahead)?.1
    }

    /// Whom to wake so that the first asks again. It leaves its waker with its next question.
    pub(crate) fn rouse_first(&mut self) -> Option<Waker> {
        self.waiting.front_mut()?.1.take()
    }

    /// Whom to wake so that all ask again.
    pub(crate) fn rouse_all(&mut self) -> Vec<Waker> {
        self.waiting
            .iter_mut()
            .filter_map(|(_, waker)| waker.take())
            .collect()
    }
}
