//! The beginning of an attempt, and its time on the task's stack.

use std::sync::Arc;
use std::task::{Context, Poll};

use super::limits::{Got, take_at_once};
use super::{Decisions, Stage};
use crate::Error;
use crate::breaker::Admission;
use crate::event::{EventSite, refused_unseen, watched};
use crate::runtime::SiteRef;
use crate::scope::{self, Covered, Enclosing, Frame, Mark};
use crate::trace::Spans;

impl Decisions {
    /// Begins the first attempt of a call that needs nothing but the leave of a closed breaker, and
    /// what its rate limit and its bulkhead give without waiting, as most do, if that. Says whether it
    /// is such a call; else it needs [`enter`](Self::enter).
    #[inline]
    pub(crate) fn enter_plainly(&mut self) -> bool {
        let SiteRef::Staying(site) = *self.site else {
            return false;
        };
        if self.stage != Stage::Begun || site.shared.is_watched() {
            return false;
        }
        let guarded_by = &site.guarded_by;
        let mut admission = None;
        if guarded_by.breaker {
            admission = site.service.guards.breaker.admit_unmeasured();
            if admission.is_none() {
                return false;
            }
        }
        if !scope::enter_plainly(site, self.deadline, 1, guarded_by.slot) {
            return false;
        }
        if guarded_by.limits {
            let got = take_at_once(site);
            if got != Got::All {
                scope::leave_plainly();
                if got == Got::Permit {
                    self.stage = Stage::Permitted;
                }
                return false;
            }
        }
        self.admission = admission;
        self.attempts = 1;
        self.stage = Stage::Plain {
            slot: guarded_by.slot,
        };
        true
    }

    /// Asks for all that an attempt needs, and puts it on the task's stack for one poll; else says
    /// what to answer instead.
    #[inline(never)]
    pub(crate) fn enter(&mut self, cx: &mut Context<'_>) -> Result<(), Poll<Error>> {
        if self.stage == Stage::Begun {
            self.enter_or_refuse(cx)
        } else {
            self.enter_at_length(cx)
        }
    }

    /// Apart, so that others need not make room for what it needs.
    #[inline(never)]
    fn enter_or_refuse(&mut self, cx: &mut Context<'_>) -> Result<(), Poll<Error>> {
        match self.refuse_plainly() {
            Some(answer) => Err(Poll::Ready(answer)),
            None => self.enter_at_length(cx),
        }
    }

    /// Ends a call, of which nothing is known but its site, with the answer of an open breaker, and
    /// tells the end; as long as nobody watches and nothing encloses it.
    #[inline]
    fn refuse_plainly(&mut self) -> Option<Error> {
        let site = &**self.site;
        let breaker = &site.service.guards.breaker;
        if !site.guarded_by.breaker
            || breaker.is_closed()
            || site.shared.is_watched()
            || !scope::is_bare()
        {
            return None;
        }
        let now = site.shared.clock.now();
        let answer = breaker.refuse(now)?;
        refused_unseen(site, &answer, now);
        self.stage = match *self.site {
            SiteRef::Staying(_) => Stage::Gone,
            SiteRef::Shared(_) => Stage::Over,
        };
        Some(answer)
    }

    #[inline(never)]
    fn enter_at_length(&mut self, cx: &mut Context<'_>) -> Result<(), Poll<Error>> {
        if !self.is_running()
            && let Err(instead) = self.poll_start(cx)
        {
            return Err(instead.map(|answer| self.after_all(answer)));
        }
        if let Some(fault) = self.poll_fault(cx) {
            return Err(fault);
        }
        self.push();
        Ok(())
    }

    /// The answer that the caller gets instead of an attempt. After failed attempts it tells of the
    /// last one.
    #[cold]
    fn after_all(&mut self, answer: Error) -> Error {
        let extra = self.extra.as_mut();
        match extra.and_then(|extra| extra.as_mut().open().last_error.take()) {
            Some(last_error) => answer.after(last_error),
            None => answer,
        }
    }

    fn poll_start(&mut self, cx: &mut Context<'_>) -> Result<(), Poll<Error>> {
        if self.stage == Stage::Between && self.poll_pause(cx).is_pending() {
            return Err(Poll::Pending);
        }
        if !matches!(self.stage, Stage::Limited | Stage::Queued) {
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
        if self.stage != Stage::Between {
            self.around = Enclosing::here();
            if watched(&self.site.shared) {
                self.watch();
            }
        }
        if let Some(extra) = &mut *self.extra {
            let extra = extra.as_mut().open();
            (extra.attempt_since, extra.due) = (None, None);
            if let Some(refusal) = extra.rare.as_mut().and_then(|rare| rare.refusal.take()) {
                return Err(refusal);
            }
        }
        // A site that can carry no answer of ours goes on instead.
        let silent = self.site.site().options().silent;
        if self.attempts > 0 && !silent && self.site.shared.drain.is_draining() {
            return Err(self.drained());
        }
        self.mark = Mark::None;
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
                self.extra().began = Some(began);
            }
        }
        if self.has_limits() {
            return self.start_limited();
        }
        self.run(false);
        Ok(())
    }

    #[inline]
    pub(super) fn run(&mut self, slot: bool) {
        self.attempts += 1;
        self.stage = Stage::Running { slot };
        // Who is watched has it since the call began.
        if self.extra.is_some() && (watched(&self.site.shared) || self.is_anchored()) {
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
        self.extra().since = Some(now);
        if spans.is_some() {
            self.rare().spans = spans;
        }
    }

    /// The same for an attempt. Where nobody listens, it takes the time of one that has waited for
    /// its slot.
    #[cold]
    fn watch_attempt(&mut self) {
        let (now, attempt) = (self.now(), self.attempts);
        self.extra().attempt_since = Some(now);
        if let Some(rare) = self.rare_if_any()
            && let Some(spans) = &mut rare.spans
        {
            spans.attempt(attempt);
        }
    }

    /// What attempts around this one hold of its guards.
    #[inline]
    pub(super) fn covered(&self) -> Covered {
        if self.around.nested {
            scope::covers(self.guards().address())
        } else {
            Covered::default()
        }
    }

    #[cold]
    fn admit(&self) -> Result<Admission, Error> {
        let breaker = &self.guards().breaker;
        let (answer, moves) = breaker.admit(self.now());
        for moved in moves.into_iter().flatten() {
            self.breaker_moved(Some(moved));
        }
        answer.map_err(|refusal| Error::circuit_open(breaker.name(), refusal))
    }

    fn push(&self) {
        if !self.push_plainly() {
            self.push_at_length();
        }
    }

    /// Puts an attempt on the stack that is as its site makes it. Says whether it is such a one, and
    /// nothing encloses it.
    fn push_plainly(&self) -> bool {
        let SiteRef::Staying(site) = *self.site else {
            return false;
        };
        let is_plain = !self.is_anchored()
            && self.known_rare().is_none()
            && self.keyed.is_none()
            && self.mark == Mark::None
            && !self.around.fail_fast
            && self.admission.is_some() == site.guarded_by.breaker;
        is_plain && scope::enter_plainly(site, self.limit(), self.attempts, self.has_slot())
    }

    fn push_at_length(&self) {
        let site = &*self.site;
        let timeout = match self.due() {
            Some(_) => None,
            None => site.settings.timeout,
        };
        let rare = self.known_rare();
        // Entered before the frame is there, and left after it: a subscriber that panics leaves none
        // behind.
        if let Some(spans) = self.spans() {
            spans.enter();
        }
        scope::enter(Frame {
            until: self.limit(),
            timeout,
            attempt: self.attempts,
            guards: self.guards().address(),
            holds: Covered {
                breaker: self.admission.is_some(),
                slot: self.has_slot(),
            },
            fail_fast: self.around.fail_fast || site.is_fail_fast,
            mark: self.mark,
            ..site.frame
        });
        if let Some(work) = rare.and_then(|rare| rare.work.as_ref()) {
            scope::put_work(Arc::clone(work));
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
        self.learn(&scope::leave());
        if let Some(spans) = self.spans() {
            spans.exit();
        }
    }

    fn learn(&mut self, frame: &Frame) {
        self.mark = frame.mark;
        if frame.works {
            self.rare().work = scope::take_work();
        }
        if let Some(began) = frame.began
            && !self.is_anchored()
        {
            self.anchor(began);
        }
    }
}
