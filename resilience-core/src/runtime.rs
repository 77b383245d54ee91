//! Where all state lives: the breakers, the counts, the recent errors.

use std::collections::HashMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, OnceLock};

use crate::breaker::{Breaker, BreakerHandle, CallId};
use crate::clock::Clock;
use crate::error::ServiceName;
use crate::event::{Listener, Listeners};
use crate::recent::{Recent, RecentError};
use crate::scope;
use crate::settings::{BreakerSettings, Settings};
use crate::site::{Place, Site, breaker_of, problems, written_for};
use crate::stats::{Counts, Stats, Summary};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, lock};
use crate::testing::{Fault, Faults};

/// The state that annotated functions share: breakers, counts and recent errors.
///
/// A program has one [global](Self::global) runtime and needs no other. A test makes one of its own,
/// so that tests in one process do not meet:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use resilience_core::Runtime;
///
/// let runtime = Runtime::new();
/// runtime.scope(async { /* calls of annotated functions */ }).await;
/// assert_eq!(runtime.summary().calls, 0);
/// # }
/// ```
///
/// Clones share their state.
#[derive(Clone)]
pub struct Runtime(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    services: Mutex<HashMap<Box<str>, Arc<Service>>>,
    /// By the address of the site's static.
    sites: Mutex<HashMap<usize, Arc<SiteState>>>,
}

/// What the calls of a runtime share, whatever their site.
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) stats: Stats,
    pub(crate) recent: Recent,
    pub(crate) listening: Listening,
    pub(crate) listeners: Listeners,
    pub(crate) faults: Faults,
    calls: AtomicU64,
    random: Random,
    /// Whether delays are slept.
    pub(crate) waits: bool,
}

/// Which of the built-in listeners hear.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listening {
    pub(crate) tracing: bool,
    pub(crate) statistics: bool,
}

/// What the sites of one service share.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) breaker: Breaker,
    pub(crate) counts: Counts,
}

/// A site in one runtime.
#[derive(Debug)]
pub(crate) struct SiteState {
    site: &'static Site,
    pub(crate) shared: Arc<Shared>,
    pub(crate) service: Arc<Service>,
    pub(crate) settings: Settings,
}

impl Runtime {
    /// A runtime of its own, with nothing counted and every breaker closed.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A runtime of its own with other limits or listeners than the usual ones.
    pub const fn builder() -> RuntimeBuilder {
        RuntimeBuilder {
            error_history_limit: ERROR_HISTORY_LIMIT,
            random: Random::Free,
            listening: Listening {
                tracing: true,
                statistics: true,
            },
            listeners: Vec::new(),
            waits: true,
        }
    }

    /// The runtime of every call that no [`scope`](Self::scope) encloses.
    pub fn global() -> &'static Self {
        static GLOBAL: OnceLock<Runtime> = OnceLock::new();
        GLOBAL.get_or_init(|| {
            for problem in problems() {
                tracing::warn!(name: "resilience.problem", "{problem}");
            }
            Self::new()
        })
    }

    /// The runtime of the calls that are made here and now.
    pub fn current() -> Self {
        scope::current_runtime().unwrap_or_else(|| Self::global().clone())
    }

    /// Runs a future whose calls use this runtime. A task that the future spawns does not inherit
    /// it.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the future, and nothing stays behind.
    pub async fn scope<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let mut other = Some(self.clone());
        poll_fn(move |cx| {
            let _swapped = Swapped::new(&mut other);
            future.as_mut().poll(cx)
        })
        .await
    }

    /// What has been counted, and where every breaker is.
    pub fn summary(&self) -> Summary {
        let breakers = self.breakers();
        let mut summary = self.0.shared.stats.summary();
        for (name, service) in lock(&self.0.services).iter() {
            summary.add(service.counts.summary(name));
        }
        summary.breakers = breakers.iter().map(BreakerHandle::summary).collect();
        summary.sort();
        summary
    }

    /// Adds somebody who hears all events from now on, for as long as the runtime lives.
    ///
    /// Where the program builds its runtime itself, [`RuntimeBuilder::listener`] does the same from
    /// the beginning on.
    pub fn add_listener(&self, listener: impl Listener) {
        self.0.shared.listeners.add(Box::new(listener));
    }

    /// The breakers of all services that have been called, by name.
    pub fn breakers(&self) -> Vec<BreakerHandle> {
        let mut breakers: Vec<_> = lock(&self.0.services)
            .values()
            .map(|service| self.handle(service))
            .collect();
        breakers.sort_by(|a, b| a.service().cmp(b.service()));
        breakers
    }

    /// The breaker of a service, also before its first call: `None` where no annotated function
    /// names the service.
    pub fn breaker(&self, service: &str) -> Option<BreakerHandle> {
        let known = lock(&self.0.services).get(service).map(Arc::clone);
        let service = if let Some(service) = known {
            service
        } else {
            let settings = BreakerSettings::of_service(service, written_for(service)?);
            self.service(service, settings)
        };
        Some(self.handle(&service))
    }

    /// [Resets](BreakerHandle::reset) every breaker.
    pub fn reset_breakers(&self) {
        for breaker in self.breakers() {
            breaker.reset();
        }
    }

    /// The `count` most recent errors, oldest first.
    pub fn recent_errors(&self, count: usize) -> Vec<RecentError> {
        self.0.shared.recent.last(count)
    }

    /// Sets all counts to zero and forgets the recent errors. Breakers stay as they are.
    pub fn reset(&self) {
        self.0.shared.stats.reset();
        for service in lock(&self.0.services).values() {
            service.counts.reset();
        }
        self.0.shared.recent.clear();
    }

    /// Makes things go wrong in the functions of this operation or service: for tests. Where
    /// several faults have the same target, the first one that strikes counts.
    pub fn inject(&self, target: &str, fault: Fault) {
        self.0.shared.faults.inject(target, fault);
    }

    /// Takes all injected faults back.
    pub fn clear_faults(&self) {
        self.0.shared.faults.clear();
    }

    fn known_site(&self, site: &'static Site) -> Option<Arc<SiteState>> {
        lock(&self.0.sites).get(&address(site)).cloned()
    }

    /// The state of a site in this runtime.
    fn site(&self, site: &'static Site) -> Arc<SiteState> {
        if let Some(state) = self.known_site(site) {
            return state;
        }
        // Made without the lock: it asks every registered site. Whoever is first stays.
        let written = breaker_of(site.service(), site);
        let settings = Settings::effective(site.options(), site.service(), written);
        let shared_breaker = BreakerSettings::of_service(site.service(), written);
        let state = Arc::new(SiteState {
            site,
            shared: Arc::clone(&self.0.shared),
            service: self.service(site.service(), shared_breaker),
            settings,
        });
        Arc::clone(lock(&self.0.sites).entry(address(site)).or_insert(state))
    }

    fn handle(&self, service: &Arc<Service>) -> BreakerHandle {
        BreakerHandle::new(Arc::clone(&self.0.shared), Arc::clone(service))
    }

    fn service(&self, name: &str, breaker: BreakerSettings) -> Arc<Service> {
        let mut services = lock(&self.0.services);
        if let Some(service) = services.get(name) {
            return Arc::clone(service);
        }
        let breaker = Breaker::new(ServiceName::new(name), breaker);
        let service = Arc::new(Service {
            breaker,
            counts: Counts::new(),
        });
        services.insert(name.into(), Arc::clone(&service));
        service
    }
}

impl Default for Runtime {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("services", &lock(&self.0.services).len())
            .field("sites", &lock(&self.0.sites).len())
            .finish_non_exhaustive()
    }
}

/// The limits and listeners of a runtime.
#[must_use]
pub struct RuntimeBuilder {
    error_history_limit: usize,
    random: Random,
    listening: Listening,
    listeners: Vec<Box<dyn Listener>>,
    waits: bool,
}

impl RuntimeBuilder {
    /// How many recent errors are kept; 100 unless said otherwise, none with 0.
    pub fn error_history_limit(mut self, errors: usize) -> Self {
        self.error_history_limit = errors;
        self
    }

    /// Adds somebody who hears all events. May be called several times.
    pub fn listener(mut self, listener: impl Listener) -> Self {
        self.listeners.push(Box::new(listener));
        self
    }

    /// Leaves out the `tracing` events.
    pub fn without_tracing(mut self) -> Self {
        self.listening.tracing = false;
        self
    }

    /// Leaves out the counts: [`Runtime::summary`] knows only the breakers then.
    pub fn without_statistics(mut self) -> Self {
        self.listening.statistics = false;
        self
    }

    /// Makes jitter repeatable: the same seed gives the same delays in the same order.
    pub fn jitter_seed(mut self, seed: u64) -> Self {
        self.random = Random::Seeded(Mutex::new(fastrand::Rng::with_seed(seed)));
        self
    }

    /// Fixes jitter at a point of its range: 0 is the shortest delay, 0.5 the middle, 1 the
    /// longest. Other values are taken as the nearest of these ends.
    pub fn fixed_jitter(mut self, point: f64) -> Self {
        self.random = Random::Fixed(if point.is_nan() {
            0.5
        } else {
            point.clamp(0.0, 1.0)
        });
        self
    }

    /// Leaves out all delays between attempts: for tests that want the attempts and not the time.
    /// Whether a delay would have ended too late is decided as ever.
    pub fn no_waits(mut self) -> Self {
        self.waits = false;
        self
    }

    /// The runtime.
    pub fn build(self) -> Runtime {
        let listeners = Listeners::default();
        for listener in self.listeners {
            listeners.add(listener);
        }
        Runtime(Arc::new(Inner {
            shared: Arc::new(Shared {
                clock: Clock,
                stats: Stats::new(),
                recent: Recent::new(self.error_history_limit),
                listening: self.listening,
                listeners,
                faults: Faults::default(),
                calls: AtomicU64::new(1),
                random: self.random,
                waits: self.waits,
            }),
            services: Mutex::new(HashMap::new()),
            sites: Mutex::new(HashMap::new()),
        }))
    }
}

impl fmt::Debug for RuntimeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeBuilder")
            .field("error_history_limit", &self.error_history_limit)
            .field("listeners", &self.listeners.len())
            .finish_non_exhaustive()
    }
}

/// Where jitter comes from.
enum Random {
    Free,
    Seeded(Mutex<fastrand::Rng>),
    Fixed(f64),
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// A number that no other call of this runtime has.
    pub(crate) fn next_call(&self) -> CallId {
        CallId(self.calls.fetch_add(1, Ordering::Relaxed))
    }

    /// A number in `0.0..1.0`.
    pub(crate) fn random(&self) -> f64 {
        match &self.random {
            Random::Free => fastrand::f64(),
            Random::Seeded(generator) => lock(generator).f64(),
            Random::Fixed(point) => *point,
        }
    }
}

impl SiteState {
    pub(crate) fn site(&self) -> &'static Site {
        self.site
    }

    pub(crate) fn operation(&self) -> &'static str {
        self.site.operation()
    }

    pub(crate) fn service(&self) -> &str {
        self.service.breaker.name().as_str()
    }

    /// Identifies the service within its runtime, for as long as this state lives.
    pub(crate) fn service_address(&self) -> usize {
        std::ptr::from_ref(&*self.service).addr()
    }

    pub(crate) fn is_fail_fast(&self) -> bool {
        self.site.options().fail_fast
    }

    pub(crate) fn place(&self) -> Place {
        self.site.place()
    }
}

/// A site's state, borrowed for ever from the site's own static or shared with a scoped runtime: a
/// call of the global runtime counts no references.
#[derive(Debug)]
pub(crate) enum SiteRef {
    Global(&'static SiteState),
    Scoped(Arc<SiteState>),
}

impl SiteRef {
    /// The state of a site in this runtime, or in the global one, if it has been made.
    #[inline]
    pub(crate) fn known(site: &'static Site, scoped: Option<&Runtime>) -> Option<Self> {
        match scoped {
            Some(runtime) => runtime.known_site(site).map(Self::Scoped),
            None => site.slot.get().map(|state| Self::Global(state)),
        }
    }

    /// The same, made if need be.
    #[cold]
    pub(crate) fn make(site: &'static Site, scoped: Option<Runtime>) -> Self {
        match scoped {
            Some(runtime) => Self::Scoped(runtime.site(site)),
            None => Self::Global(site.slot.get_or_init(|| Runtime::global().site(site))),
        }
    }
}

impl std::ops::Deref for SiteRef {
    type Target = SiteState;

    #[inline]
    fn deref(&self) -> &SiteState {
        match self {
            Self::Global(state) => state,
            Self::Scoped(state) => state,
        }
    }
}

fn address(site: &'static Site) -> usize {
    std::ptr::from_ref(site).addr()
}

/// Puts a runtime in the scope for the time of one poll, also if the poll panics.
struct Swapped<'a>(&'a mut Option<Runtime>);

impl<'a> Swapped<'a> {
    fn new(runtime: &'a mut Option<Runtime>) -> Self {
        scope::swap_runtime(runtime);
        Self(runtime)
    }
}

impl Drop for Swapped<'_> {
    fn drop(&mut self) {
        scope::swap_runtime(self.0);
    }
}

const ERROR_HISTORY_LIMIT: usize = 100;
