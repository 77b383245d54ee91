//! Where all state lives: the breakers, the counts, the recent errors.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, OnceLock};

use crate::breaker::{BreakerHandle, CallId};
use crate::clock::Clock;
use crate::drain::Drain;
use crate::event::{Listener, Listeners, Reload, emit_moved};
use crate::problem::Problem;
use crate::recent::{Recent, RecentError};
use crate::resource::Pools;
use crate::scope::{self, Covered, Frame};
use crate::settings::layer::Layer;
use crate::settings::live::Live;
use crate::settings::origin::Origin;
use crate::settings::resolve::Subject;
use crate::site::{self, AnySite, Site, shared_by, shared_with};
use crate::sorted::Sorted;
use crate::stats::errors::Sums;
use crate::stats::{Stats, Summary};
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::{Mutex, lock};
use crate::testing::{Fault, Faults};
use crate::trace;

mod builder;
mod kept;
mod service;
mod state;

pub use self::builder::RuntimeBuilder;
pub(crate) use self::kept::{Kept, Made};
pub(crate) use self::service::Service;
pub(crate) use self::state::{GuardedBy, SiteRef, SiteState};

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
    services: Mutex<Sorted<&'static str, Arc<Service>>>,
    /// By the address of the site's static; of the global runtime they are in there.
    sites: Mutex<Sorted<usize, Arc<SiteState>>>,
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
    /// There are listeners, or there have been faults.
    is_observed: AtomicBool,
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

impl Runtime {
    /// A runtime of its own, with nothing counted and every breaker closed.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A runtime of its own with other limits or listeners than the usual ones.
    pub const fn builder() -> RuntimeBuilder {
        RuntimeBuilder::new()
    }

    /// The runtime of every call that no [`scope`](Self::scope) encloses.
    pub fn global() -> &'static Self {
        static GLOBAL: OnceLock<Runtime> = OnceLock::new();
        let mut made = None;
        let runtime = GLOBAL.get_or_init(|| {
            let (runtime, problems) = Self::of_process();
            made = Some(problems);
            runtime
        });
        // Told when it is there: whoever hears of it may ask for it.
        if let Some(problems) = made {
            site::problems().iter().for_each(report);
            if !problems.is_empty() {
                runtime.loaded(problems, Reload::Rejected);
            }
        }
        runtime
    }

    /// The runtime of the calls that are made here and now.
    pub fn current() -> Self {
        scope::current_runtime().unwrap_or_else(|| Self::global().clone())
    }

    /// Runs a future whose calls use this runtime. A task that the future spawns does not inherit
    /// it, but may be a scope itself: the answer does not borrow the runtime.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the future, and nothing stays behind.
    pub fn scope<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        let mut other = Some(self.clone());
        async move {
            let mut future = pin!(future);
            poll_fn(move |cx| {
                let _swapped = Swapped::new(&mut other);
                future.as_mut().poll(cx)
            })
            .await
        }
    }

    /// What has been counted, and where every breaker is.
    pub fn summary(&self) -> Summary {
        let breakers = self.breakers();
        let mut summary = self.0.shared.stats.summary();
        if self.0.shared.listening.statistics {
            let mut errors = Sums::default();
            for service in self.services() {
                summary.add(service.summary());
                service.add_errors(&mut errors);
            }
            errors.tell(&mut summary);
        }
        summary.breakers = breakers.iter().map(BreakerHandle::summary).collect();
        summary
    }

    /// Adds somebody who hears all events from now on, for as long as the runtime lives.
    ///
    /// Where the program builds its runtime itself, [`RuntimeBuilder::listener`] does the same from
    /// the beginning on.
    pub fn add_listener(&self, listener: impl Listener) {
        self.0.shared.listeners.add(Box::new(listener));
        self.0.shared.is_observed.store(true, Ordering::Release);
    }

    /// The breakers of all services that have been called, by name.
    pub fn breakers(&self) -> Vec<BreakerHandle> {
        let services = self.services();
        services.iter().map(|it| self.handle(it)).collect()
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
        for service in self.services() {
            service.reset_counts();
        }
        self.0.shared.recent.clear();
    }

    /// Makes things go wrong in the functions of this operation or service: for tests. Where
    /// several faults have the same target, the first one that strikes counts.
    pub fn inject(&self, target: &str, fault: Fault) {
        self.0.shared.faults.inject(target, fault);
        self.0.shared.is_observed.store(true, Ordering::Release);
    }

    /// Takes all injected faults back.
    pub fn clear_faults(&self) {
        self.0.shared.faults.clear();
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }

    /// By name.
    pub(crate) fn services(&self) -> Vec<Arc<Service>> {
        let services = lock(&self.0.services);
        services.iter().map(|(_, it)| Arc::clone(it)).collect()
    }

    /// The state of a site in this runtime, made if need be.
    fn site(&self, site: &'static Site) -> SiteRef {
        let make = || self.state(AnySite::Function(site));
        if self.0.shared.is_global {
            return site.slot.in_force(make).into();
        }
        let known = lock(&self.0.sites).get(&address(site)).map(Arc::clone);
        if let Some(state) = known.filter(|state| state.is_current()) {
            return state.into();
        }
        // Made without the lock: it asks every registered site. All that calls share is elsewhere,
        // so it does no harm if two are made at a time.
        let state = Arc::new(make());
        lock(&self.0.sites).insert(address(site), Arc::clone(&state));
        state.into()
    }

    /// The state of a policy's site in this runtime, for the policy to keep.
    pub(crate) fn policy(&self, site: &Arc<Site>) -> SiteState {
        self.state(AnySite::Policy(Arc::clone(site)))
    }

    /// What the sites of a service wrote, as far as the service has heard of them.
    pub(crate) fn learned(&self, service: &str) -> Option<Layer> {
        self.known_service(service)
            .map(|service| service.attributes())
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
                emit_moved(shared, name, moved);
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
        let settings = written.settings(subject, &common);
        SiteState {
            operation: site.operation(),
            shared: Arc::clone(shared),
            guarded_by: GuardedBy::of(&settings),
            is_fail_fast: site.options().fail_fast,
            frame: Frame {
                timeout: settings.timeout,
                operation: site.operation(),
                attempt: 1,
                guards: service.guards.address(),
                holds: Covered {
                    breaker: settings.breaker.is_some(),
                    slot: false,
                },
                fail_fast: site.options().fail_fast,
                ..Frame::NONE
            },
            settings,
            refusals: OnceLock::new(),
            rules: snapshot.settings.rules().map(Arc::clone),
            generation: AtomicU64::new(snapshot.generation),
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
        services.insert(service.name(), Arc::clone(&service));
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
    /// Whether anybody may want to know more of a call than that it succeeded, or do something to
    /// it.
    #[inline]
    pub(crate) fn is_watched(&self) -> bool {
        trace::is_wanted() || self.is_observed.load(Ordering::Relaxed)
    }

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
