//! What an attempt asks for beside its breaker's leave: resources, a permit, a slot. And how all of it
//! is given back.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::extra::Extra;
use super::time::no_timer;
use super::{Decisions, Stage};
use crate::Error;
use crate::blocking::{Held, HeldGuards};
use crate::bulkhead::{Bulkhead, Full};
use crate::clock::Moment;
use crate::rate_limit::{self, RateLimiter, Turn};
use crate::resource::Exhausted;
use crate::runtime::SiteState;
use crate::shards::my_shard;

/// What a call has got without waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Got {
    Nothing,
    /// Its permit, if it needs one, but no slot.
    Permit,
    All,
}

/// A permit and a slot, as far as the site wants them, where they are there and nobody waits for them.
#[inline(never)]
pub(super) fn take_at_once(site: &SiteState) -> Got {
    let guards = &site.service.guards;
    let mut bulkhead = None;
    if site.guarded_by.slot {
        // Nobody pays for a permit who can see that it would have to wait for a slot.
        bulkhead = guards
            .known_bulkhead()
            .filter(|bulkhead| bulkhead.has_room());
        if bulkhead.is_none() {
            return Got::Nothing;
        }
    }
    if site.settings.rate_limit.is_some() {
        let limiter = guards.known_limiter();
        let shard = my_shard();
        let passes = |limiter: &RateLimiter| {
            limiter.spend(shard) || limiter.lease(shard, site.shared.clock.now())
        };
        if !limiter.is_some_and(passes) {
            return Got::Nothing;
        }
    }
    if bulkhead.is_none_or(Bulkhead::pass) {
        Got::All
    } else {
        Got::Permit
    }
}

impl Decisions {
    #[inline]
    pub(super) fn has_limits(&self) -> bool {
        let settings = &self.site.settings;
        settings.rate_limit.is_some()
            || settings.bulkhead.is_some()
            || self
                .known_rare()
                .is_some_and(|rare| !rare.demands.is_empty())
    }

    pub(super) fn start_limited(&mut self) -> Result<(), Error> {
        self.lease()?;
        let Some(rate_limit) = self.site.settings.rate_limit else {
            return self.take_slot();
        };
        if self.stage == Stage::Permitted {
            return self.take_slot();
        }
        let limiter = self.guards().limiter(rate_limit);
        // Leases take room: keys have none.
        let shard = my_shard();
        if self.keyed.is_none() && limiter.spend(shard) {
            return self.take_slot();
        }
        let now = self.now();
        if self.keyed.is_none() && limiter.lease(shard, now) {
            return self.take_slot();
        }
        let ticket = if self.waits() {
            limiter.enter(now)
        } else {
            limiter.try_acquire(now).map(|()| None)
        };
        match ticket {
            Ok(None) => self.take_slot(),
            Ok(Some(ticket)) => {
                let extra = self.extra();
                extra.permit = Some(ticket);
                extra.since.get_or_insert(now);
                self.stage = Stage::Limited;
                Ok(())
            }
            Err(refusal) => Err(self.rate_limited(refusal)),
        }
    }

    /// Leases all that `resource(..)` asks for, or nothing.
    fn lease(&mut self) -> Result<(), Error> {
        if !self.site.settings.enabled {
            return Ok(());
        }
        let Some(rare) = self.rare_if_any() else {
            return Ok(());
        };
        let demands = std::mem::take(&mut rare.demands);
        for (resource, amount) in demands {
            let pool = self.site.shared.pools.pool(resource);
            match pool.acquire(amount) {
                Ok(lease) => self.rare().leases.push((pool, lease)),
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
                self.extra().place = Some(ticket);
                self.stage = Stage::Queued;
                // Waiting for a slot is part of the attempt's time.
                self.anchor(self.now());
                Ok(())
            }
            Err(Full) => Err(self.bulkhead_full()),
        }
    }

    /// Whether this call may wait for permits, slots and further attempts.
    fn waits(&self) -> bool {
        !self.around.fail_fast && !self.site.is_fail_fast && !self.site.shared.drain.is_draining()
    }

    #[cold]
    pub(super) fn poll_waiting(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
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
                    self.extra().permit = Some(ticket);
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
        self.extra().place = Some(place);
        if self.sleep(cx) {
            return Poll::Ready(Err(self.drained()));
        }
        let until = self.own_limit();
        if until == Moment::NEVER {
            return Poll::Pending;
        }
        if ready!(self.poll_timer(until, cx)).is_err() {
            return Poll::Ready(Err(no_timer()));
        }
        if self.now() >= self.deadline {
            return Poll::Ready(Err(self.timed_out()));
        }
        // The attempt's time is over before the body began: that is no failure of the service.
        Poll::Ready(Err(self.bulkhead_full()))
    }

    fn rate_limited(&self, refusal: rate_limit::Refusal) -> Error {
        Error::rate_limited(self.guards().service(), refusal.retry_in)
    }

    fn bulkhead_full(&self) -> Error {
        Error::bulkhead_full(self.guards().service())
    }

    /// Gives back whatever the attempt holds or waits for, but for its admission, which says how
    /// the attempt went.
    #[inline]
    pub(super) fn give_back(&mut self) {
        if self.has_slot() || self.known().is_some_and(Extra::may_hold) {
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
        let Some(extra) = &mut *self.extra else {
            return;
        };
        let extra = extra.as_mut().open();
        let guards = self.keyed.as_deref().unwrap_or(&self.site.service.guards);
        if let (Some(ticket), Some(limiter)) = (&mut extra.permit, guards.known_limiter()) {
            limiter.leave(ticket);
        }
        if let (Some(ticket), Some(bulkhead)) = (&mut extra.place, guards.known_bulkhead()) {
            bulkhead.leave(ticket);
        }
        (extra.permit, extra.place) = (None, None);
        if let Some(rare) = &mut extra.rare {
            for (pool, lease) in rare.leases.drain(..) {
                pool.release(lease);
            }
        }
    }

    /// What the attempt holds is for its blocking work to give back, if that still runs.
    fn leave_to_work(&mut self) {
        let slot = self.has_slot();
        let Some(rare) = self.rare_if_any() else {
            return;
        };
        let Some(work) = rare.work.take() else {
            return;
        };
        let leases = std::mem::take(&mut rare.leases);
        let service = || HeldGuards::Service(Arc::clone(&self.site.service));
        let held = Held {
            guards: (*self.keyed)
                .clone()
                .map_or_else(service, HeldGuards::Keyed),
            slot,
            leases,
        };
        if slot {
            self.stage = Stage::Running { slot: false };
        }
        drop(work.keep(held));
    }
}
