//! For tests of code that calls annotated functions: what happened, and faults on demand.
//!
//! A test makes a runtime of its own, so that tests in one process do not meet, and puts its calls
//! in that runtime's scope. Under tokio's paused time (`#[tokio::test(start_paused = true)]`) delays,
//! timeouts and open breakers take no time; [`RuntimeBuilder::no_waits`](crate::RuntimeBuilder::no_waits)
//! leaves the delays out also without it, [`fixed_jitter`](crate::RuntimeBuilder::fixed_jitter) makes
//! them exact.
//!
//! ```
//! use resilience_core::testing::{Fault, Recorder};
//! use resilience_core::{Category, Runtime};
//!
//! let recorder = Recorder::new();
//! let runtime = Runtime::builder().no_waits().listener(recorder.clone()).build();
//! // The next four attempts of every function of this service fail without running its body.
//! runtime.inject("weaviate", Fault::error(Category::NETWORK).times(4));
//! ```

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::event::{Event, Listener};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Mutex, lock};
use crate::{Category, Classification, Error};

/// Keeps every event as a line, in order.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Mutex<Vec<String>>>);

impl Recorder {
    /// One that has heard nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// What it has heard so far, a line each.
    pub fn events(&self) -> Vec<String> {
        lock(&self.0).clone()
    }
}

impl Listener for Recorder {
    fn on_event(&self, event: &Event<'_>) {
        let line = event.to_string();
        lock(&self.0).push(line);
    }
}

/// Something that goes wrong in place of, or before, a body.
///
/// Without a number of times it happens at every attempt.
#[derive(Clone, Debug)]
#[must_use]
pub struct Fault {
    what: What,
    skip: u32,
    times: Option<u32>,
    chance: Option<Chance>,
}

#[derive(Clone, Debug)]
enum What {
    Error(Classification),
    Delay(Duration),
    Hang,
}

#[derive(Clone, Debug)]
struct Chance {
    probability: f64,
    random: fastrand::Rng,
}

impl Fault {
    /// The body is not run; the attempt fails with an error of this category.
    ///
    /// It reaches the function as every answer of the runtime does, through its error type's
    /// `From<resilience::Error>`; a function whose error type has none is left alone.
    pub const fn error(category: Category) -> Self {
        Self::failure(Classification::new(category))
    }

    /// The body is not run; the attempt fails with an error of this classification.
    pub const fn failure(classification: Classification) -> Self {
        Self::new(What::Error(classification))
    }

    /// The body is run after so long. The attempt's time limit holds meanwhile.
    pub const fn delay(delay: Duration) -> Self {
        Self::new(What::Delay(delay))
    }

    /// The body is not run, and the attempt never ends by itself.
    pub const fn hang() -> Self {
        Self::new(What::Hang)
    }

    /// Only so many times; attempts at which it does not happen do not count.
    pub const fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Not at the first so many attempts.
    pub const fn after(mut self, attempts: u32) -> Self {
        self.skip = attempts;
        self
    }

    /// Not always, but with this probability (0 to 1), in the same order for the same seed.
    pub fn with_probability(mut self, probability: f64, seed: u64) -> Self {
        self.chance = Some(Chance {
            probability,
            random: fastrand::Rng::with_seed(seed),
        });
        self
    }

    const fn new(what: What) -> Self {
        Self {
            what,
            skip: 0,
            times: None,
            chance: None,
        }
    }

    /// What happens at one more attempt, if anything does.
    fn strike(&mut self) -> Option<Struck> {
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        if let Some(Chance {
            probability,
            random,
        }) = &mut self.chance
            && random.f64() >= *probability
        {
            return None;
        }
        if let Some(times) = &mut self.times {
            *times = times.checked_sub(1)?;
        }
        Some(match &self.what {
            What::Error(classification) => Struck::Error(Error::injected(classification.clone())),
            What::Delay(delay) => Struck::Delay(*delay),
            What::Hang => Struck::Hang,
        })
    }
}

/// A fault at one attempt.
#[derive(Debug)]
pub(crate) enum Struck {
    Error(Error),
    Delay(Duration),
    Hang,
}

/// The faults of a runtime.
#[derive(Default)]
pub(crate) struct Faults {
    /// Read by every attempt: outside of tests there are none.
    any: AtomicBool,
    by_target: Mutex<Vec<(String, Fault)>>,
}

impl Faults {
    pub(crate) fn inject(&self, target: &str, fault: Fault) {
        lock(&self.by_target).push((target.to_owned(), fault));
        self.any.store(true, Ordering::Release);
    }

    pub(crate) fn clear(&self) {
        lock(&self.by_target).clear();
        self.any.store(false, Ordering::Release);
    }

    #[inline]
    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// The first fault that strikes an attempt of this operation of this service.
    #[cold]
    pub(crate) fn strike(&self, operation: &str, service: &str) -> Option<Struck> {
        lock(&self.by_target)
            .iter_mut()
            .filter(|(target, _)| target == operation || target == service)
            .find_map(|(_, fault)| fault.strike())
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Faults")
            .field(&lock(&self.by_target).len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strikes(fault: Fault) -> Vec<bool> {
        let faults = Faults::default();
        faults.inject("svc", fault);
        (0..6)
            .map(|_| faults.strike("op", "svc").is_some())
            .collect()
    }

    #[test]
    fn a_fault_strikes_after_so_many_attempts_so_many_times() {
        let fault = Fault::error(Category::NETWORK);
        assert_eq!(strikes(fault.clone()), [true; 6]);
        assert_eq!(
            strikes(fault.clone().after(1).times(2)),
            [false, true, true, false, false, false]
        );
        assert_eq!(strikes(fault.clone().with_probability(0.0, 1)), [false; 6]);
        assert_eq!(strikes(fault.with_probability(1.0, 1)), [true; 6]);
    }

    #[test]
    fn the_same_seed_strikes_in_the_same_order() {
        let fault = Fault::hang().with_probability(0.5, 7);
        assert_eq!(strikes(fault.clone()), strikes(fault.clone()));
        // The attempts that are let through first leave the order as it is.
        assert_eq!(strikes(fault.clone().after(2))[2..], strikes(fault)[..4]);
    }

    #[test]
    fn only_the_target_is_struck() {
        let faults = Faults::default();
        faults.inject("other", Fault::hang());
        assert!(faults.strike("op", "svc").is_none());
        assert!(faults.strike("other", "svc").is_some());
        assert!(faults.strike("op", "other").is_some());
        faults.clear();
        assert!(!faults.any() && faults.strike("other", "svc").is_none());
    }
}
