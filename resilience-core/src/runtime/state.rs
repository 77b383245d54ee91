//! The state of a site, and how a call gets at it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::kept::{InForce, Made};
use crate::classify::Rules;
use crate::clock::Moment;
use crate::recent::Refusals;
use crate::runtime::{Runtime, Service, Shared};
use crate::scope::{self, Frame};
use crate::settings::SiteSettings;
use crate::site::{AnySite, Place, Site};
use crate::sync::atomic::AtomicU64;

/// A site in one runtime. Nothing in here that a call looks at changes: other settings make another
/// one.
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
    /// The latest generation of settings that makes it.
    pub(super) generation: AtomicU64,
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

impl Made for SiteState {
    #[inline]
    fn generation(&self) -> &AtomicU64 {
        &self.generation
    }

    #[inline]
    fn generation_in_force(&self) -> u64 {
        self.shared.live.generation()
    }

    fn is_same(&self, later: &Self) -> bool {
        // All else is the site's and the runtime's, or follows from these.
        self.settings == later.settings && self.rules == later.rules
    }
}

impl SiteState {
    /// By when a call that begins now has to be over.
    #[inline]
    pub(crate) fn deadline(&self) -> Moment {
        if self.settings.deadline.is_none() {
            Moment::NEVER
        } else {
            self.next_deadline()
        }
    }

    #[inline(never)]
    fn next_deadline(&self) -> Moment {
        let deadline = self.settings.deadline.unwrap_or(Duration::MAX);
        self.shared.clock.now() + deadline
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

/// A site's state, kept as it is for as long as this is held.
///
/// Taking it neither locks nor allocates, and in the global runtime counts no references, unless the
/// site has had more different settings than stay.
#[derive(Debug)]
pub(crate) enum SiteRef {
    /// Of a function in the global runtime, where it stays.
    Staying(&'static SiteState),
    /// Taken out when this is dropped.
    Shared(Option<Arc<SiteState>>),
}

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

impl From<InForce<'static, SiteState>> for SiteRef {
    fn from(state: InForce<'static, SiteState>) -> Self {
        match state {
            InForce::Staying(state) => Self::Staying(state),
            InForce::Loose(state) => state.into(),
        }
    }
}

impl SiteRef {
    /// The state of a site, where it is in its place.
    #[inline]
    pub(crate) fn staying(site: &'static Site) -> Option<&'static SiteState> {
        let state = match site.slot.first() {
            Some(state) => state,
            None => other(site)?,
        };
        (!scope::is_scoped()).then_some(state)
    }

    /// The state of a site in the runtime that holds here, made if need be, and by when a call that
    /// begins now has to be over.
    #[inline(never)]
    pub(crate) fn found(site: &'static Site) -> (Self, Moment) {
        let state = match scope::current_runtime() {
            Some(runtime) => runtime.site(site),
            None => Runtime::global().site(site),
        };
        let deadline = state.deadline();
        (state, deadline)
    }
}

/// What settings made that came later. Not for every function to have a copy of.
#[inline(never)]
fn other(site: &'static Site) -> Option<&'static SiteState> {
    site.slot.other()
}

impl std::ops::Deref for SiteRef {
    type Target = SiteState;

    #[inline]
    fn deref(&self) -> &SiteState {
        match self {
            Self::Staying(state) => state,
            Self::Shared(Some(state)) => state,
            Self::Shared(None) => unreachable!("it is there until this is dropped"),
        }
    }
}
