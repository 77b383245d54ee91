//! The state of a site, and how a call gets at it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::classify::Rules;
use crate::clock::Moment;
use crate::recent::Refusals;
use crate::runtime::{Runtime, Service, Shared};
use crate::scope::{self, Frame};
use crate::settings::SiteSettings;
use crate::site::{AnySite, Place, Site};

/// A site in one runtime, with the settings of one generation. Nothing in here changes: other
/// settings make another one.
#[derive(Debug)]
pub(crate) struct SiteState {
    pub(super) site: AnySite,
    pub(super) operation: &'static str,
    pub(crate) shared: Arc<Shared>,
    pub(crate) service: Arc<Service>,
    pub(crate) settings: SiteSettings,
    pub(crate) guarded_by: GuardedBy,
    pub(crate) is_fail_fast: bool,
    /// What the first attempt of a plain call puts on its task's stack.
    pub(crate) frame: Frame,
    /// Those by its open breaker, from the first one on.
    pub(crate) refusals: OnceLock<Arc<Refusals>>,
    /// What an operator says of texts of errors, if anything.
    pub(crate) rules: Option<Arc<Rules>>,
    pub(super) generation: u64,
    /// Of the site, in the global runtime.
    pub(super) number: Option<usize>,
}

/// What stands before the body of a site.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GuardedBy {
    pub(crate) breaker: bool,
    /// A rate limit, a bulkhead, or both.
    pub(crate) limits: bool,
    /// A bulkhead.
    pub(crate) slot: bool,
}

impl GuardedBy {
    pub(super) fn of(settings: &SiteSettings) -> Self {
        let slot = settings.bulkhead.is_some();
        Self {
            breaker: settings.breaker.is_some(),
            limits: settings.rate_limit.is_some() || slot,
            slot,
        }
    }
}

impl SiteState {
    /// Whether the settings that it was made of are still those of the runtime.
    #[inline]
    pub(super) fn is_current(&self) -> bool {
        self.generation == self.shared.live.generation()
    }

    /// By when a call that begins now has to be over.
    #[inline]
    pub(crate) fn deadline(&self) -> Moment {
        match self.settings.deadline {
            Some(deadline) => self.moment_after(deadline),
            None => Moment::NEVER,
        }
    }

    #[inline(never)]
    fn moment_after(&self, duration: Duration) -> Moment {
        self.shared.clock.now() + duration
    }

    pub(crate) fn site(&self) -> &Site {
        &self.site
    }

    /// Whether it is the state of its site in this runtime, made of the settings in force.
    pub(crate) fn is_of(&self, runtime: &Runtime) -> bool {
        Arc::ptr_eq(&self.shared, runtime.shared()) && self.is_current()
    }

    pub(crate) fn operation(&self) -> &'static str {
        self.operation
    }

    pub(crate) fn service(&self) -> &str {
        self.service.name()
    }

    pub(crate) fn place(&self) -> Place {
        self.site.place()
    }
}

/// Where the state of a site in the global runtime is kept.
pub(crate) struct Kept {
    /// What the first call made. It stays for as long as the program, so that calls use it in place.
    first: OnceLock<Arc<SiteState>>,
    /// Made of settings that came later.
    later: OnceLock<ArcSwap<SiteState>>,
}

impl Kept {
    pub(crate) const fn new() -> Self {
        Self {
            first: OnceLock::new(),
            later: OnceLock::new(),
        }
    }

    /// The first, if its settings are in force.
    #[inline]
    fn first(&self) -> Option<&Arc<SiteState>> {
        self.first.get().filter(|state| state.is_current())
    }

    /// What is in force, if it is here.
    pub(crate) fn get(&self) -> Option<Arc<SiteState>> {
        let later = || {
            let state = self.later.get()?.load_full();
            state.is_current().then_some(state)
        };
        self.first().cloned().or_else(later)
    }

    /// Keeps a state for the calls to come.
    pub(crate) fn set(&self, state: &Arc<SiteState>) {
        let Err(state) = self.first.set(Arc::clone(state)) else {
            return;
        };
        self.later
            .get_or_init(|| ArcSwap::new(Arc::clone(&state)))
            .store(state);
    }
}

/// A site's state, kept as it is for as long as this is held.
///
/// Taking it neither locks nor allocates, and in the global runtime counts no references: the first
/// settings of a site are used in place; of later ones each thread keeps a reference, and lends it to
/// one call after the other.
#[derive(Debug)]
pub(crate) enum SiteRef {
    First(&'static SiteState),
    /// Taken out when this is dropped.
    Shared(Option<Arc<SiteState>>),
}

/// What a thread has to lend, by the number of the site.
pub(crate) type Lent = Vec<Option<Arc<SiteState>>>;

/// None.
impl Default for SiteRef {
    fn default() -> Self {
        Self::Shared(None)
    }
}

impl From<Arc<SiteState>> for SiteRef {
    fn from(state: Arc<SiteState>) -> Self {
        Self::Shared(Some(state))
    }
}

impl SiteRef {
    /// The first state of a site, if that holds here.
    #[inline]
    pub(crate) fn first(site: &'static Site) -> Option<&'static SiteState> {
        let state = site.slot.first()?;
        (!scope::is_scoped()).then_some(state)
    }

    /// The state of a site in the runtime that holds here, made if need be.
    #[inline(never)]
    pub(crate) fn later(site: &'static Site) -> (Self, Moment) {
        let state = Self::state(site);
        let deadline = state.deadline();
        (Self::Shared(Some(state)), deadline)
    }

    fn state(site: &'static Site) -> Arc<SiteState> {
        if let Some(runtime) = scope::current_runtime() {
            return runtime.site(site);
        }
        let lent = scope::borrow(site.number()).filter(|state| state.is_current());
        let known = lent.or_else(|| site.slot.get());
        known.unwrap_or_else(|| {
            let state = Runtime::global().site(site);
            site.slot.set(&state);
            state
        })
    }
}

impl std::ops::Deref for SiteRef {
    type Target = SiteState;

    #[inline]
    fn deref(&self) -> &SiteState {
        match self {
            Self::First(state) => state,
            Self::Shared(Some(state)) => state,
            Self::Shared(None) => unreachable!("it is there until this is dropped"),
        }
    }
}

impl Drop for SiteRef {
    #[inline]
    fn drop(&mut self) {
        if let Self::Shared(state) = self {
            lend(state.take());
        }
    }
}

/// Leaves a state for the next call of its site on this thread.
fn lend(state: Option<Arc<SiteState>>) {
    if let Some(state) = state
        && let Some(number) = state.number
        && state.is_current()
    {
        scope::give_back(number, state);
    }
}
