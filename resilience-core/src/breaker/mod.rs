//! The circuit breaker: a state machine that is told the time.
//!
//! ```text
//!            failure_threshold failures in a row,
//!            from distinct_calls calls
//!   closed ──────────────────────────────────────▶ open
//!     ▲                                           ▲  │ the first call at or after
//!     │ success_threshold        a probe failed,  │  │ wait_duration
//!     │ probes succeeded         or wait_duration │  ▼
//!     └──────────────────────── without a verdict half-open
//! ```
//!
//! Every admission is an [`Admission`] with the generation in which it was given, and every change
//! of state begins a generation: a late result never moves a later one. Half-open hands out as many
//! probes as it needs successes, and no more; a probe that is dropped gives its place back.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Moment;
use crate::error::ServiceName;
use crate::settings::BreakerSettings;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, lock};

/// A circuit breaker, shared by the sites of one service.
///
/// While it is closed and no failure is counted, admitting and a success only read one word.
/// Everything else happens under a short lock.
#[derive(Debug)]
pub(crate) struct Breaker {
    word: Word,
    name: Arc<ServiceName>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: BreakerSettings,
    generation: u64,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Closed(Streak),
    Open {
        since: Moment,
        failures: u32,
    },
    HalfOpen {
        since: Moment,
        failures: u32,
        probes: u32,
        successes: u32,
    },
}

/// The failures in a row, and the calls that they came from.
#[derive(Debug, Default)]
struct Streak {
    failures: u32,
    /// No more than `distinct_calls` of them: the rule asks for no more.
    calls: Vec<CallId>,
}

/// One call, to tell the attempts of one from those of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallId(pub(crate) u64);

/// Leave to run one attempt. Give it back with [`Breaker::succeed`], [`Breaker::fail`] or
/// [`Breaker::release`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) struct Admission(NonZeroU64);

impl Admission {
    /// Generations begin at 1, so that the word is never zero.
    #[inline]
    const fn new(generation: u64, probe: bool) -> Self {
        match NonZeroU64::new(generation << 1 | probe as u64) {
            Some(word) => Self(word),
            None => Self(NonZeroU64::MIN),
        }
    }

    const fn generation(self) -> u64 {
        self.0.get() >> 1
    }

    const fn is_probe(self) -> bool {
        self.0.get() & 1 != 0
    }
}

/// No leave: the failures that opened the breaker, and the time until a probe may be let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) failures: u32,
    pub(crate) retry_in: Duration,
}

/// Where a breaker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BreakerState {
    /// Calls go through.
    Closed,
    /// Calls are refused.
    Open,
    /// A few probes go through, to see whether the service is back.
    HalfOpen,
}

/// A change of state, to be told to listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) from: BreakerState,
    pub(crate) to: BreakerState,
    /// The failures that opened it.
    pub(crate) failures: u32,
}

impl Breaker {
    pub(crate) fn new(name: Arc<ServiceName>, settings: BreakerSettings) -> Self {
        let inner = Inner {
            settings,
            generation: 1,
            phase: Phase::Closed(Streak::default()),
        };
        Self {
            word: Word::new(inner.word()),
            name,
            inner: Mutex::new(inner),
        }
    }

    pub(crate) fn name(&self) -> &Arc<ServiceName> {
        &self.name
    }

    /// Leave without a look at the clock, which a closed breaker does not need. `None` says
    /// nothing: ask [`admit`](Self::admit).
    #[inline]
    pub(crate) fn admit_closed(&self) -> Option<Admission> {
        let word = self.word.load();
        (word & CLOSED != 0).then_some(Admission::new(word >> FLAGS, false))
    }

    /// Leave to run one attempt at `now`, and the changes of state that this made: half-open may
    /// turn out to be over for long, so that it opens and lets a new probe through.
    pub(crate) fn admit(&self, now: Moment) -> (Result<Admission, Refusal>, [Option<Moved>; 2]) {
        self.change(|inner| {
            let lapsed = inner.lapse(now);
            let (answer, moved) = inner.admit(now);
            (answer, [lapsed, moved])
        })
    }

    /// Whether a success changes nothing, so that it need not be reported.
    #[inline]
    pub(crate) fn is_healthy(&self, admission: Admission) -> bool {
        self.word.load() == (admission.generation() << FLAGS) | CLOSED | CLEAN
    }

    /// The attempt succeeded.
    pub(crate) fn succeed(&self, admission: Admission, now: Moment) -> Option<Moved> {
        self.change(|inner| {
            let lapsed = inner.lapse(now);
            inner.succeed(admission).or(lapsed)
        })
    }

    /// The attempt of `call` failed in a way that speaks against the service.
    pub(crate) fn fail(&self, admission: Admission, call: CallId, now: Moment) -> Option<Moved> {
        self.change(|inner| {
            let lapsed = inner.lapse(now);
            inner.fail(admission, call, now).or(lapsed)
        })
    }

    /// The attempt ended in a way that says nothing about the service: its place is free again.
    pub(crate) fn release(&self, admission: Admission) {
        if admission.is_probe() {
            self.change(|inner| {
                if admission.generation() == inner.generation
                    && let Phase::HalfOpen { probes, .. } = &mut inner.phase
                {
                    *probes = probes.saturating_sub(1);
                }
            });
        }
    }

    /// Whether a call at `at` is sure to be refused, as things stand.
    pub(crate) fn refuses_at(&self, at: Moment) -> bool {
        if self.word.load() & CLOSED != 0 {
            return false;
        }
        let inner = lock(&self.inner);
        matches!(inner.phase, Phase::Open { since, .. } if at < since + inner.settings.wait_duration)
    }

    /// The state at `now`, and the failures that led to it.
    pub(crate) fn state(&self, now: Moment) -> (BreakerState, u32) {
        let inner = lock(&self.inner);
        match &inner.phase {
            Phase::HalfOpen { failures, .. } if inner.verdict_is_late(now) => {
                (BreakerState::Open, *failures)
            }
            Phase::Closed(streak) => (BreakerState::Closed, streak.failures),
            Phase::Open { failures, .. } | Phase::HalfOpen { failures, .. } => {
                (inner.phase.state(), *failures)
            }
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let mut inner = lock(&self.inner);
        let answer = change(&mut inner);
        self.word.store(inner.word());
        answer
    }
}

impl Inner {
    fn admit(&mut self, now: Moment) -> (Result<Admission, Refusal>, Option<Moved>) {
        let Self {
            settings,
            generation,
            ..
        } = *self;
        match &mut self.phase {
            Phase::Closed(_) => (Ok(Admission::new(generation, false)), None),
            &mut Phase::Open { since, failures } => {
                let until = since + settings.wait_duration;
                if now < until {
                    return (
                        Err(Refusal {
                            failures,
                            retry_in: until.since(now),
                        }),
                        None,
                    );
                }
                let moved = self.move_to(Phase::HalfOpen {
                    since: now,
                    failures,
                    probes: 1,
                    successes: 0,
                });
                (Ok(Admission::new(self.generation, true)), Some(moved))
            }
            Phase::HalfOpen {
                since,
                failures,
                probes,
                successes,
            } => {
                if probes.saturating_add(*successes) < settings.success_threshold {
                    *probes += 1;
                    return (Ok(Admission::new(generation, true)), None);
                }
                let retry_in = (*since + settings.wait_duration).since(now);
                (
                    Err(Refusal {
                        failures: *failures,
                        retry_in,
                    }),
                    None,
                )
            }
        }
    }

    fn succeed(&mut self, admission: Admission) -> Option<Moved> {
        if admission.generation() != self.generation {
            return None;
        }
        match &mut self.phase {
            Phase::Closed(streak) => {
                *streak = Streak::default();
                None
            }
            Phase::Open { .. } => None,
            Phase::HalfOpen {
                probes, successes, ..
            } => {
                *probes = probes.saturating_sub(1);
                *successes += 1;
                (*successes >= self.settings.success_threshold)
                    .then(|| self.move_to(Phase::Closed(Streak::default())))
            }
        }
    }

    fn fail(&mut self, admission: Admission, call: CallId, now: Moment) -> Option<Moved> {
        if admission.generation() != self.generation {
            return None;
        }
        let settings = self.settings;
        let failures = match &mut self.phase {
            Phase::Closed(streak) => {
                streak.add(call, settings.distinct_calls);
                if !streak.is_over(&settings) {
                    return None;
                }
                streak.failures
            }
            Phase::Open { .. } => return None,
            Phase::HalfOpen { failures, .. } => failures.saturating_add(1),
        };
        Some(self.move_to(Phase::Open {
            since: now,
            failures,
        }))
    }

    /// Half-open for too long without a verdict: open again, from the moment it was too long.
    fn lapse(&mut self, now: Moment) -> Option<Moved> {
        match self.phase {
            Phase::HalfOpen {
                since, failures, ..
            } if self.verdict_is_late(now) => {
                let since = since + self.settings.wait_duration;
                Some(self.move_to(Phase::Open { since, failures }))
            }
            _ => None,
        }
    }

    fn verdict_is_late(&self, now: Moment) -> bool {
        matches!(self.phase, Phase::HalfOpen { since, .. } if now >= since + self.settings.wait_duration)
    }

    fn move_to(&mut self, phase: Phase) -> Moved {
        let from = self.phase.state();
        let failures = match phase {
            Phase::Closed(_) => 0,
            Phase::Open { failures, .. } | Phase::HalfOpen { failures, .. } => failures,
        };
        self.phase = phase;
        self.generation += 1;
        Moved {
            from,
            to: self.phase.state(),
            failures,
        }
    }

    fn word(&self) -> u64 {
        let flags = match &self.phase {
            Phase::Closed(streak) if streak.failures == 0 => CLOSED | CLEAN,
            Phase::Closed(_) => CLOSED,
            _ => 0,
        };
        self.generation << FLAGS | flags
    }
}

impl Phase {
    const fn state(&self) -> BreakerState {
        match self {
            Self::Closed(_) => BreakerState::Closed,
            Self::Open { .. } => BreakerState::Open,
            Self::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }
}

impl Streak {
    fn add(&mut self, call: CallId, distinct_calls: u32) {
        self.failures = self.failures.saturating_add(1);
        if self.calls.len() < distinct_calls as usize && !self.calls.contains(&call) {
            self.calls.push(call);
        }
    }

    fn is_over(&self, settings: &BreakerSettings) -> bool {
        self.failures >= settings.failure_threshold
            && self.calls.len() >= settings.distinct_calls as usize
    }
}

impl BreakerState {
    /// The name, as in telemetry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

impl std::fmt::Display for BreakerState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What the hot path reads: the generation and two flags, on a cache line of their own, since
/// failures write the rest.
#[derive(Debug)]
#[repr(align(64))]
struct Word(AtomicU64);

impl Word {
    fn new(word: u64) -> Self {
        Self(AtomicU64::new(word))
    }

    #[inline]
    fn load(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    fn store(&self, word: u64) {
        // A healthy line stays shared between cores: written only when it changes.
        if self.0.load(Ordering::Relaxed) != word {
            self.0.store(word, Ordering::Release);
        }
    }
}

const FLAGS: u32 = 2;
/// The breaker is closed.
const CLOSED: u64 = 1;
/// It is closed, and a success would change nothing.
const CLEAN: u64 = 2;

#[cfg(test)]
mod tests;
