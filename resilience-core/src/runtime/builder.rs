//! How a runtime is made.

use std::fmt;
use std::sync::Arc;

use super::{Inner, Listening, Random, Runtime, Shared};
use crate::clock::Clock;
use crate::drain::Drain;
use crate::event::{Listener, Listeners};
use crate::recent::Recent;
use crate::resource::Pools;
use crate::settings::Settings;
use crate::settings::live::Live;
use crate::sorted::Sorted;
use crate::stats::Stats;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, AtomicU64};
use crate::testing::Faults;

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
    pub(super) const fn new() -> Self {
        Self {
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
        let is_observed = !self.listeners.is_empty();
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
                is_observed: AtomicBool::new(is_observed),
                pools: Pools::default(),
                drain: Drain::default(),
                live: Live::new(settings.clone()),
                calls: AtomicU64::new(1),
                random: self.random,
                waits: self.waits,
                is_global: self.is_global,
            }),
            services: Mutex::new(Sorted::new()),
            sites: Mutex::new(Sorted::new()),
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

const ERROR_HISTORY_LIMIT: usize = 100;
