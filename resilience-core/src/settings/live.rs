//! Settings in force: one snapshot for a runtime.

use crate::event::Event;
use crate::problem::Problems;
use crate::settings::document::LogLevel;
use crate::settings::load::Settings;
use crate::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use crate::sync::{Mutex, lock};

/// The snapshot of a runtime. Its calls look at the generation alone; whoever finds another one than
/// it knows asks for the snapshot.
#[derive(Debug)]
pub(crate) struct Live {
    generation: AtomicU64,
    current: Mutex<Snapshot>,
    /// Held while shared state takes new numbers, so that those of two swaps do not mix.
    applying: Mutex<()>,
    last: Mutex<Option<LastReload>>,
    /// The least important events that are logged.
    log_level: AtomicU8,
}

/// Settings with the number of their swap.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) settings: Settings,
    pub(crate) generation: u64,
}

/// How the last attempt to load settings ended.
#[derive(Clone, Debug)]
pub(crate) struct LastReload {
    pub(crate) at: std::time::SystemTime,
    pub(crate) problems: Problems,
}

impl Live {
    pub(crate) fn new(settings: Settings) -> Self {
        let generation = 1;
        Self {
            generation: AtomicU64::new(generation),
            current: Mutex::new(Snapshot {
                settings,
                generation,
            }),
            applying: Mutex::new(()),
            last: Mutex::new(None),
            log_level: AtomicU8::new(LogLevel::Trace as u8),
        }
    }

    /// The one swap, and what belongs to it, which hears what held before. One after the other.
    /// `None` where that is no longer the generation that the caller expects.
    pub(crate) fn apply<T>(
        &self,
        settings: Settings,
        expected: Option<u64>,
        and: impl FnOnce(&Snapshot) -> T,
    ) -> Option<T> {
        let _applying = lock(&self.applying);
        let before = self.current();
        if expected.is_some_and(|expected| expected != before.generation) {
            return None;
        }
        self.swap(settings);
        Some(and(&before))
    }

    /// Of the snapshot: all that a call looks at.
    #[inline]
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Something for which the snapshot must stay the one in force.
    pub(crate) fn steady<T>(&self, what: impl FnOnce(&Snapshot) -> T) -> T {
        let _applying = lock(&self.applying);
        what(&self.current())
    }

    pub(crate) fn current(&self) -> Snapshot {
        lock(&self.current).clone()
    }

    fn swap(&self, settings: Settings) {
        let mut current = lock(&self.current);
        let generation = current.generation + 1;
        *current = Snapshot {
            settings,
            generation,
        };
        self.generation.store(generation, Ordering::Release);
    }

    /// Whether an event is to be logged, as far as settings go.
    #[inline]
    pub(crate) fn logs(&self, event: &Event<'_>) -> bool {
        let level = self.log_level.load(Ordering::Relaxed);
        level == LogLevel::Trace as u8 || LogLevel::needed(event) as u8 <= level
    }

    pub(crate) fn set_log_level(&self, level: Option<LogLevel>) {
        let level = level.unwrap_or(LogLevel::Trace);
        self.log_level.store(level as u8, Ordering::Relaxed);
    }

    pub(crate) fn last(&self) -> Option<LastReload> {
        lock(&self.last).clone()
    }

    pub(crate) fn set_last(&self, last: LastReload) {
        *lock(&self.last) = Some(last);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Whoever read its files before others did must not undo what they found.
    #[test]
    fn settings_that_were_read_for_another_generation_are_not_taken() {
        let live = Live::new(Settings::new());
        let read_for = live.generation();
        assert_eq!(
            live.apply(Settings::new(), Some(read_for), |_| ()),
            Some(())
        );
        assert_eq!(live.apply(Settings::new(), Some(read_for), |_| ()), None);
        assert_eq!(live.generation(), read_for + 1);
        assert_eq!(live.apply(Settings::new(), None, |_| ()), Some(()));
    }
}
