//! Limits in time: when an attempt has to be over, the pause between two, and what else waits.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Sleep;

use super::Decisions;
use crate::Error;
use crate::clock::{self, Moment};
use crate::error::{TimeLimit, TimedOut};
use crate::scope;

impl Decisions {
    /// When the running attempt times out, once the clock has been read for it.
    pub(super) fn due(&self) -> Option<Moment> {
        self.known()?.due
    }

    pub(super) fn is_anchored(&self) -> bool {
        self.due().is_some()
    }

    /// When the attempt or the call is over by its own limits, as far as that is known.
    pub(super) fn own_limit(&self) -> Moment {
        self.due().unwrap_or(Moment::NEVER).min(self.deadline)
    }

    /// The earliest limit on the attempt that is known.
    pub(super) fn limit(&self) -> Moment {
        let enclosing = self.known().and_then(|extra| extra.enclosing);
        self.own_limit().min(enclosing.unwrap_or(Moment::NEVER))
    }

    /// The attempt's time begins: it is pending for the first time, or a call inside it asked for
    /// the time.
    #[cold]
    pub(super) fn anchor(&mut self, now: Moment) {
        let running = self.is_running();
        let timeout = self.site.settings.timeout;
        let extra = self.extra();
        extra.since.get_or_insert(now);
        if running {
            extra.attempt_since.get_or_insert(now);
        }
        extra.enclosing = Some(scope::limit(now));
        extra.due = Some(timeout.map_or(Moment::NEVER, |timeout| now + timeout));
    }

    /// The attempt is pending: waits for its timeout or the deadline, whichever comes first.
    pub(crate) fn poll_limit(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        if !self.is_anchored() {
            self.anchor(self.now());
        }
        self.pend();
        let until = self.own_limit();
        if until == Moment::NEVER {
            return Poll::Pending;
        }
        if ready!(self.poll_timer(until, cx)).is_err() {
            return Poll::Ready(no_timer());
        }
        Poll::Ready(self.timed_out())
    }

    pub(super) fn timed_out(&self) -> Error {
        let settings = &self.site.settings;
        let (limit, of) = if self.deadline <= self.due().unwrap_or(Moment::NEVER) {
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

    /// The pause before the next attempt.
    #[inline]
    pub(super) fn poll_pause(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(wake) = self.known().and_then(|extra| extra.wake) else {
            return Poll::Ready(());
        };
        // That there is a timer was made sure before the pause was decided.
        if self.poll_timer(wake, cx).is_ready() || self.sleep(cx) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// The call is in flight: whoever drains the runtime waits for it.
    pub(super) fn pend(&mut self) {
        if self.extra().pending.is_none() {
            self.extra().pending = Some(self.site.shared.drain.begin());
        }
    }

    /// The call sleeps, and is woken when the runtime is drained; says whether it is already.
    pub(super) fn sleep(&mut self, cx: &Context<'_>) -> bool {
        self.pend();
        let mut place = self.extra().asleep.take();
        let draining = self.site.shared.drain.sleep(&mut place, cx.waker());
        self.extra().asleep = place;
        draining
    }

    #[cold]
    pub(super) fn drained(&self) -> Error {
        Error::draining(self.site.operation())
    }

    pub(super) fn poll_timer(
        &mut self,
        at: Moment,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), NoTimer>> {
        match self.set_timer(at) {
            Ok(timer) => clock::poll_timer(timer, cx).map(Ok),
            Err(no_timer) => Poll::Ready(Err(no_timer)),
        }
    }

    pub(super) fn set_timer(&mut self, at: Moment) -> Result<Pin<&mut Sleep>, NoTimer> {
        let clock = self.site.shared.clock;
        let mut slot = self.extra_box().timer();
        match slot.as_mut().as_pin_mut() {
            Some(timer) => clock::set_timer(timer, at),
            None => slot.set(clock.timer(at)),
        }
        slot.as_pin_mut().ok_or(NoTimer)
    }

    /// When the attempt was admitted, where slow calls are counted.
    #[inline]
    pub(super) fn began(&self) -> Option<Moment> {
        self.known().and_then(|extra| extra.began)
    }

    /// How long the attempt has taken, where slow calls are counted.
    pub(super) fn elapsed(&self) -> Option<Duration> {
        self.began().map(|began| self.now().since(began))
    }

    pub(super) fn now(&self) -> Moment {
        self.site.shared.clock.now()
    }
}

/// There is no tokio runtime to drive a timer.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoTimer;

#[cold]
pub(super) fn no_timer() -> Error {
    Error::setting(
        "runtime",
        "timeouts need a tokio runtime with its timer enabled, and this call runs outside of one",
    )
}
