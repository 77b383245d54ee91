//! The circuit breaker: a state machine that is told the time.
//!
//! ```text
//!            too many failures,
//!            or slow calls
//!   closed ──────────────────────────────────────▶ open
//!     ▲                                           ▲  │ the first call at or after
//!     │ success_threshold        a probe failed,  │  │ the wait
//!     │ probes succeeded         or the wait over │  ▼
//!     └──────────────────────── without a verdict half-open
//!
//!   any of them ── an operator ──▶ forced_open, forced_closed, disabled ── reset ──▶ closed
//! ```
//!
//! What is too many is the business of [`tally`]. The wait is `wait_duration`; where that grows, it
//! doubles with every opening that follows without a close in between.
//!
//! Every admission is an [`Admission`] with the generation in which it was given, and every change
//! of state begins a generation: a late result never moves a later one. Half-open hands out as many
//! probes as it needs successes, and no more; a probe that is dropped gives its place back.

use std::num::NonZeroU64;
use std::time::Duration;

use self::tally::{Sample, Tally, reaches};
use self::word::{CLEAN, CLOSED, Word};
use crate::Error;
use crate::clock::{Moment, Wait};
use crate::error::ServiceName;
use crate::keyed::Forgettable;
use crate::settings::BreakerSettings;
use crate::sync::{Mutex, lock};

mod handle;
mod state;
mod tally;
mod window;
mod word;

pub use self::handle::BreakerHandle;
pub use self::state::{BreakerState, OpenedBy};
pub(crate) use self::state::{Manual, Moved, Reason};
pub(crate) use self::tally::CallId;

/// A circuit breaker, shared by the sites of one service.
///
/// While it is closed and healthy (nothing failed or slow is counted, and a count window, where
/// there is one, is full), admitting and a success only read one word. Everything else happens
/// under a short lock.
#[derive(Debug)]
pub(crate) struct Breaker {
    word: Word,
    name: &'static ServiceName,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: BreakerSettings,
    generation: u64,
    /// How often it has opened again since it was last closed.
    reopened: u32,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Closed(Tally),
    Open { since: Moment, reason: Reason },
    HalfOpen(HalfOpen),
    ForcedOpen,
    ForcedClosed(Tally),
    Disabled,
}

#[derive(Clone, Copy, Debug)]
struct HalfOpen {
    since: Moment,
    reason: Reason,
    /// Running now.
    probes: u32,
    successes: u32,
    /// Of the successes.
    slow: u32,
}

/// Leave to run one attempt: the word of a healthy breaker, with another flag where it is a probe.
/// Give it back with [`Breaker::succeed`], [`Breaker::fail`] or [`Breaker::release`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) struct Admission(NonZeroU64);

/// No leave: why the breaker is open, and the time until a probe may be let through, unless it is
/// open until somebody says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) reason: Reason,
    pub(crate) retry_in: Option<Wait>,
}

/// What a breaker says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) state: BreakerState,
    /// The failures counted; where it is open or half-open, the failures or slow calls that opened
    /// it.
    pub(crate) failures: u32,
    /// The time until a probe may be let through, where it is open.
    pub(crate) retry_in: Option<Duration>,
}

impl Breaker {
    pub(crate) fn new(name: &'static ServiceName, settings: BreakerSettings) -> Self {
        let settings = settings.sane();
        let inner = Inner {
            settings,
            generation: 1,
            reopened: 0,
            phase: Phase::Closed(Tally::new(&settings)),
        };
        Self {
            word: Word::new(inner.word(), settings.slow_call_duration),
            name,
            inner: Mutex::new(inner),
        }
    }

    pub(crate) fn name(&self) -> &'static ServiceName {
        self.name
    }

    /// From how long on an attempt is slow: `None` where nobody need measure.
    #[inline]
    pub(crate) fn slow_call_duration(&self) -> Option<Duration> {
        self.word.slow()
    }

    /// Whether attempts go through without a question.
    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.word.load() & CLOSED != 0
    }

    /// Leave without a look at the clock, which a closed breaker does not need. `None` says
    /// nothing: ask [`admit`](Self::admit).
    #[inline]
    pub(crate) fn admit_closed(&self) -> Option<Admission> {
        let word = self.word.load();
        let healthy = NonZeroU64::new(word | CLOSED | CLEAN)?;
        (word & CLOSED != 0).then_some(Admission(healthy))
    }

    /// The same, where nobody need measure the attempt either.
    #[inline]
    pub(crate) fn admit_unmeasured(&self) -> Option<Admission> {
        let admission = self.admit_closed()?;
        self.word.slow().is_none().then_some(admission)
    }

    /// The answer of an open breaker, as long as the time is all that it needs to know. `None` says
    /// nothing: ask [`admit`](Self::admit).
    #[inline]
    pub(crate) fn refuse(&self, now: Moment) -> Option<Error> {
        let (until, answer) = self.word.open(now)?;
        Some(if until.is_finite() {
            answer.waiting(until.wait(now))
        } else {
            answer
        })
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

    /// Whether a success that nobody measured changes nothing, so that it need not be reported.
    #[inline]
    pub(crate) fn stays(&self, admission: Admission) -> bool {
        self.word.load() == admission.0.get()
    }

    /// Whether a success changes nothing, so that it need not be reported.
    #[inline]
    pub(crate) fn is_healthy(&self, admission: Admission, elapsed: Option<Duration>) -> bool {
        self.stays(admission)
            && match (elapsed, self.word.slow()) {
                (Some(elapsed), Some(slow)) => elapsed < slow,
                _ => true,
            }
    }

    /// The attempt succeeded, and took so long, where that was measured.
    pub(crate) fn succeed(
        &self,
        admission: Admission,
        elapsed: Option<Duration>,
        now: Moment,
    ) -> Option<Moved> {
        let failed = None;
        self.change(|inner| inner.end(admission, Sample { failed, elapsed }, now))
    }

    /// The attempt of `call` failed in a way that speaks against the service.
    pub(crate) fn fail(
        &self,
        admission: Admission,
        call: CallId,
        elapsed: Option<Duration>,
        now: Moment,
    ) -> Option<Moved> {
        let failed = Some(call);
        self.change(|inner| inner.end(admission, Sample { failed, elapsed }, now))
    }

    /// The attempt ended in a way that says nothing about the service: its place is free again.
    pub(crate) fn release(&self, admission: Admission) {
        if admission.is_probe() {
            self.change(|inner| {
                if admission.generation() == inner.generation
                    && let Phase::HalfOpen(half_open) = &mut inner.phase
                {
                    half_open.probes = half_open.probes.saturating_sub(1);
                }
            });
        }
    }

    /// Whether a call at `at` is sure to be refused, as things stand.
    pub(crate) fn refuses_at(&self, at: Moment) -> bool {
        self.word.open(at).is_some()
    }

    /// What can be seen of it at `now`.
    pub(crate) fn look(&self, now: Moment) -> Look {
        lock(&self.inner).look(now)
    }

    /// Where an operator holds it, if one does.
    pub(crate) fn held(&self) -> Option<Manual> {
        match lock(&self.inner).phase {
            Phase::ForcedOpen => Some(Manual::ForceOpen),
            Phase::ForcedClosed(_) => Some(Manual::ForceClosed),
            Phase::Disabled => Some(Manual::Disable),
            Phase::Closed(_) | Phase::Open { .. } | Phase::HalfOpen(_) => None,
        }
    }

    /// What an operator asks for. It holds at once and for everybody, and but for
    /// [`Manual::Reset`] until the next such question; what runs now counts no more.
    pub(crate) fn force(&self, manual: Manual) -> Option<Moved> {
        self.change(|inner| {
            let tally = || Tally::new(&inner.settings);
            let phase = match (manual, &inner.phase) {
                (Manual::ForceOpen, Phase::ForcedOpen)
                | (Manual::ForceClosed, Phase::ForcedClosed(_))
                | (Manual::Disable, Phase::Disabled) => return None,
                (Manual::ForceOpen, _) => Phase::ForcedOpen,
                (Manual::ForceClosed, _) => Phase::ForcedClosed(tally()),
                (Manual::Disable, _) => Phase::Disabled,
                (Manual::Reset, _) => Phase::Closed(tally()),
            };
            let moved = inner.move_to(phase);
            (moved.from != moved.to).then_some(moved)
        })
    }

    /// New numbers, which hold from the next event on. What is counted stays, as far as the new
    /// numbers look at it; the present wait takes the new length. A half-open breaker that by these
    /// numbers has had its successes gets its verdict now, since no probe would come to bring it.
    pub(crate) fn set(&self, settings: BreakerSettings, now: Moment) -> Option<Moved> {
        let settings = settings.sane();
        self.change(|inner| {
            inner.settings = settings;
            self.word.set_slow(settings.slow_call_duration);
            match &mut inner.phase {
                Phase::Closed(tally) | Phase::ForcedClosed(tally) => {
                    tally.adapt(&settings, now);
                    None
                }
                Phase::HalfOpen(_) => inner.lapse(now).or_else(|| inner.verdict(now)),
                Phase::Open { .. } | Phase::ForcedOpen | Phase::Disabled => None,
            }
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let mut inner = lock(&self.inner);
        let answer = change(&mut inner);
        let open = inner.open().map(|(until, reason)| {
            let retry_in = None;
            let refusal = Refusal { reason, retry_in };
            (until, Error::circuit_open(self.name, refusal))
        });
        self.word.store(inner.word(), open);
        answer
    }
}

/// A breaker by key that has nothing to remember makes room for another key.
impl Forgettable for Breaker {
    fn is_fresh(&self, now: Moment) -> bool {
        matches!(&lock(&self.inner).phase, Phase::Closed(tally) if tally.is_empty(now))
    }
}

impl Inner {
    fn admit(&mut self, now: Moment) -> (Result<Admission, Refusal>, Option<Moved>) {
        let (generation, wait) = (self.generation, self.wait());
        let refusal = |reason, until: Moment| Refusal {
            reason,
            retry_in: Some(until.wait(now)),
        };
        match &mut self.phase {
            Phase::Closed(_) | Phase::ForcedClosed(_) | Phase::Disabled => {
                (Ok(Admission::new(generation, false)), None)
            }
            Phase::ForcedOpen => {
                let refusal = Refusal {
                    reason: Reason::HAND,
                    retry_in: None,
                };
                (Err(refusal), None)
            }
            &mut Phase::Open { since, reason } => {
                let until = since + wait;
                if now < until {
                    return (Err(refusal(reason, until)), None);
                }
                let moved = self.move_to(Phase::HalfOpen(HalfOpen {
                    since: now,
                    reason,
                    probes: 1,
                    successes: 0,
                    slow: 0,
                }));
                (Ok(Admission::new(self.generation, true)), Some(moved))
            }
            Phase::HalfOpen(half_open) => {
                let taken = half_open.probes.saturating_add(half_open.successes);
                if taken < self.settings.success_threshold {
                    half_open.probes += 1;
                    return (Ok(Admission::new(generation, true)), None);
                }
                let until = half_open.since + wait;
                (Err(refusal(half_open.reason, until)), None)
            }
        }
    }

    /// An attempt ended.
    fn end(&mut self, admission: Admission, sample: Sample, now: Moment) -> Option<Moved> {
        if let Some(lapsed) = self.lapse(now) {
            return Some(lapsed);
        }
        if admission.generation() != self.generation {
            return None;
        }
        let settings = self.settings;
        match &mut self.phase {
            Phase::Closed(tally) => {
                let reason = tally.add(sample, &settings, now)?;
                Some(self.move_to(Phase::Open { since: now, reason }))
            }
            Phase::ForcedClosed(tally) => {
                tally.add(sample, &settings, now);
                None
            }
            Phase::HalfOpen(half_open) if sample.failed.is_some() => {
                let reason = half_open.reason.and(OpenedBy::Failures, 1);
                Some(self.move_to(Phase::Open { since: now, reason }))
            }
            Phase::HalfOpen(half_open) => {
                half_open.probes = half_open.probes.saturating_sub(1);
                half_open.successes += 1;
                half_open.slow += u32::from(sample.is_slow(&settings));
                self.verdict(now)
            }
            Phase::Open { .. } | Phase::ForcedOpen | Phase::Disabled => None,
        }
    }

    /// Half-open with all its successes: closed, unless too many of them were slow.
    fn verdict(&mut self, now: Moment) -> Option<Moved> {
        let settings = self.settings;
        let Phase::HalfOpen(half_open) = self.phase else {
            return None;
        };
        let (slow, successes) = (half_open.slow, half_open.successes);
        if successes < settings.success_threshold {
            return None;
        }
        let too_slow = settings.slow_call_duration.is_some()
            && reaches(
                slow.into(),
                successes.into(),
                settings.slow_call_rate_threshold,
            );
        Some(self.move_to(if too_slow {
            Phase::Open {
                since: now,
                reason: half_open.reason.and(OpenedBy::SlowCalls, slow),
            }
        } else {
            Phase::Closed(Tally::new(&settings))
        }))
    }

    /// Half-open for too long without a verdict: open again, from the moment it was too long.
    fn lapse(&mut self, now: Moment) -> Option<Moved> {
        let (since, reason) = self.lapsed(now)?;
        Some(self.move_to(Phase::Open { since, reason }))
    }

    fn lapsed(&self, now: Moment) -> Option<(Moment, Reason)> {
        match self.phase {
            Phase::HalfOpen(HalfOpen { since, reason, .. }) => {
                let over = since + self.wait();
                (now >= over).then_some((over, reason))
            }
            _ => None,
        }
    }

    fn look(&self, now: Moment) -> Look {
        let open = |until: Moment, reason: Reason| Look {
            state: BreakerState::Open,
            failures: reason.count,
            retry_in: Some(until.since(now)),
        };
        if let Some((since, reason)) = self.lapsed(now) {
            let wait = self.settings.wait(self.reopened.saturating_add(1));
            return open(since + wait, reason);
        }
        let failures = match &self.phase {
            &Phase::Open { since, reason } => return open(since + self.wait(), reason),
            Phase::Closed(tally) | Phase::ForcedClosed(tally) => {
                tally.failures(&self.settings, now)
            }
            Phase::HalfOpen(half_open) => half_open.reason.count,
            Phase::ForcedOpen | Phase::Disabled => 0,
        };
        Look {
            state: self.phase.state(),
            failures,
            retry_in: None,
        }
    }

    fn move_to(&mut self, phase: Phase) -> Moved {
        let from = self.phase.state();
        let to = phase.state();
        self.reopened = match (from, to) {
            (BreakerState::HalfOpen, BreakerState::Open) => self.reopened.saturating_add(1),
            (BreakerState::Open, BreakerState::HalfOpen) => self.reopened,
            _ => 0,
        };
        let reason = match &phase {
            Phase::Open { reason, .. } | Phase::HalfOpen(HalfOpen { reason, .. }) => Some(*reason),
            Phase::ForcedOpen => Some(Reason::HAND),
            Phase::Closed(_) | Phase::ForcedClosed(_) | Phase::Disabled => None,
        };
        self.phase = phase;
        self.generation += 1;
        Moved {
            from,
            to,
            failures: reason.map_or(0, |reason| reason.count),
            opened_by: reason.map(|reason| reason.by),
        }
    }

    /// How long the present open period lasts, and half-open after it at most.
    fn wait(&self) -> Duration {
        self.settings.wait(self.reopened)
    }

    /// Until when everybody is refused, and why, where that is so.
    fn open(&self) -> Option<(Moment, Reason)> {
        match self.phase {
            // However long it is, it is told.
            Phase::Open { since, reason } => {
                Some(((since + self.wait()).min(Moment::LAST), reason))
            }
            Phase::ForcedOpen => Some((Moment::NEVER, Reason::HAND)),
            _ => None,
        }
    }

    fn word(&self) -> u64 {
        let flags = match &self.phase {
            Phase::Closed(tally) | Phase::ForcedClosed(tally) if !tally.is_clean() => CLOSED,
            Phase::Closed(_) | Phase::ForcedClosed(_) | Phase::Disabled => CLOSED | CLEAN,
            Phase::Open { .. } | Phase::HalfOpen(_) | Phase::ForcedOpen => 0,
        };
        Word::of(self.generation, flags)
    }
}

impl Phase {
    const fn state(&self) -> BreakerState {
        match self {
            Self::Closed(_) => BreakerState::Closed,
            Self::Open { .. } => BreakerState::Open,
            Self::HalfOpen(_) => BreakerState::HalfOpen,
            Self::ForcedOpen => BreakerState::ForcedOpen,
            Self::ForcedClosed(_) => BreakerState::ForcedClosed,
            Self::Disabled => BreakerState::Disabled,
        }
    }
}

impl Admission {
    #[inline]
    const fn new(generation: u64, probe: bool) -> Self {
        let flags = if probe { 0 } else { CLEAN };
        Self(NonZeroU64::MIN.saturating_add(Word::of(generation, flags)))
    }

    const fn generation(self) -> u64 {
        Word::generation(self.0.get())
    }

    const fn is_probe(self) -> bool {
        self.0.get() & CLEAN == 0
    }
}

#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(all(test, not(loom)))]
mod tests;
