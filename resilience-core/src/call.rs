//! The decisions of one call: everything that does not depend on the user's types, compiled once.
//!
//! [`Decisions`] is told what happens (`start`, `fail`, `succeed`, a drop) and answers what to do.
//! It awaits nothing; `driver` does. It asks the clock only where a decision needs the time: a body
//! that is ready at once, behind a closed breaker and without a deadline, never does.

use std::hash::Hash;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::Sleep;

use crate::backoff::Backoff;
use crate::blocking::{Held, HeldGuards, Work};
use crate::breaker::{Admission, CallId, Moved};
use crate::bulkhead::{self, Full};
use crate::clock::{self, Moment};
use crate::drain;
use crate::error::{ErrorKind, TimeLimit, TimedOut};
use crate::event::{
    AttemptFailed, CallFailure, CallOutcome, Event, EventSite, emit, succeeded_unseen, watched,
};
use crate::fallback::On;
use crate::fields::Fields;
use crate::guards::Guards;
use crate::rate_limit::{self, Turn};
use crate::redact::redacted;
use crate::resource::{Exhausted, Lease, Pool};
use crate::runtime::SiteRef;
use crate::scope::{self, Covered, Enclosing, Frame, Mark};
use crate::site::Site;
use crate::testing::Struck;
use crate::trace::{Entered, Spans};
use crate::{Category, Classification, Classify, Effect, Error, Fault, Retry, Severity};

/// One call, from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Decisions {
    site: SiteRef,
    /// What only a call that waits, fails or has fields needs: one allocation for all of it.
    extra: Option<Pin<Box<Extra>>>,
    /// The call's own deadline.
    deadline: Moment,
    /// The earliest limit of the enclosing attempts, once the clock has been read.
    enclosing: Moment,
    /// When the running attempt times out, or the pause ends; unknown until the clock has been read
    /// for the attempt.
    due: Moment,
    admission: Option<Admission>,
    attempts: u32,
    stage: Stage,
    mark: Mark,
    around: Enclosing,
}

pin_project! {
    #[derive(Debug, Default)]
    #[project = ExtraProjection]
    struct Extra {
        // For the time limit of an attempt, or the pause after it.
        #[pin]
        timer: Option<Sleep>,
        // What `fields(..)` names.
        fields: Option<Fields>,
        // The requirements that are not met: the answer, instead of a first attempt.
        refusal: Option<Error>,
        // Given at the first failure.
        id: Option<CallId>,
        // When the attempt was admitted, where slow calls are counted.
        began: Option<Moment>,
        // The delay before the attempt that runs.
        delay: Duration,
        // What a test does to the attempt that runs, and from when on the body may run after all.
        fault: Option<Struck>,
        fault_over: Option<Moment>,
        // The guards of the call's key, where it has one.
        keyed: Option<Arc<Guards>>,
        // The place in the line for a permit, or for a slot.
        permit: Option<rate_limit::Ticket>,
        place: Option<bulkhead::Ticket>,
        // It counts as in flight, with its place among the sleepers and the text that it would end
        // with if the runtime was drained meanwhile.
        pending: bool,
        asleep: Option<drain::Place>,
        last_error: Option<String>,
        // What `resource(..)` asks for, and what it has got.
        demands: Vec<(&'static str, u64)>,
        leases: Vec<(Arc<Pool>, Lease)>,
        // When the call and the running attempt began: from their beginning where somebody
        // listens, else from when they first waited.
        since: Option<Moment>,
        attempt_since: Option<Moment>,
        spans: Option<Spans>,
        // Blocking work of the attempt, which may outlive it.
        work: Option<Arc<Work>>,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Before the first attempt.
    Begun,
    /// The first attempt runs, of a call that nothing encloses, with the leave of its breaker and
    /// nothing else. Whatever else there is to be known makes it `Running`.
    Plain,
    /// Between attempts.
    Between,
    /// Waits for a permit of the rate limit.
    Limited,
    /// Waits for a slot of the bulkhead.
    Queued,
    /// An attempt runs, and holds its admission, and perhaps a slot of the bulkhead.
    Running { slot: bool },
    /// The end has been told.
    Over,
}

/// What to do after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Wait until the pause is over, then try again.
    Again,
    /// Hand the error to the caller.
    GiveUp,
}

/// A failure as the telemetry sees it. Texts are made only if somebody asks.
pub(crate) struct Failed<'a> {
    pub(crate) classification: Classification,
    pub(crate) error_type: &'a str,
    pub(crate) message: &'a dyn Fn() -> String,
}

impl Decisions {
    #[inline]
    pub(crate) fn new(site: &'static Site) -> Self {
        let site = SiteRef::of(site);
        Self::of(site)
    }

    /// A call of a site whose state is at hand.
    #[inline]
    pub(crate) fn of(site: SiteRef) -> Self {
        let deadline = site.begin();
        Self {
            site,
            extra: None,
            deadline,
            enclosing: Moment::NEVER,
            due: Moment::NEVER,
            admission: None,
            attempts: 0,
            stage: Stage::Begun,
            mark: Mark::None,
            around: Enclosing::here(),
        }
    }

    /// Keeps what `fields(..)` names, for the events of this call.
    pub(crate) fn record(&mut self, fields: Fields) {
        *self.extra().fields = Some(fields);
    }

    /// Keeps the answer that the first attempt gets instead of being run.
    pub(crate) fn refuse(&mut self, refusal: Error) {
        *self.extra().refusal = Some(refusal);
    }

    /// Takes what `resource(..)` asks for, before the first attempt.
    pub(crate) fn demand(&mut self, resource: &'static str, amount: u64) {
        self.extra().demands.push((resource, amount));
    }

    /// From now on the call has the guards of this key instead of those of the whole service.
    pub(crate) fn key<K: Hash + ?Sized>(&mut self, key: &K) {
        let guards = self.site.service.keyed(key, self.now());
        *self.extra().keyed = Some(guards);
    }

    const fn has_slot(&self) -> bool {
        matches!(self.stage, Stage::Running { slot: true })
    }

    /// The clock has been read for the attempt.
    fn is_anchored(&self) -> bool {
        self.due != Moment::UNKNOWN
    }

    /// The earliest limit on the attempt that is known.
    fn limit(&self) -> Moment {
        let due = if self.is_anchored() {
            self.due
        } else {
            Moment::NEVER
        };
        due.min(self.deadline).min(self.enclosing)
    }

    pub(crate) const fn is_running(&self) -> bool {
        matches!(self.stage, Stage::Plain | Stage::Running { .. })
    }

    /// Asks for all that an attempt needs, and puts it on the task's stack for one poll; else says
    /// what to answer instead.
    #[inline(never)]
    pub(crate) fn enter(&mut self, cx: &mut Context<'_>) -> Result<(), Poll<Error>> {
        if !self.is_running() {
            self.poll_start(cx)?;
        }
        if let Some(fault) = self.poll_fault(cx) {
            return Err(fault);
        }
        self.push();
        Ok(())
    }

    /// Begins the first attempt of a call that needs nothing but the leave of a closed breaker, as
    /// most do. Says whether it is such a call; else it needs [`enter`](Self::enter).
    #[inline]
    pub(crate) fn enter_plainly(&mut self) -> bool {
        let SiteRef::First(site) = self.site else {
            return false;
        };
        let shared = &*site.shared;
        let is_plain = site.is_plain && self.stage == Stage::Begun && self.extra.is_none();
        if !is_plain || watched(shared) || shared.faults.any() {
            return false;
        }
        let Some(admission) = site.service.guards.breaker.admit_unmeasured() else {
            return false;
        };
        if !scope::enter_plainly(site, self.deadline) {
            return false;
        }
        self.admission = Some(admission);
        self.due = Moment::UNKNOWN;
        self.attempts = 1;
        self.stage = Stage::Plain;
        true
    }

    fn poll_start(&mut self, cx: &mut Context<'_>) -> Result<(), Poll<Error>> {
        if matches!(self.stage, Stage::Begun | Stage::Between) {
            if self.poll_pause(cx).is_pending() {
                return Err(Poll::Pending);
            }
            self.start().map_err(Poll::Ready)?;
        }
        if self.is_running() {
            return Ok(());
        }
        match self.poll_waiting(cx) {
            Poll::Ready(Ok(())) => Ok(()),
            Poll::Ready(Err(refusal)) => Err(Poll::Ready(refusal)),
            Poll::Pending => Err(Poll::Pending),
        }
    }

    /// The breaker, the resources, and then the limits.
    fn start(&mut self) -> Result<(), Error> {
        if self.attempts == 0 && watched(&self.site.shared) {
            self.watch();
        }
        if let Some(extra) = &mut self.extra {
            let extra = extra.as_mut().project();
            if let Some(refusal) = extra.refusal.take() {
                return Err(refusal);
            }
            *extra.attempt_since = None;
        }
        // A site that can carry no answer of ours goes on instead.
        let silent = self.site.site().options().silent;
        if self.attempts > 0 && !silent && self.site.shared.drain.is_draining() {
            return Err(self.drained());
        }
        self.mark = Mark::None;
        self.due = Moment::UNKNOWN;
        if self.site.settings.breaker.is_some() && !self.covered().breaker {
            let breaker = &self.guards().breaker;
            let admission = breaker.admit_closed();
            // Measured only where slow calls are counted.
            let measured = breaker.slow_call_duration().is_some();
            self.admission = match admission {
                Some(admission) => Some(admission),
                None => Some(self.admit()?),
            };
            if measured {
                let began = self.now();
                *self.extra().began = Some(began);
            }
        }
        if self.has_limits() {
            return self.start_limited();
        }
        self.run(false);
        Ok(())
    }

    #[inline]
    fn has_limits(&self) -> bool {
        let settings = &self.site.settings;
        settings.rate_limit.is_some()
            || settings.bulkhead.is_some()
            || self
                .extra
                .as_ref()
                .is_some_and(|extra| !extra.demands.is_empty())
    }

    fn start_limited(&mut self) -> Result<(), Error> {
        self.lease()?;
        let Some(rate_limit) = self.site.settings.rate_limit else {
            return self.take_slot();
        };
        let now = self.now();
        let limiter = self.guards().limiter(rate_limit);
        let ticket = if self.waits() {
            limiter.enter(now)
        } else {
            limiter.try_acquire(now).map(|()| None)
        };
        match ticket {
            Ok(None) => self.take_slot(),
            Ok(Some(ticket)) => {
                let extra = self.extra();
                *extra.permit = Some(ticket);
                extra.since.get_or_insert(now);
                self.stage = Stage::Limited;
                Ok(())
            }
            Err(refusal) => Err(self.rate_limited(refusal)),
        }
    }

    /// Leases all that `resource(..)` asks for, or nothing.
    fn lease(&mut self) -> Result<(), Error> {
        let demands = std::mem::take(self.extra().demands);
        if !self.site.settings.enabled {
            return Ok(());
        }
        for (resource, amount) in demands {
            let pool = self.site.shared.pools.pool(resource);
            match pool.acquire(amount) {
                Ok(lease) => self.extra().leases.push((pool, lease)),
                Err(Exhausted { current, limit }) => {
                    return Err(Error::resource_exhausted(resource, current, limit));
                }
            }
        }
        Ok(())
    }

    fn take_slot(&mut self) -> Result<(), Error> {
        let settings = self.site.settings.bulkhead;
        let Some(settings) = settings.filter(|_| !self.covered().slot) else {
            self.run(false);
            return Ok(());
        };
        let bulkhead = self.guards().bulkhead(settings);
        let ticket = if self.waits() {
            bulkhead.enter()
        } else {
            bulkhead.try_acquire().map(|()| None)
        };
        match ticket {
            Ok(None) => {
                self.run(true);
                Ok(())
            }
            Ok(Some(ticket)) => {
                *self.extra().place = Some(ticket);
                self.stage = Stage::Queued;
                // Waiting for a slot is part of the attempt's time.
                self.anchor(self.now());
                Ok(())
            }
            Err(Full) => Err(self.bulkhead_full()),
        }
    }

    #[inline]
    fn run(&mut self, slot: bool) {
        self.attempts += 1;
        self.stage = Stage::Running { slot };
        // Who is watched has it since the call began.
        if self.extra.is_some() {
            self.watch_attempt();
        }
        if self.site.shared.faults.any() {
            self.strike();
        }
    }

    /// Somebody listens: takes the time of the call and opens its span.
    #[cold]
    fn watch(&mut self) {
        let now = self.now();
        let spans = Spans::open(EventSite(&self.site), self.fields());
        let extra = self.extra();
        *extra.since = Some(now);
        *extra.spans = spans;
    }

    /// The same for an attempt. Where nobody listens, it takes the time of one that has waited for
    /// its slot.
    #[cold]
    fn watch_attempt(&mut self) {
        if !watched(&self.site.shared) && !self.is_anchored() {
            return;
        }
        let (now, attempt) = (self.now(), self.attempts);
        let extra = self.extra();
        *extra.attempt_since = Some(now);
        if let Some(spans) = extra.spans {
            spans.attempt(attempt);
        }
    }

    #[cold]
    fn poll_waiting(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.stage == Stage::Limited {
            let taken = ready!(self.poll_permit(cx));
            if let Err(error) = taken.and_then(|()| self.take_slot()) {
                return Poll::Ready(Err(error));
            }
        }
        if self.stage == Stage::Queued {
            return self.poll_slot(cx);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_permit(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let Some(settings) = self.site.settings.rate_limit else {
            return Poll::Ready(Ok(()));
        };
        loop {
            let now = self.now();
            let Some(mut ticket) = self.extra().permit.take() else {
                return Poll::Ready(Ok(()));
            };
            match self
                .guards()
                .limiter(settings)
                .poll_turn(&mut ticket, now, cx.waker())
            {
                Turn::Go => return Poll::Ready(Ok(())),
                Turn::Refused(refusal) => return Poll::Ready(Err(self.rate_limited(refusal))),
                Turn::Wait(until) => {
                    *self.extra().permit = Some(ticket);
                    if self.sleep(cx) {
                        return Poll::Ready(Err(self.drained()));
                    }
                    let until = until.min(self.deadline);
                    if ready!(self.poll_timer(until, cx)).is_err() {
                        return Poll::Ready(Err(no_timer()));
                    }
                    let now = self.now();
                    if now >= self.deadline {
                        return Poll::Ready(Err(self.timed_out()));
                    }
                }
            }
        }
    }

    fn poll_slot(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let (Some(settings), Some(mut place)) =
            (self.site.settings.bulkhead, self.extra().place.take())
        else {
            self.run(false);
            return Poll::Ready(Ok(()));
        };
        if self
            .guards()
            .bulkhead(settings)
            .poll_turn(&mut place, cx.waker())
            .is_ready()
        {
            self.run(true);
            return Poll::Ready(Ok(()));
        }
        *self.extra().place = Some(place);
        if self.sleep(cx) {
            return Poll::Ready(Err(self.drained()));
        }
        let until = self.due.min(self.deadline);
        if until == Moment::NEVER {
            return Poll::Pending;
        }
        if ready!(self.poll_timer(until, cx)).is_err() {
            return Poll::Ready(Err(no_timer()));
        }
        // The time is over before the body began: that is no failure of the service.
        Poll::Ready(Err(self.bulkhead_full()))
    }

    /// Whether this call may wait for permits, slots and further attempts.
    fn waits(&self) -> bool {
        !self.around.fail_fast && !self.site.is_fail_fast && !self.site.shared.drain.is_draining()
    }

    /// The call is in flight: whoever drains the runtime waits for it.
    fn pend(&mut self) {
        if !std::mem::replace(self.extra().pending, true) {
            self.site.shared.drain.begin();
        }
    }

    /// The call sleeps, and is woken when the runtime is drained; says whether it is already.
    fn sleep(&mut self, cx: &Context<'_>) -> bool {
        self.pend();
        let mut place = self.extra().asleep.take();
        let draining = self.site.shared.drain.sleep(&mut place, cx.waker());
        *self.extra().asleep = place;
        draining
    }

    #[cold]
    fn drained(&mut self) -> Error {
        let last_error = self.extra().last_error.take();
        Error::draining(self.site.operation(), last_error)
    }

    /// What attempts around this one hold of its guards.
    #[inline]
    fn covered(&self) -> Covered {
        if self.around.nested {
            scope::covers(self.guards().address())
        } else {
            Covered::default()
        }
    }

    fn guards(&self) -> &Guards {
        match self.extra.as_ref().and_then(|extra| extra.keyed.as_ref()) {
            Some(keyed) => keyed,
            None => &self.site.service.guards,
        }
    }

    fn rate_limited(&self, refusal: rate_limit::Refusal) -> Error {
        Error::rate_limited(self.guards().service().clone(), refusal.retry_in)
    }

    fn bulkhead_full(&self) -> Error {
        Error::bulkhead_full(self.guards().service().clone())
    }

    #[cold]
    fn admit(&self) -> Result<Admission, Error> {
        let breaker = &self.guards().breaker;
        let (answer, moves) = breaker.admit(self.now());
        for moved in moves.into_iter().flatten() {
            self.breaker_moved(Some(moved));
        }
        answer.map_err(|refusal| {
            Error::circuit_open(breaker.name().clone(), refusal.reason, refusal.retry_in)
        })
    }

    /// Gives back whatever the attempt holds or waits for, but for its admission, which says how
    /// the attempt went.
    #[inline]
    fn give_back(&mut self) {
        if self.has_slot() || self.extra.is_some() {
            self.give_back_all();
        }
    }

    #[cold]
    fn give_back_all(&mut self) {
        self.leave_to_work();
        if self.has_slot()
            && let Some(bulkhead) = self.guards().known_bulkhead()
        {
            bulkhead.release();
            self.stage = Stage::Running { slot: false };
        }
        let Some(extra) = &mut self.extra else { return };
        let mut extra = extra.as_mut().project();
        let guards = match &extra.keyed {
            Some(keyed) => keyed,
            None => &self.site.service.guards,
        };
        if let (Some(ticket), Some(limiter)) = (&mut extra.permit, guards.known_limiter()) {
            limiter.leave(ticket);
        }
        if let (Some(ticket), Some(bulkhead)) = (&mut extra.place, guards.known_bulkhead()) {
            bulkhead.leave(ticket);
        }
        (*extra.permit, *extra.place) = (None, None);
        for (pool, lease) in extra.leases.drain(..) {
            pool.release(lease);
        }
    }

    /// What the attempt holds is for its blocking work to give back, if that still runs.
    fn leave_to_work(&mut self) {
        let slot = self.has_slot();
        let Some(extra) = &mut self.extra else { return };
        let extra = extra.as_mut().project();
        let Some(work) = extra.work.take() else {
            return;
        };
        let service = || HeldGuards::Service(Arc::clone(&self.site.service));
        let held = Held {
            guards: extra.keyed.clone().map_or_else(service, HeldGuards::Keyed),
            slot,
            leases: std::mem::take(extra.leases),
        };
        if slot {
            self.stage = Stage::Running { slot: false };
        }
        drop(work.keep(held));
    }

    #[cold]
    fn strike(&mut self) {
        let site = &self.site;
        let fault = site.shared.faults.strike(site.operation(), site.service());
        let silent = site.site().options().silent;
        *self.extra().fault = fault.filter(|fault| !(silent && matches!(fault, Struck::Error(_))));
    }

    /// What a test put in the way of the body; `None` where nothing is.
    fn poll_fault(&mut self, cx: &mut Context<'_>) -> Option<Poll<Error>> {
        if self
            .extra
            .as_ref()
            .is_some_and(|extra| extra.fault.is_some())
        {
            self.poll_struck(cx)
        } else {
            None
        }
    }

    #[cold]
    fn poll_struck(&mut self, cx: &mut Context<'_>) -> Option<Poll<Error>> {
        let delay = match self.extra().fault.take()? {
            Struck::Error(error) => return Some(Poll::Ready(error)),
            Struck::Hang => {
                *self.extra().fault = Some(Struck::Hang);
                return Some(self.poll_limit(cx));
            }
            Struck::Delay(delay) => delay,
        };
        let now = self.now();
        if !self.is_anchored() {
            self.anchor(now);
        }
        let over = *self.extra().fault_over.get_or_insert(now + delay);
        if now >= over {
            *self.extra().fault_over = None;
            return None;
        }
        *self.extra().fault = Some(Struck::Delay(delay));
        let limit = self.due.min(self.deadline);
        match self.poll_timer(over.min(limit), cx) {
            Poll::Pending => Some(Poll::Pending),
            Poll::Ready(Err(NoTimer)) => Some(Poll::Ready(no_timer())),
            Poll::Ready(Ok(())) if over > limit => Some(Poll::Ready(self.timed_out())),
            Poll::Ready(Ok(())) => self.poll_struck(cx),
        }
    }

    fn push(&self) {
        let site = &*self.site;
        let (until, timeout) = if self.is_anchored() {
            (self.limit(), None)
        } else {
            (self.deadline.min(self.enclosing), site.settings.timeout)
        };
        let extra = self.extra.as_deref();
        let keyed = extra.and_then(|extra| extra.keyed.as_deref());
        scope::enter(Frame {
            until,
            timeout,
            attempt: self.attempts,
            guards: keyed.unwrap_or(&site.service.guards).address(),
            holds: Covered {
                breaker: self.admission.is_some(),
                slot: self.has_slot(),
            },
            fail_fast: self.around.fail_fast || site.is_fail_fast,
            mark: self.mark,
            ..site.frame
        });
        if let Some(extra) = extra {
            if let Some(work) = &extra.work {
                scope::put_work(Arc::clone(work));
            }
            if let Some(spans) = &extra.spans {
                spans.enter();
            }
        }
    }

    /// Takes it off again, and learns what the calls inside left behind.
    #[inline]
    pub(crate) fn leave(&mut self) {
        if !scope::leave_plainly() {
            self.leave_at_length();
        }
    }

    #[inline(never)]
    fn leave_at_length(&mut self) {
        if let Some(spans) = self.spans() {
            spans.exit();
        }
        self.learn(&scope::leave());
    }

    fn learn(&mut self, frame: &Frame) {
        self.mark = frame.mark;
        if frame.works {
            *self.extra().work = scope::take_work();
        }
        if let Some(began) = frame.began
            && !self.is_anchored()
        {
            self.anchor(began);
        }
    }

    /// The attempt is pending: waits for its timeout or the deadline, whichever comes first.
    pub(crate) fn poll_limit(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        if !self.is_anchored() {
            self.anchor(self.now());
        }
        self.pend();
        let until = self.due.min(self.deadline);
        if until == Moment::NEVER {
            return Poll::Pending;
        }
        if ready!(self.poll_timer(until, cx)).is_err() {
            return Poll::Ready(no_timer());
        }
        Poll::Ready(self.timed_out())
    }

    /// The pause before the next attempt.
    #[inline]
    fn poll_pause(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.due == Moment::NEVER {
            return Poll::Ready(());
        }
        // That there is a timer was made sure before the pause was decided.
        if self.poll_timer(self.due, cx).is_ready() || self.sleep(cx) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// The attempt succeeded.
    #[inline]
    pub(crate) fn succeed(&mut self) {
        if !self.succeed_plainly() {
            self.succeed_at_length();
        }
    }

    /// Ends a call that succeeded at its first attempt, while nobody listens and the breaker has
    /// nothing to learn. Says whether it is such a call.
    #[inline]
    fn succeed_plainly(&mut self) -> bool {
        let SiteRef::First(site) = self.site else {
            return false;
        };
        let is_plain = self.stage == Stage::Plain
            && self
                .admission
                .is_some_and(|admission| site.service.guards.breaker.stays(admission));
        if is_plain {
            self.admission = None;
            self.stage = Stage::Over;
            succeeded_unseen(site);
        }
        is_plain
    }

    #[inline(never)]
    fn succeed_at_length(&mut self) {
        self.give_back();
        if let Some(admission) = self.admission.take() {
            let breaker = &self.guards().breaker;
            let elapsed = self.elapsed();
            if !breaker.is_healthy(admission, elapsed) {
                self.breaker_moved(breaker.succeed(admission, elapsed, self.now()));
            }
        }
        if self.around.nested {
            scope::mark(Mark::None);
        }
        if self.extra.is_none() && self.attempts == 1 {
            self.stage = Stage::Over;
            succeeded_unseen(&self.site);
        } else {
            self.finish(CallOutcome::Succeeded, None);
        }
    }

    /// The attempt failed, or was dropped by its timeout.
    #[cold]
    pub(crate) fn fail(&mut self, failed: Failed<'_>) -> Verdict {
        let Failed {
            classification,
            error_type,
            message,
        } = failed;
        self.give_back();
        if self.mark == Mark::GaveUp && self.site.settings.nested_retry {
            self.mark = Mark::None;
        }
        let refused = classification.is_rejection() || self.mark == Mark::Refused;
        let rules = self.site.rules.as_deref().filter(|_| !refused);
        let classification = rules
            .and_then(|rules| rules.own_text(&message()))
            .unwrap_or(classification);
        let classification = self.adopt(classification);
        let now = self.now();
        if !self.is_anchored() {
            self.enclosing = scope::limit(now);
        }
        let guarded = self.admission.is_some();
        let inside = self.inside_span();
        self.tell_breaker(&classification, refused, now);

        let category = classification.category();
        let policy = self.site.settings.retry(category);
        let worth = !refused
            && self.mark == Mark::None
            && classification.retry() != Retry::No
            && classification.severity(self.attempts) != Severity::Critical
            && (self.site.settings.idempotent || classification.effect() == Effect::None);
        let over = self.around.fail_fast || self.site.shared.drain.is_draining();
        let delay = if worth && !over && self.attempts <= policy.retries {
            self.delay(&classification, policy.backoff, guarded, now)
        } else {
            None
        };

        let failure = CallFailure {
            category,
            severity: self.severity(&classification, delay.is_none()),
            error_type: classification.error_type().unwrap_or(error_type),
            refused,
        };
        self.attempt_failed(&classification, failure, message, delay.is_none(), now);
        drop(inside);
        if let Some(extra) = &mut self.extra
            && let Some(spans) = extra.as_mut().project().spans
        {
            spans.attempt_failed(failure, delay.is_some());
        }
        let Some(delay) = delay else {
            self.give_up(worth, failure);
            return Verdict::GiveUp;
        };
        let inside = self.inside_span();
        emit(
            &self.site.shared,
            Event::RetryScheduled {
                site: EventSite(&self.site),
                next_attempt: self.attempts + 1,
                delay,
                context: &scope::context(),
            },
        );
        drop(inside);
        *self.extra().last_error = Some(message());
        self.stage = Stage::Between;
        Verdict::Again
    }

    /// The runtime's own answer: a refusal ends the call, a timeout is a failed attempt.
    #[cold]
    pub(crate) fn fail_with(&mut self, error: &Error) -> Verdict {
        if !self.is_running() {
            self.give_back();
            self.release_breaker();
            let inside = self.inside_span();
            emit(
                &self.site.shared,
                Event::Rejected {
                    site: EventSite(&self.site),
                    error,
                    fields: self.fields(),
                    context: &scope::context(),
                },
            );
            drop(inside);
            self.mark_enclosing(Mark::Refused);
            let classification = error.classify();
            let failure = CallFailure {
                category: classification.category(),
                severity: classification.severity(1),
                error_type: error.kind_name(),
                refused: true,
            };
            self.finish(CallOutcome::Rejected, Some(failure));
            return Verdict::GiveUp;
        }
        self.fail(Failed {
            classification: Self::classify_own(error),
            error_type: error.kind_name(),
            message: &|| error.to_string(),
        })
    }

    /// What an answer of the runtime means for the attempt that it ended.
    pub(crate) fn classify_own(error: &Error) -> Classification {
        match error.kind() {
            // The call's own time is over, so there is nothing left to try in.
            ErrorKind::TimedOut(TimedOut {
                of: TimeLimit::Call,
                ..
            }) => error.classify().with_severity(Severity::Medium),
            _ => error.classify(),
        }
    }

    /// Whether one of these names the failure.
    pub(crate) fn falls_back(&self, failure: &Classification, on: &[On]) -> bool {
        let adopted = self.adopt(failure.clone()).category();
        on.iter().any(|on| on.names(failure, adopted))
    }

    /// A fallback has run, after the end of the call. For the enclosing attempt, one that succeeds
    /// is a success of this call.
    #[cold]
    pub(crate) fn fell_back(&self, number: u32, succeeded: bool) {
        if succeeded {
            self.mark_enclosing(Mark::None);
        }
        emit(
            &self.site.shared,
            Event::FallbackUsed {
                site: EventSite(&self.site),
                number,
                succeeded,
                context: &scope::context(),
            },
        );
    }

    /// The body panicked, in a poll of the attempt.
    #[cold]
    pub(crate) fn panicked(&mut self) {
        self.leave();
        self.give_back();
        let inside = self.inside_span();
        self.fail_breaker(self.now());
        drop(inside);
        let failure = CallFailure {
            category: self.site.settings.category.unwrap_or(Category::UNKNOWN),
            severity: Severity::High,
            error_type: PANIC,
            refused: false,
        };
        self.finish(CallOutcome::Panicked, Some(failure));
    }

    /// The delay before the next attempt, and the timer for it; `None` if there is no point.
    fn delay(
        &mut self,
        classification: &Classification,
        backoff: Backoff,
        guarded: bool,
        now: Moment,
    ) -> Option<Duration> {
        let previous = self
            .extra
            .as_ref()
            .map_or(Duration::ZERO, |extra| extra.delay);
        let random = self.site.shared.random();
        let asked = classification.retry_after();
        let delay = backoff.delay(self.attempts, previous, asked, random)?;
        let wake = now + delay;
        if wake >= self.deadline.min(self.enclosing) {
            return None;
        }
        // An attempt that had no admission of its own needs none the next time either.
        if guarded && self.guards().breaker.refuses_at(wake) {
            return None;
        }
        if self.site.settings.budget.is_some() && !self.site.service.budget.withdraw(now) {
            emit(
                &self.site.shared,
                Event::BudgetSpent {
                    site: EventSite(&self.site),
                    context: &scope::context(),
                },
            );
            return None;
        }
        // A zero delay does not sleep, but every few attempts lets other tasks run.
        self.due = Moment::NEVER;
        let delay = if self.site.shared.waits {
            delay
        } else {
            Duration::ZERO
        };
        if !delay.is_zero() || self.attempts.is_multiple_of(YIELD_EVERY) {
            self.due = wake;
            self.set_timer(wake).ok()?;
        }
        let extra = self.extra();
        *extra.delay = delay;
        extra.since.get_or_insert(now);
        Some(delay)
    }

    /// The site's category replaces `unknown`, and, if it names a dependency, `service`.
    fn adopt(&self, classification: Classification) -> Classification {
        let Some(own) = self.site.settings.category else {
            return classification;
        };
        match classification.category() {
            Category::UNKNOWN => classification.adopted_by(own),
            Category::SERVICE if own.is_dependency() => classification.with_category(own),
            _ => classification,
        }
    }

    fn tell_breaker(&mut self, classification: &Classification, refused: bool, now: Moment) {
        let counts = !refused && self.mark == Mark::None && classification.fault() != Fault::Caller;
        if counts {
            self.fail_breaker(now);
        } else {
            self.release_breaker();
        }
    }

    fn release_breaker(&mut self) {
        if let Some(admission) = self.admission.take() {
            self.guards().breaker.release(admission);
        }
    }

    fn fail_breaker(&mut self, now: Moment) {
        if let Some(admission) = self.admission.take() {
            let id = self.id();
            let elapsed = self.began().map(|began| now.since(began));
            let moved = self.guards().breaker.fail(admission, id, elapsed, now);
            self.breaker_moved(moved);
        }
    }

    /// How bad the failure is: a passing one that did not pass is worse.
    fn severity(&self, classification: &Classification, last: bool) -> Severity {
        match classification.severity(self.attempts) {
            Severity::Low if last && classification.retry() != Retry::No => Severity::Medium,
            severity => severity,
        }
    }

    fn attempt_failed(
        &self,
        classification: &Classification,
        failure: CallFailure<'_>,
        message: &dyn Fn() -> String,
        last: bool,
        now: Moment,
    ) {
        let CallFailure {
            category,
            severity,
            error_type,
            refused,
        } = failure;
        let retries = self.site.settings.retry(category).retries;
        emit(
            &self.site.shared,
            Event::AttemptFailed(AttemptFailed {
                site: EventSite(&self.site),
                attempt: self.attempts,
                of: retries.saturating_add(1).max(self.attempts),
                last,
                refused,
                classification,
                severity,
                error_type,
                message: &redacted(message()),
                duration: self.attempt_took(now),
                fields: self.fields(),
                context: &scope::context(),
            }),
        );
    }

    /// Tells the enclosing attempt that trying again from there would multiply: this call has
    /// tried, or calls inside it have, or the runtime has refused.
    fn give_up(&mut self, worth: bool, failure: CallFailure<'_>) {
        if failure.refused {
            self.mark_enclosing(Mark::Refused);
        } else if self.mark == Mark::GaveUp
            || (worth && self.site.settings.can_retry() && !self.around.fail_fast)
        {
            self.mark_enclosing(Mark::GaveUp);
        }
        self.finish(CallOutcome::Failed, Some(failure));
    }

    fn mark_enclosing(&self, mark: Mark) {
        if self.around.nested {
            scope::mark(mark);
        }
    }

    /// The end, of every call but those that succeed at once while nobody listens.
    #[cold]
    fn finish(&mut self, outcome: CallOutcome, failure: Option<CallFailure<'_>>) {
        self.stage = Stage::Over;
        let began = self.extra.as_ref().and_then(|extra| extra.since);
        let now = began.map(|_| self.now());
        let inside = self.inside_span();
        emit(
            &self.site.shared,
            Event::CallFinished {
                site: EventSite(&self.site),
                outcome,
                attempts: self.attempts,
                duration: now
                    .zip(began)
                    .map_or(Duration::ZERO, |(now, began)| now.since(began)),
                last_attempt: now.map_or(Duration::ZERO, |now| self.attempt_took(now)),
                failure,
                context: &scope::context(),
            },
        );
        drop(inside);
        if let Some(extra) = &mut self.extra {
            let extra = extra.as_mut().project();
            if let Some(spans) = extra.spans.take() {
                spans.finish(outcome, self.attempts, failure);
            }
            if std::mem::take(extra.pending) {
                self.site.shared.drain.end(extra.asleep.take());
            }
        }
    }

    /// How long the attempt has taken, so far as it is known.
    fn attempt_took(&self, now: Moment) -> Duration {
        self.extra
            .as_ref()
            .and_then(|extra| extra.attempt_since)
            .map_or(Duration::ZERO, |since| now.since(since))
    }

    /// In the span of the attempt or the call, if there is one.
    fn inside_span(&self) -> Option<Entered> {
        self.spans().map(Spans::entered)
    }

    #[inline]
    fn spans(&self) -> Option<&Spans> {
        self.extra.as_ref().and_then(|extra| extra.spans.as_ref())
    }

    /// The attempt's time begins: it is pending for the first time, or a call inside it asked for
    /// the time.
    #[cold]
    fn anchor(&mut self, now: Moment) {
        let running = self.is_running();
        let extra = self.extra();
        extra.since.get_or_insert(now);
        if running {
            extra.attempt_since.get_or_insert(now);
        }
        self.enclosing = scope::limit(now);
        self.due = self
            .site
            .settings
            .timeout
            .map_or(Moment::NEVER, |timeout| now + timeout);
    }

    fn timed_out(&self) -> Error {
        let settings = &self.site.settings;
        let (limit, of) = if self.deadline <= self.due {
            (settings.deadline, TimeLimit::Call)
        } else {
            (settings.timeout, TimeLimit::Attempt)
        };
        Error::timed_out(TimedOut {
            operation: self.site.operation(),
            limit: limit.unwrap_or_default(),
            attempts: self.attempts,
            of,
        })
    }

    fn poll_timer(&mut self, at: Moment, cx: &mut Context<'_>) -> Poll<Result<(), NoTimer>> {
        match self.set_timer(at) {
            Ok(timer) => clock::poll_timer(timer, cx).map(Ok),
            Err(no_timer) => Poll::Ready(Err(no_timer)),
        }
    }

    fn set_timer(&mut self, at: Moment) -> Result<Pin<&mut Sleep>, NoTimer> {
        let clock = self.site.shared.clock;
        let mut slot = self.extra().timer;
        match slot.as_mut().as_pin_mut() {
            Some(timer) => clock::set_timer(timer, at),
            None => slot.set(clock.timer(at)),
        }
        slot.as_pin_mut().ok_or(NoTimer)
    }

    fn breaker_moved(&self, moved: Option<Moved>) {
        if let Some(moved) = moved {
            let service = self.site.service();
            emit(&self.site.shared, Event::moved(service, moved));
        }
    }

    fn id(&mut self) -> CallId {
        if let Some(id) = self.extra.as_ref().and_then(|extra| extra.id) {
            return id;
        }
        let id = self.site.shared.next_call();
        *self.extra().id = Some(id);
        id
    }

    /// When the attempt was admitted, where slow calls are counted.
    #[inline]
    fn began(&self) -> Option<Moment> {
        self.extra.as_ref().and_then(|extra| extra.began)
    }

    fn fields(&self) -> Option<&Fields> {
        self.extra.as_ref().and_then(|extra| extra.fields.as_ref())
    }

    fn extra(&mut self) -> ExtraProjection<'_> {
        if self.stage == Stage::Plain {
            self.stage = Stage::Running { slot: false };
        }
        self.extra
            .get_or_insert_with(|| Box::pin(Extra::default()))
            .as_mut()
            .project()
    }

    /// How long the attempt has taken, where slow calls are counted.
    fn elapsed(&self) -> Option<Duration> {
        self.began().map(|began| self.now().since(began))
    }

    fn now(&self) -> Moment {
        self.site.shared.clock.now()
    }
}

impl Drop for Decisions {
    /// The future was dropped: whatever it held is given back at once.
    fn drop(&mut self) {
        if self.stage != Stage::Over {
            self.cancelled();
        }
    }
}

impl Decisions {
    #[cold]
    fn cancelled(&mut self) {
        self.give_back();
        let limit = self.limit();
        if self.is_running() && self.admission.is_some() && limit.is_finite() {
            let now = self.now();
            if now >= limit {
                // Whoever dropped it, its time was over: that speaks against the service.
                self.fail_breaker(now);
            }
        }
        self.release_breaker();
        self.finish(CallOutcome::Cancelled, None);
    }
}

/// There is no tokio runtime to drive a timer.
#[derive(Clone, Copy, Debug)]
struct NoTimer;

#[cold]
fn no_timer() -> Error {
    Error::setting(
        "runtime",
        "timeouts need a tokio runtime with its timer enabled, and this call runs outside of one",
    )
}

/// The type of error that a panic is.
pub(crate) const PANIC: &str = "panic";

/// How many attempts without a delay follow on each other before other tasks get their turn.
const YIELD_EVERY: u32 = 8;
