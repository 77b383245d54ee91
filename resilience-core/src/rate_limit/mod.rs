//! The rate limiter: GCRA, that is a bucket of `burst` permits that refills evenly, `limit` of them
//! per `period`; a state machine that is told the time.
//!
//! ```text
//!                 a permit is there
//!   try_acquire ─────────────────────▶ Ok
//!                 else, or somebody waits ──▶ Refusal { retry_in }
//!
//!                 a permit is there, nobody waits
//!   enter ───────────────────────────▶ Ok(None)
//!     │           it would take longer than max_wait ──▶ Refusal { retry_in }
//!     ▼
//!   Ticket ── poll_turn ──▶ Wait(until): ask again then, or when woken
//!     │          │ first in the line, a permit is there ──▶ Go
//!     │          └ max_wait is over ──▶ Refused
//!     └ leave: the place is free, the next is woken
//! ```
//!
//! Between any two moments `w` apart, at most `burst` plus `w * limit / period` (rounded up)
//! attempts are let through. Who waits takes its permit at the moment of going and never in advance:
//! who is refused or leaves has used up none, and who is woken late does not run beside a bucket that
//! has filled up meanwhile. While there are plenty, threads hold some in advance, which are set aside
//! in the bucket, see [`lease`]. (Two cases go beyond that bound, by one bucket each: other numbers at run
//! time, and time going back by more than ten seconds.)

mod lease;
mod scale;

use std::task::Waker;
use std::time::Duration;

use crate::clock::{Moment, saturating_nanos};
use crate::keyed::Forgettable;
use crate::line::{Line, Place};
use crate::rate_limit::lease::Leases;
use crate::rate_limit::scale::Scale;
use crate::settings::RateLimitSettings;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, MutexGuard, lock};

/// A rate limiter, shared by the sites of one service.
///
/// While nobody waits, an answer takes one exchange of one word, a refusal one look at it; with a
/// lease, one exchange of a word that is the thread's own. Waiting happens under a short lock.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    word: Word,
    // A `Scale` that is changed only while the word is flagged, see `scale`. Its bucket is without
    // what is set aside for leases.
    speed: AtomicU64,
    permit: AtomicU64,
    bucket: AtomicU64,
    leases: Leases,
    max_wait: AtomicU64,
    queue: Mutex<Queue>,
}

/// The position at which all permits are there again, and the flag [`WAITED`]. On a cache line of
/// its own, since everybody writes it and nobody the numbers beside it.
#[derive(Debug)]
#[repr(align(64))]
struct Word(AtomicU64);

#[derive(Debug, Default)]
struct Queue {
    line: Line,
    /// New numbers, which hold from the next event on: only that knows the time.
    next: Option<RateLimitSettings>,
}

/// No permit: none is there, or whoever waits comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// When there is one, as things stand.
    pub(crate) retry_in: Duration,
}

/// A place among those who wait. Give it to [`RateLimiter::leave`] unless its turn has come; doing
/// so all the same does no harm.
#[derive(Debug)]
#[must_use]
pub(crate) struct Ticket {
    place: Option<Place>,
    /// When its patience ends.
    latest: Moment,
}

/// What one who waits is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Run: the permit is taken, the place given up.
    Go,
    /// Ask again at this time, or earlier when woken. For the first in the line that is when its
    /// permit is there; for the others when their patience ends, since they are woken before.
    Wait(Moment),
    /// Waiting has taken, or would now take, longer than `max_wait`. The place is given up.
    Refused(Refusal),
}

impl RateLimiter {
    pub(crate) fn new(settings: RateLimitSettings) -> Self {
        let scale = Scale::new(settings);
        Self {
            word: Word(AtomicU64::new(0)),
            speed: AtomicU64::new(scale.speed),
            permit: AtomicU64::new(scale.permit),
            bucket: AtomicU64::new(scale.bucket),
            leases: Leases::new(settings),
            max_wait: AtomicU64::new(saturating_nanos(settings.max_wait)),
            queue: Mutex::default(),
        }
    }

    /// Sets other numbers. They hold from the next event on; permits that were taken stay taken,
    /// and whoever waits is woken to see whether it still wants to.
    pub(crate) fn set(&self, settings: RateLimitSettings) {
        let roused = {
            let mut queue = lock(&self.queue);
            self.word.0.fetch_or(WAITED, Ordering::AcqRel);
            queue.next = Some(settings);
            self.leases.empty();
            queue.line.rouse_all()
        };
        roused.into_iter().for_each(Waker::wake);
    }

    /// A permit of those that the threads of this shard hold in advance, if there is one.
    #[inline]
    pub(crate) fn spend(&self, shard: usize) -> bool {
        self.leases.spend(shard)
    }

    /// A permit at `now`, and a lease of more where there are plenty, if nobody waits. `false` says
    /// nothing: ask one of the others.
    #[inline(never)]
    pub(crate) fn lease(&self, shard: usize, now: Moment) -> bool {
        if self.leases.size() > 0 && self.is_plenty(now) {
            self.hold(now).lease(shard, now)
        } else {
            matches!(self.exchange(now), Exchange::Taken)
        }
    }

    /// A permit at `now`, or never: for those who do not wait.
    #[inline]
    pub(crate) fn try_acquire(&self, now: Moment) -> Result<(), Refusal> {
        match self.exchange(now) {
            Exchange::Taken => Ok(()),
            Exchange::None(retry_in) => Err(Refusal { retry_in }),
            Exchange::Ask => self.ask(now),
        }
    }

    /// A permit at `now` (`None`), or a place in the line, which is to be polled at once.
    #[inline]
    pub(crate) fn enter(&self, now: Moment) -> Result<Option<Ticket>, Refusal> {
        match self.exchange(now) {
            Exchange::Taken => Ok(None),
            Exchange::None(retry_in) if retry_in > self.max_wait() => Err(Refusal { retry_in }),
            Exchange::None(_) | Exchange::Ask => self.join(now),
        }
    }

    /// Whether it is the ticket's turn at `now`; else keeps whom to wake when it may be.
    pub(crate) fn poll_turn(&self, ticket: &mut Ticket, now: Moment, waker: &Waker) -> Turn {
        let waker = waker.clone();
        let (turn, _kept, roused) = {
            let mut held = self.hold(now);
            match held.turn(ticket, now) {
                (turn @ Turn::Wait(_), ahead) => (turn, held.queue.line.keep(ahead, waker), None),
                (turn, ahead) => {
                    ticket.place = None;
                    let kept = held.queue.line.remove(ahead);
                    (turn, kept, held.rouse_if_first(ahead))
                }
            }
        };
        roused.into_iter().for_each(Waker::wake);
        turn
    }

    /// Gives the place up, if its turn has not come yet.
    pub(crate) fn leave(&self, ticket: &mut Ticket) {
        let Some(place) = ticket.place.take() else {
            return;
        };
        let (_kept, roused) = {
            let mut queue = lock(&self.queue);
            let Some(ahead) = queue.line.ahead_of(place) else {
                return;
            };
            let kept = queue.line.remove(ahead);
            if !queue.is_needed() {
                self.word.0.fetch_and(!WAITED, Ordering::AcqRel);
            }
            let roused = (ahead == 0).then(|| queue.line.rouse_first()).flatten();
            (kept, roused)
        };
        roused.into_iter().for_each(Waker::wake);
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        lock(&self.queue).line.len()
    }

    /// The answer without the lock, if nobody waits.
    #[inline]
    fn exchange(&self, now: Moment) -> Exchange {
        let mut word = self.word.0.load(Ordering::Acquire);
        loop {
            if word & WAITED != 0 {
                return Exchange::Ask;
            }
            let scale = self.scale();
            let Some(taken) = scale.take(word >> FLAGS, now) else {
                if self.leases.are_out() {
                    return Exchange::Ask;
                }
                return Exchange::None(scale.wait(word >> FLAGS, 0, now));
            };
            match self.word.0.compare_exchange_weak(
                word,
                taken << FLAGS,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return Exchange::Taken,
                Err(seen) => word = seen,
            }
        }
    }

    /// Whether nobody waits, and half of the bucket is there.
    #[inline]
    fn is_plenty(&self, now: Moment) -> bool {
        let word = self.word.0.load(Ordering::Acquire);
        word & WAITED == 0 && self.scale().is_plenty(word >> FLAGS, now)
    }

    #[cold]
    fn ask(&self, now: Moment) -> Result<(), Refusal> {
        let mut held = self.hold(now);
        if held.queue.line.is_empty() && held.take(now) {
            return Ok(());
        }
        Err(Refusal {
            retry_in: held.wait(held.queue.line.len(), now),
        })
    }

    #[cold]
    fn join(&self, now: Moment) -> Result<Option<Ticket>, Refusal> {
        let mut held = self.hold(now);
        if held.queue.line.is_empty() && held.take(now) {
            return Ok(None);
        }
        let retry_in = held.wait(held.queue.line.len(), now);
        let max_wait = self.max_wait();
        if retry_in > max_wait {
            return Err(Refusal { retry_in });
        }
        Ok(Some(Ticket {
            place: Some(held.queue.line.join()),
            latest: now + max_wait,
        }))
    }

    fn max_wait(&self) -> Duration {
        Duration::from_nanos(self.max_wait.load(Ordering::Relaxed))
    }

    /// Flags the word, so that until the lock is free again nobody else changes it.
    fn hold(&self, now: Moment) -> Held<'_> {
        let queue = lock(&self.queue);
        let word = self.word.0.fetch_or(WAITED, Ordering::AcqRel);
        let mut held = Held {
            limiter: self,
            taken: word >> FLAGS,
            scale: self.scale(),
            queue,
        };
        if let Some(settings) = held.queue.next.take() {
            held.change(settings, now);
        }
        held
    }

    /// The numbers. Whoever reads them without the lock learns from its exchange whether they were
    /// all of one setting: they change only while the word is flagged, and whoever sees one of the
    /// new ones also sees the flag, or a word that is newer still. (A word that has meanwhile come
    /// back to the very same value can make one answer wrong, and no more than that.)
    #[inline]
    fn scale(&self) -> Scale {
        Scale {
            speed: self.speed.load(Ordering::Acquire),
            permit: self.permit.load(Ordering::Acquire),
            bucket: self.bucket.load(Ordering::Acquire),
        }
    }
}

impl Forgettable for RateLimiter {
    fn is_fresh(&self, now: Moment) -> bool {
        let taken = self.word.0.load(Ordering::Acquire) >> FLAGS;
        taken <= self.scale().position(now) && !self.leases.are_out() && self.waiting() == 0
    }
}

/// What the word says, without a look at the line.
enum Exchange {
    Taken,
    /// There is no permit before this time is over.
    None(Duration),
    /// Somebody waits, or there are new numbers, or leases to take back.
    Ask,
}

/// The limiter while one thread has it for itself. Its end publishes what that thread did.
struct Held<'a> {
    limiter: &'a RateLimiter,
    taken: u64,
    scale: Scale,
    queue: MutexGuard<'a, Queue>,
}

impl Held<'_> {
    /// The ticket's turn, and how many are before it.
    fn turn(&mut self, ticket: &Ticket, now: Moment) -> (Turn, usize) {
        let ahead = ticket
            .place
            .and_then(|place| self.queue.line.ahead_of(place));
        let Some(ahead) = ahead else {
            // Its turn is over: nothing is to be had by asking again.
            let retry_in = Duration::ZERO;
            return (Turn::Refused(Refusal { retry_in }), usize::MAX);
        };
        if ahead == 0 && self.take(now) {
            return (Turn::Go, ahead);
        }
        let retry_in = self.wait(ahead, now);
        let ready = now + retry_in;
        let turn = if ready > ticket.latest || now >= ticket.latest {
            Turn::Refused(Refusal { retry_in })
        } else if ahead == 0 {
            Turn::Wait(ready)
        } else {
            Turn::Wait(ticket.latest)
        };
        (turn, ahead)
    }

    fn take(&mut self, now: Moment) -> bool {
        let mut taken = self.scale.take(self.taken, now);
        if taken.is_none() && self.limiter.leases.are_out() {
            self.end_leases(now);
            taken = self.scale.take(self.taken, now);
        }
        self.taken = taken.unwrap_or(self.taken);
        taken.is_some()
    }

    /// A permit, and as many into the purse of a shard as make a lease, while there are plenty.
    fn lease(&mut self, shard: usize, now: Moment) -> bool {
        if !self.queue.line.is_empty() || !self.take(now) {
            return false;
        }
        let leases = &self.limiter.leases;
        if leases.size() == 0 || !self.scale.is_plenty(self.taken, now) {
            return true;
        }
        if leases.begin(shard) {
            self.set_bucket(self.scale.bucket - u64::from(leases.size()) * self.scale.permit);
        } else {
            let missing = leases.fill(shard);
            self.taken = self.scale.pay(self.taken, missing, now);
        }
        true
    }

    /// What was spent of all leases is paid for, and the rest is there for all.
    fn end_leases(&mut self, now: Moment) {
        let ended = self.limiter.leases.end();
        let spent = ended.set_aside.saturating_sub(ended.unspent);
        self.taken = self.scale.pay(self.taken, spent, now);
        self.set_bucket(self.scale.bucket + ended.set_aside * self.scale.permit);
    }

    fn set_bucket(&mut self, bucket: u64) {
        self.scale.bucket = bucket;
        self.limiter.bucket.store(bucket, Ordering::Release);
    }

    fn wait(&self, ahead: usize, now: Moment) -> Duration {
        self.scale.wait(self.taken, ahead, now)
    }

    fn rouse_if_first(&mut self, ahead: usize) -> Option<Waker> {
        (ahead == 0)
            .then(|| self.queue.line.rouse_first())
            .flatten()
    }

    fn change(&mut self, settings: RateLimitSettings, now: Moment) {
        let new = Scale::new(settings);
        self.end_leases(now);
        self.taken = new.convert(&self.scale, self.taken, now);
        self.scale = new;
        let limiter = self.limiter;
        limiter.speed.store(new.speed, Ordering::Release);
        limiter.permit.store(new.permit, Ordering::Release);
        limiter.bucket.store(new.bucket, Ordering::Release);
        limiter.leases.set(settings);
        let max_wait = saturating_nanos(settings.max_wait);
        limiter.max_wait.store(max_wait, Ordering::Relaxed);
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let flag = if self.queue.is_needed() { WAITED } else { 0 };
        let word = self.taken << FLAGS | flag;
        self.limiter.word.0.store(word, Ordering::Release);
    }
}

impl Queue {
    /// Whether everybody has to look here.
    fn is_needed(&self) -> bool {
        !self.line.is_empty() || self.next.is_some()
    }
}

const FLAGS: u32 = 1;
/// Somebody waits, or holds the lock, or there are new numbers: ask under the lock.
const WAITED: u64 = 1;

#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(all(test, not(loom)))]
mod tests;
