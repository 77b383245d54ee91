//! Where all state lives: the breakers, the counts, the recent errors.

use std::collections::HashMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::hash::Hash;
use std::pin::pin;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;

use crate::breaker::{BreakerHandle, CallId, Manual, Moved};
use crate::budget::Budget;
use crate::classify::Rules;
use crate::clock::{Clock, Moment};
use crate::drain::Drain;
use crate::error::ServiceName;
use crate::event::{Event, Listener, Listeners, emit};
use crate::guards::Guards;
use crate::keyed::Keyed;
use crate::problem::Problem;
use crate::recent::{Recent, RecentError};
use crate::resource::Pools;
use crate::scope;
use crate::settings::layer::Layer;
use crate::settings::live::Live;
use crate::settings::origin::Origin;
use crate::settings::resolve::{Subject, Written};
use crate::settings::shared::merge;
use crate::settings::{ServiceSettings, Settings, SiteSettings};
use crate::site::{self, AnySite, Place, Site, shared_by, shared_with};
use crate::stats::{Counts, Stats, Summary};
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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
    /// Whether it has been reported which resources have no limit.
    is_reported: AtomicBool,
}

/// What the calls of a runtime share, whatever their site.
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) stats: Stats,
    pub(crate) recent: Recent,
    pub(crate) listening: Listening,
    pub(crate) listeners: Listeners,
    pub(crate) faults: Faults,
    pub(crate) pools: Pools,
    pub(crate) live: Live,
    pub(crate) drain: Drain,
    calls: AtomicU64,
    random: Random,
    /// Whether delays are slept.
    pub(crate) waits: bool,
    is_global: bool,
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
    pub(crate) counts: Counts,
    keyed: OnceLock<Keyed<Guards>>,
    /// Held while breakers are moved by hand, so that two such moves do not mix.
    forcing: Mutex<()>,
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
            counts: Counts::new(),
            keyed: OnceLock::new(),
            forcing: Mutex::new(()),
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
            let guards = Guards::new(
                Arc::clone(self.guards.service()),
                lock(&self.settings).breaker_numbers(),
            );
            if let Some(manual) = self.guards.breaker.held() {
                guards.breaker.force(manual);
            }
            guards
        })
    }

    /// Moves its breakers by hand, those of keys as well. Answers with one move of them, which tells
    /// what has been asked for.
    pub(crate) fn force(&self, manual: Manual) -> Option<Moved> {
        let _forcing = lock(&self.forcing);
        // Before the keys are asked for: one that is made meanwhile begins like this, or is told.
        let moved = self.guards.breaker.force(manual);
        let keyed = self.keyed.get().into_iter().flat_map(Keyed::values);
        keyed.fold(moved, |moved, guards| {
            moved.or(guards.breaker.force(manual))
        })
    }
}

/// A site in one runtime, with the settings of one generation. Nothing in here changes: other
/// settings make another one.
#[derive(Debug)]
pub(crate) struct SiteState {
    site: AnySite,
    operation: &'static str,
    pub(crate) shared: Arc<Shared>,
    pub(crate) service: Arc<Service>,
    pub(crate) settings: SiteSettings,
    /// What an operator says of texts of errors, if anything.
    pub(crate) rules: Option<Arc<Rules>>,
    generation: u64,
    /// Of the site, in the global runtime.
    number: Option<usize>,
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
            is_global: false,
            settings: None,
        }
    }

    /// The runtime of every call that no [`scope`](Self::scope) encloses.
    pub fn global() -> &'static Self {
        static GLOBAL: OnceLock<Runtime> = OnceLock::new();
        GLOBAL.get_or_init(|| {
            site::problems().iter().for_each(report);
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

    /// The breaker of a service, also before its first call: `None` where no annotated function and
    /// no policy names the service.
    pub fn breaker(&self, service: &str) -> Option<BreakerHandle> {
        let service = if let Some(service) = self.known_service(service) {
            service
        } else {
            let attributes = shared_by(service)?;
            self.service(service, || attributes)
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

    pub(crate) fn shared(&self) -> &Shared {
        &self.0.shared
    }

    pub(crate) fn services(&self) -> Vec<Arc<Service>> {
        lock(&self.0.services).values().cloned().collect()
    }

    /// The state of a site in this runtime, if it has been made of the settings in force.
    fn known_site(&self, site: &'static Site) -> Option<Arc<SiteState>> {
        let state = lock(&self.0.sites).get(&address(site)).map(Arc::clone)?;
        state.is_current().then_some(state)
    }

    /// The same, made if need be.
    fn site(&self, site: &'static Site) -> Arc<SiteState> {
        if let Some(state) = self.known_site(site) {
            return state;
        }
        // Made without the lock: it asks every registered site. All that calls share is elsewhere,
        // so it does no harm if two are made at a time.
        let state = Arc::new(self.state(AnySite::Function(site)));
        lock(&self.0.sites).insert(address(site), Arc::clone(&state));
        state
    }

    /// What the sites of a service wrote, as far as the service has heard of them.
    pub(crate) fn learned(&self, service: &str) -> Option<Layer> {
        self.known_service(service)
            .map(|service| service.attributes())
    }

    /// The state of a policy's site in this runtime, for the policy to keep.
    pub(crate) fn policy(&self, site: &Arc<Site>) -> Arc<SiteState> {
        Arc::new(self.state(AnySite::Policy(Arc::clone(site))))
    }

    fn state(&self, site: AnySite) -> SiteState {
        let shared = &self.0.shared;
        // By its first call a program is configured.
        if shared.is_global && !self.0.is_reported.swap(true, Ordering::Relaxed) {
            self.unlimited().iter().for_each(report);
        }
        let name = site.service();
        let service = self.service(name, || shared_with(name, &site));
        if service.learn(&site) {
            let moved = shared.live.steady(|snapshot| {
                let written = &snapshot.settings.document().written;
                service.set(written, shared.clock.now())
            });
            for moved in moved {
                emit(shared, Event::moved(name, moved));
            }
        }
        let snapshot = shared.live.current();
        let written = &snapshot.settings.document().written;
        let subject = Subject {
            options: site.options(),
            operation: site.operation(),
            service: name,
            origin: &Origin::attribute(site.place()),
        };
        let common = written.service(name, &service.attributes());
        SiteState {
            operation: site.operation(),
            shared: Arc::clone(shared),
            settings: written.settings(subject, &common),
            rules: snapshot.settings.rules().map(Arc::clone),
            generation: snapshot.generation,
            number: match &site {
                AnySite::Function(site) if shared.is_global => Some(site.numbered()),
                _ => None,
            },
            service,
            site,
        }
    }

    fn handle(&self, service: &Arc<Service>) -> BreakerHandle {
        BreakerHandle::new(Arc::clone(&self.0.shared), Arc::clone(service))
    }

    fn known_service(&self, name: &str) -> Option<Arc<Service>> {
        lock(&self.0.services).get(name).map(Arc::clone)
    }

    fn service(&self, name: &str, attributes: impl FnOnce() -> Layer) -> Arc<Service> {
        if let Some(service) = self.known_service(name) {
            return service;
        }
        let attributes = attributes();
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
    is_global: bool,
    settings: Option<Settings>,
}

impl RuntimeBuilder {
    /// The one of the process.
    pub(crate) fn global(mut self) -> Self {
        self.is_global = true;
        self
    }

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
        let listeners = Listeners::default();
        for listener in self.listeners {
            listeners.add(listener);
        }
        let settings = self.settings.unwrap_or_default();
        let runtime = Runtime(Arc::new(Inner {
            shared: Arc::new(Shared {
                clock: Clock,
                stats: Stats::new(),
                recent: Recent::new(self.error_history_limit),
                listening: self.listening,
                listeners,
                faults: Faults::default(),
                pools: Pools::default(),
                drain: Drain::default(),
                live: Live::new(settings.clone()),
                calls: AtomicU64::new(1),
                random: self.random,
                waits: self.waits,
                is_global: self.is_global,
            }),
            services: Mutex::new(HashMap::new()),
            sites: Mutex::new(HashMap::new()),
            is_reported: AtomicBool::new(false),
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
    /// Whether the settings that it was made of are still those of the runtime.
    #[inline]
    fn is_current(&self) -> bool {
        self.generation == self.shared.live.generation()
    }

    pub(crate) fn site(&self) -> &Site {
        &self.site
    }

    /// Whether it is the state of its site in this runtime, made of the settings in force.
    pub(crate) fn is_of(&self, runtime: &Runtime) -> bool {
        Arc::ptr_eq(&self.shared, &runtime.0.shared) && self.is_current()
    }

    pub(crate) fn operation(&self) -> &'static str {
        self.operation
    }

    pub(crate) fn service(&self) -> &str {
        self.service.guards.service().as_str()
    }

    pub(crate) fn is_fail_fast(&self) -> bool {
        self.site.options().fail_fast
    }

    pub(crate) fn place(&self) -> Place {
        self.site.place()
    }
}

/// Where the state of a site in the global runtime is kept. Other settings put another one there.
pub(crate) type Kept = OnceLock<ArcSwap<SiteState>>;

/// A site's state, kept as it is for as long as this is held.
///
/// Taking it neither locks nor allocates. Calls of the global runtime that follow each other on a
/// thread do not even count references: the thread keeps one for each site, and lends it.
#[derive(Debug)]
pub(crate) struct SiteRef(Option<Arc<SiteState>>);

/// What a thread has to lend, by the number of the site.
pub(crate) type Lent = Vec<Option<Arc<SiteState>>>;

impl From<Arc<SiteState>> for SiteRef {
    fn from(state: Arc<SiteState>) -> Self {
        Self(Some(state))
    }
}

impl SiteRef {
    /// The state of a site in this runtime, or in the global one, if it has been made of the
    /// settings in force.
    #[inline]
    pub(crate) fn known(
        site: &'static Site,
        scoped: Option<&Runtime>,
        lent: &mut Lent,
    ) -> Option<Self> {
        if let Some(runtime) = scoped {
            return runtime.known_site(site).map(Self::from);
        }
        if let Some(place) = lent.get_mut(site.number())
            && let Some(state) = place.take()
            && state.is_current()
        {
            return Some(state.into());
        }
        Self::kept(&site.slot)
    }

    /// What was kept here, if it has been made of the settings in force.
    pub(crate) fn kept(slot: &Kept) -> Option<Self> {
        let state = slot.get()?.load_full();
        state.is_current().then(|| state.into())
    }

    /// Keeps a state for the calls to come as well.
    pub(crate) fn keep(slot: &Kept, state: Arc<SiteState>) -> Self {
        slot.get_or_init(|| ArcSwap::new(Arc::clone(&state)))
            .store(Arc::clone(&state));
        state.into()
    }

    /// The same, made if need be.
    #[cold]
    pub(crate) fn make(site: &'static Site, scoped: Option<Runtime>) -> Self {
        match scoped {
            Some(runtime) => runtime.site(site).into(),
            None => Self::keep(&site.slot, Runtime::global().site(site)),
        }
    }
}

impl std::ops::Deref for SiteRef {
    type Target = SiteState;

    #[inline]
    fn deref(&self) -> &SiteState {
        let Some(state) = &self.0 else {
            unreachable!("it is there until this is dropped")
        };
        state
    }
}

impl Drop for SiteRef {
    #[inline]
    fn drop(&mut self) {
        if let Some(state) = self.0.take()
            && let Some(number) = state.number
            && state.is_current()
        {
            scope::give_back(number, state);
        }
    }
}

fn report(problem: &Problem) {
    tracing::warn!(name: "resilience.problem", "{problem}");
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
