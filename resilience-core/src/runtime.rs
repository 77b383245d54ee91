//! Where all state lives: the breakers, the counts, the recent errors.

use std::collections::HashMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::hash::Hash;
use std::pin::pin;
use std::sync::{Arc, OnceLock};

use crate::breaker::{BreakerHandle, CallId, Moved};
use crate::budget::Budget;
use crate::clock::{Clock, Moment};
use crate::drain::Drain;
use crate::error::ServiceName;
use crate::event::{Event, Listener, emit};
use crate::guards::Guards;
use crate::keyed::Keyed;
use crate::recent::{Recent, RecentError};
use crate::resource::Pools;
use crate::scope;
use crate::settings::layer::Layer;
use crate::settings::live::{InForce, Live, Slot, Snapshot, Versioned};
use crate::settings::origin::Origin;
use crate::settings::resolve::{Subject, Written};
use crate::settings::shared::merge;
use crate::settings::{ServiceSettings, Settings};
use crate::site::{AnySite, Place, Site, problems, shared_by, shared_with};
use crate::stats::{Stats, Summary};
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
    pub(crate) listeners: Vec<Box<dyn Listener>>,
    pub(crate) faults: Faults,
    pub(crate) pools: Pools,
    pub(crate) live: Live,
    pub(crate) drain: Drain,
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
    pub(crate) guards: Guards,
    pub(crate) budget: Budget,
    keyed: OnceLock<Keyed<Guards>>,
    /// What its sites wrote, made one.
    attributes: Mutex<Layer>,
    settings: Mutex<ServiceSettings>,
}

impl Service {
    fn new(name: &str, attributes: Layer, written: &Written, now: Moment) -> Self {
        let settings = written.service_settings(name, &attributes);
        Self {
            guards: Guards::new(ServiceName::new(name), settings.breaker_numbers()),
            budget: Budget::new(settings.budget.unwrap_or_default(), now),
            keyed: OnceLock::new(),
            attributes: Mutex::new(attributes),
            settings: Mutex::new(settings),
        }
    }

    /// Gives all shared state the numbers that are written now, and tells how breakers moved.
    pub(crate) fn set(&self, written: &Written, now: Moment) -> Vec<Moved> {
        let name = self.guards.service().as_str();
        let settings = written.service_settings(name, &self.attributes());
        // Before the keys are asked for: one that is made meanwhile has either, and is told.
        *lock(&self.settings) = settings;
        if let Some(budget) = settings.budget {
            self.budget.set(budget);
        }
        let mut moved: Vec<_> = self.guards.set(&settings, now).into_iter().collect();
        for guards in self.keyed.get().into_iter().flat_map(Keyed::values) {
            moved.extend(guards.set(&settings, now));
        }
        moved
    }

    fn attributes(&self) -> Layer {
        lock(&self.attributes).clone()
    }

    /// Adds what a site wrote that nobody knew before, as that of a policy. What others wrote stays.
    /// Says whether there was anything.
    fn learn(&self, site: &Site) -> bool {
        let mut attributes = lock(&self.attributes);
        let all = merge([attributes.clone(), site.written()], |_, _| {});
        let more = all != *attributes;
        *attributes = all;
        more
    }

    /// The guards of one key.
    pub(crate) fn keyed<K: Hash + ?Sized>(&self, key: &K, now: Moment) -> Arc<Guards> {
        let keyed = self
            .keyed
            .get_or_init(|| Keyed::new(Keyed::<Guards>::DEFAULT_BOUND));
        keyed.get(key, now, || {
            Guards::new(
                Arc::clone(self.guards.service()),
                lock(&self.settings).breaker_numbers(),
            )
        })
    }
}

/// A site in one runtime.
#[derive(Debug)]
pub(crate) struct SiteState {
    site: AnySite,
    operation: &'static str,
    pub(crate) shared: Arc<Shared>,
    pub(crate) service: Arc<Service>,
    settings: Slot,
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
            settings: None,
        }
    }

    /// The runtime of every call that no [`scope`](Self::scope) encloses.
    pub fn global() -> &'static Self {
        static GLOBAL: OnceLock<Runtime> = OnceLock::new();
        GLOBAL.get_or_init(|| {
            for problem in problems() {
                tracing::warn!(name: "resilience.problem", "{problem}");
            }
            Self::of_process()
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
        let breakers = breakers.iter().map(BreakerHandle::summary).collect();
        Summary {
            breakers,
            ..self.0.shared.stats.summary()
        }
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
            self.service(service, shared_by(service)?)
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

    pub(crate) fn shared(&self) -> &Shared {
        &self.0.shared
    }

    pub(crate) fn services(&self) -> Vec<Arc<Service>> {
        lock(&self.0.services).values().cloned().collect()
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
        let state = Arc::new(self.state(AnySite::Function(site)));
        Arc::clone(lock(&self.0.sites).entry(address(site)).or_insert(state))
    }

    /// The state of a policy's site in this runtime, for the policy to keep.
    pub(crate) fn policy(&self, site: &Arc<Site>) -> Arc<SiteState> {
        Arc::new(self.state(AnySite::Policy(Arc::clone(site))))
    }

    fn state(&self, site: AnySite) -> SiteState {
        let name = site.service();
        let service = self.service(name, shared_with(name, &site));
        if service.learn(&site) {
            let shared = &self.0.shared;
            let moved = shared.live.steady(|snapshot| {
                let written = &snapshot.settings.document().written;
                service.set(written, shared.clock.now())
            });
            for moved in moved {
                emit(shared, Event::moved(name, moved));
            }
        }
        let snapshot = self.0.shared.live.current();
        SiteState {
            operation: site.operation(),
            shared: Arc::clone(&self.0.shared),
            settings: Slot::new(versioned(&site, &service, &snapshot)),
            service,
            site,
        }
    }

    fn handle(&self, service: &Arc<Service>) -> BreakerHandle {
        BreakerHandle::new(Arc::clone(&self.0.shared), Arc::clone(service))
    }

    fn service(&self, name: &str, attributes: Layer) -> Arc<Service> {
        let mut services = lock(&self.0.services);
        if let Some(service) = services.get(name) {
            return Arc::clone(service);
        }
        let now = self.0.shared.clock.now();
        // Under the lock: a swap tells every service that is in there, and this one has what holds.
        let snapshot = self.0.shared.live.current();
        let written = &snapshot.settings.document().written;
        let service = Arc::new(Service::new(name, attributes, written, now));
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
    settings: Option<Settings>,
}

impl RuntimeBuilder {
    /// The settings to begin with.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = Some(settings);
        self
    }

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
        let settings = self.settings.unwrap_or_default();
        let runtime = Runtime(Arc::new(Inner {
            shared: Arc::new(Shared {
                clock: Clock,
                stats: Stats::new(),
                recent: Recent::new(self.error_history_limit),
                listening: self.listening,
                listeners: self.listeners,
                faults: Faults::default(),
                pools: Pools::default(),
                drain: Drain::default(),
                live: Live::new(settings.clone()),
                calls: AtomicU64::new(1),
                random: self.random,
                waits: self.waits,
            }),
            services: Mutex::new(HashMap::new()),
            sites: Mutex::new(HashMap::new()),
        }));
        runtime.set_shared(None, &settings);
        runtime
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
    pub(crate) fn site(&self) -> &Site {
        &self.site
    }

    /// Whether it is the state of its site in the runtime of `shared`.
    pub(crate) fn is_of(&self, runtime: &Runtime) -> bool {
        Arc::ptr_eq(&self.shared, &runtime.0.shared)
    }

    pub(crate) fn operation(&self) -> &'static str {
        self.operation
    }

    pub(crate) fn service(&self) -> &str {
        self.service.guards.service().as_str()
    }

    /// The settings in force, made anew where others have been applied.
    #[cold]
    fn refreshed(&self) -> InForce {
        let live = &self.shared.live;
        self.settings.in_force(live).unwrap_or_else(|| {
            self.settings
                .set(versioned(&self.site, &self.service, &live.current()))
        })
    }

    pub(crate) fn is_fail_fast(&self) -> bool {
        self.site.options().fail_fast
    }

    pub(crate) fn place(&self) -> Place {
        self.site.place()
    }
}

/// What the settings of a snapshot are for a site.
fn versioned(site: &Site, service: &Service, snapshot: &Snapshot) -> Versioned {
    let written = &snapshot.settings.document().written;
    let subject = Subject {
        options: site.options(),
        operation: site.operation(),
        service: site.service(),
        origin: &Origin::attribute(site.place()),
    };
    let shared = written.service(site.service(), &service.attributes());
    Versioned {
        generation: snapshot.generation,
        settings: written.settings(subject, &shared),
    }
}

/// A site's state, and the settings that hold for as long as this does.
#[derive(Debug)]
pub(crate) struct SiteRef {
    state: Reach,
    pub(crate) settings: InForce,
}

/// Borrowed for ever from the site's own static or shared with a scoped runtime: a call of the
/// global runtime counts no references.
#[derive(Debug)]
enum Reach {
    Global(&'static SiteState),
    Scoped(Arc<SiteState>),
}

impl From<Arc<SiteState>> for SiteRef {
    fn from(state: Arc<SiteState>) -> Self {
        let live = &state.shared.live;
        let settings = state.settings.in_force(live);
        let settings = settings.unwrap_or_else(|| state.refreshed());
        let state = Reach::Scoped(state);
        Self { state, settings }
    }
}

impl SiteRef {
    /// The state of a site in this runtime, or in the global one, if it has been made and knows the
    /// settings in force.
    #[inline]
    pub(crate) fn known(site: &'static Site, scoped: Option<&Runtime>) -> Option<Self> {
        let state = match scoped {
            Some(runtime) => Reach::Scoped(runtime.known_site(site)?),
            None => Reach::Global(site.slot.get()?),
        };
        let settings = state.settings.in_force(&state.shared.live)?;
        Some(Self { state, settings })
    }

    /// The same, made if need be.
    #[cold]
    pub(crate) fn make(site: &'static Site, scoped: Option<Runtime>) -> Self {
        let state = match scoped {
            Some(runtime) => Reach::Scoped(runtime.site(site)),
            None => Reach::Global(site.slot.get_or_init(|| Runtime::global().site(site))),
        };
        let settings = state.refreshed();
        Self { state, settings }
    }
}

impl std::ops::Deref for SiteRef {
    type Target = SiteState;

    #[inline]
    fn deref(&self) -> &SiteState {
        &self.state
    }
}

impl std::ops::Deref for Reach {
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
