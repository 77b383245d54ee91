//! A breaker in the hands of an operator.

use std::sync::Arc;

use super::{BreakerState, Manual};
use crate::event::emit_moved;
use crate::runtime::{Service, Shared};
use crate::stats::BreakerSummary;

/// The breaker of a service, to look at and to move by hand.
///
/// What is moved by hand stays there until [`reset`](Self::reset); every call sees it at once.
/// Attempts that run at that moment count for nothing any more.
///
/// Where calls have a `key`, each key has a breaker of its own. What is moved by hand here moves all
/// of them, also those of keys that come later; [`state`](Self::state) and
/// [`summary`](Self::summary) tell of the one that calls without a key have.
///
/// ```
/// # use resilience_core::{BreakerState, Runtime};
/// # let runtime = Runtime::new();
/// if let Some(breaker) = runtime.breaker("weaviate") {
///     breaker.force_open();
///     assert_eq!(breaker.state(), BreakerState::ForcedOpen);
///     breaker.reset();
/// }
/// ```
#[derive(Clone, Debug)]
pub struct BreakerHandle {
    shared: Arc<Shared>,
    service: Arc<Service>,
}

impl BreakerHandle {
    pub(crate) const fn new(shared: Arc<Shared>, service: Arc<Service>) -> Self {
        Self { shared, service }
    }

    /// The service whose breaker it is.
    pub fn service(&self) -> &str {
        self.service.name()
    }

    /// Where it is now.
    pub fn state(&self) -> BreakerState {
        self.summary().state
    }

    /// What can be seen of it now.
    pub fn summary(&self) -> BreakerSummary {
        let look = self.service.guards.breaker.look(self.shared.clock.now());
        BreakerSummary {
            service: self.service().to_owned(),
            state: look.state,
            failures: look.failures,
            retry_in: look.retry_in,
        }
    }

    /// Refuses every call from now on.
    pub fn force_open(&self) {
        self.force(Manual::ForceOpen);
    }

    /// Lets every call through from now on, whatever comes of it; failures are counted and shown.
    pub fn force_closed(&self) {
        self.force(Manual::ForceClosed);
    }

    /// Lets every call through from now on and counts nothing, as if there were no breaker.
    pub fn disable(&self) {
        self.force(Manual::Disable);
    }

    /// Closes it, with nothing counted, and lets it work by itself again. This also ends an open
    /// period that was not made by hand.
    pub fn reset(&self) {
        self.force(Manual::Reset);
    }

    fn force(&self, manual: Manual) {
        if let Some(moved) = self.service.force(manual) {
            emit_moved(&self.shared, self.service(), moved);
        }
    }
}
