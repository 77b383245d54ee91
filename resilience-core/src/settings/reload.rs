//! Other settings for a running program. State stays; only numbers change.

use std::sync::Arc;

use crate::breaker::Moved;
use crate::event::{Event, Reload, emit, emit_moved};
use crate::problem::Problems;
use crate::runtime::{Runtime, Service};
use crate::settings::live::LastReload;
use crate::settings::load::Settings;

impl Runtime {
    /// Makes these settings those of all calls that begin from now on.
    ///
    /// Running calls keep the settings that they began with. Breakers, rate limits, bulkheads and
    /// budgets keep their state and take the new numbers from the next event on.
    pub fn apply(&self, settings: &Settings) {
        self.apply_after(None, settings);
    }

    /// The same, if this generation is the one in force; whether it was.
    fn apply_after(&self, generation: Option<u64>, settings: &Settings) -> bool {
        let shared = self.shared();
        let moved = shared.live.apply(settings.clone(), generation, |before| {
            self.set_shared(Some(&before.settings), settings);
            self.set_services(settings)
        });
        let Some(moved) = moved else {
            return false;
        };
        for (service, moved) in moved {
            emit_moved(shared, service.name(), moved);
        }
        self.loaded(Problems::new(), Reload::Applied);
        true
    }

    fn set_services(&self, settings: &Settings) -> Vec<(Arc<Service>, Moved)> {
        let now = self.shared().clock.now();
        let written = &settings.document().written;
        let mut all = Vec::new();
        for service in self.services() {
            let moved = service.set(written, now);
            all.extend(moved.into_iter().map(|moved| (Arc::clone(&service), moved)));
        }
        all
    }

    /// The settings that were applied last.
    pub fn settings(&self) -> Settings {
        self.shared().live.current().settings
    }

    /// Reads the sources of the [settings](Self::settings) again, and applies them if they have
    /// changed; answers whether they had.
    ///
    /// # Errors
    ///
    /// All problems there are; the settings stay as they were, and
    /// [`inspect`](Self::inspect) tells of it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future lets a reload that has begun come to its end.
    pub async fn reload(&self) -> Result<bool, Problems> {
        let runtime = self.clone();
        if tokio::runtime::Handle::try_current().is_err() {
            return runtime.reload_blocking();
        }
        match tokio::task::spawn_blocking(move || runtime.reload_blocking()).await {
            Ok(outcome) => outcome,
            // The tokio runtime is shutting down.
            Err(_) => Ok(false),
        }
    }

    /// As [`reload`](Self::reload), for threads that may block.
    ///
    /// # Errors
    ///
    /// All problems there are; the settings stay as they were.
    pub fn reload_blocking(&self) -> Result<bool, Problems> {
        loop {
            let before = self.shared().live.current();
            let fingerprint = before.settings.fingerprint();
            let loader = before.settings.loader_used().clone();
            match loader.read(Some(fingerprint)) {
                Ok(settings) if settings.fingerprint() == fingerprint => {
                    self.recovered();
                    return Ok(false);
                }
                Ok(settings) => {
                    if self.apply_after(Some(before.generation), &settings) {
                        return Ok(true);
                    }
                    // Others were applied meanwhile, and may be newer than what was read.
                }
                Err(problems) => {
                    self.loaded(problems.clone(), Reload::Rejected);
                    return Err(problems);
                }
            }
        }
    }

    /// The runtime of a process that has said nothing else: with the settings that its environment
    /// names, or with none, until a reload, if there is anything wrong in them, which is for the
    /// caller to tell.
    pub(crate) fn of_process() -> (Self, Problems) {
        let loader = Settings::loader().env();
        let global = |settings| Self::builder().global().settings(settings).build();
        match loader.clone().load() {
            Ok(settings) => (global(settings), Problems::new()),
            Err(problems) => (global(Settings::none_of(loader)), problems),
        }
    }

    /// What settings say beyond single sites and services. What is said no more is as before.
    pub(crate) fn set_shared(&self, before: Option<&Settings>, settings: &Settings) {
        let (shared, document) = (self.shared(), settings.document());
        let limit = document.error_history_limit.as_ref();
        shared.recent.set_limit(limit.map(|(limit, _)| *limit));
        let level = document.log_level.as_ref();
        shared.live.set_log_level(level.map(|(level, _)| *level));
        for (name, _) in before
            .iter()
            .flat_map(|before| &before.document().resources)
        {
            if document.resources.get(name).is_none() {
                shared.pools.pool(name).set_limit(None);
            }
        }
        for (name, (limit, _)) in &document.resources {
            shared.pools.pool(name).set_limit(Some(*limit));
        }
    }

    /// Tells of a load, and keeps what was wrong with it. The same problems are told once.
    pub(crate) fn loaded(&self, problems: Problems, result: Reload) {
        let shared = self.shared();
        let known = shared.live.last();
        let at = shared.clock.system_now();
        if !problems.is_empty() && known.is_some_and(|last| last.problems == problems) {
            return;
        }
        let message = match result {
            Reload::Rejected => problems.to_string(),
            Reload::Unchanged => "they are as they were".to_owned(),
            Reload::Applied => match shared.live.current().settings.keys() {
                1 => "one key holds now".to_owned(),
                keys => format!("{keys} keys hold now"),
            },
        };
        shared.live.set_last(LastReload { at, problems });
        let message = &message;
        emit(shared, &Event::SettingsReloaded { result, message });
    }

    /// The sources are again what they were when they were right.
    fn recovered(&self) {
        let live = &self.shared().live;
        if live.last().is_some_and(|last| !last.problems.is_empty()) {
            self.loaded(Problems::new(), Reload::Unchanged);
        }
    }
}
