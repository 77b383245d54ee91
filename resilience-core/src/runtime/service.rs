//! What the sites of one service share.

use std::hash::Hash;
use std::sync::{Arc, OnceLock};

use crate::breaker::{Manual, Moved};
use crate::budget::Budget;
use crate::clock::{Clock, Moment};
use crate::error::ServiceName;
use crate::guards::Guards;
use crate::keyed::{Id, Keyed};
use crate::settings::ServiceSettings;
use crate::settings::layer::Layer;
use crate::settings::resolve::Written;
use crate::settings::shared::merge;
use crate::site::Site;
use crate::stats::errors::Sums;
use crate::stats::{Counts, ServiceSummary};
use crate::sync::{Mutex, lock};

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
    pub(super) fn new(name: &str, attributes: Layer, written: &Written, now: Moment) -> Self {
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
        let settings = written.service_settings(self.name(), &self.attributes());
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

    pub(crate) fn name(&self) -> &'static str {
        self.guards.service().as_str()
    }

    pub(super) fn summary(&self) -> ServiceSummary {
        self.counts.summary(self.name(), self.budget.at_once())
    }

    pub(super) fn add_errors(&self, sums: &mut Sums) {
        self.counts
            .add_errors(self.name(), self.budget.at_once(), sums);
    }

    pub(super) fn reset_counts(&self) {
        self.counts.reset(self.budget.at_once());
    }

    pub(super) fn attributes(&self) -> Layer {
        lock(&self.attributes).clone()
    }

    /// Adds what a site wrote that nobody knew before, as that of a policy. What others wrote stays.
    /// Says whether there was anything.
    pub(super) fn learn(&self, site: &Site) -> bool {
        let mut attributes = lock(&self.attributes);
        let all = merge(&[attributes.clone(), site.written()]).layer;
        let more = all != *attributes;
        *attributes = all;
        more
    }

    /// The guards of one key.
    #[inline]
    pub(crate) fn keyed<K: Hash + ?Sized>(&self, key: &K, clock: Clock) -> Arc<Guards> {
        // Outside of every lock: how a key is hashed is the user's.
        let id = self.keys().id(key);
        self.guards_of(id, clock)
    }

    fn keys(&self) -> &Keyed<Guards> {
        self.keyed
            .get_or_init(|| Keyed::new(Keyed::<Guards>::DEFAULT_BOUND))
    }

    /// The same for all types of keys.
    #[inline(never)]
    fn guards_of(&self, key: Id, clock: Clock) -> Arc<Guards> {
        let now = || clock.now();
        self.keys().get(key, now, || {
            let guards = Guards::new(
                self.guards.service(),
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
        let mut told = self.guards.breaker.force(manual);
        for guards in self.keyed.get().into_iter().flat_map(Keyed::values) {
            let moved = guards.breaker.force(manual);
            told = told.or(moved);
        }
        told
    }
}
