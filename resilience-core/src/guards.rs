//! What stands before the bodies of a service: its breaker, its rate limit, its slots.

use std::sync::OnceLock;

use crate::breaker::{Breaker, Moved};
use crate::bulkhead::Bulkhead;
use crate::clock::Moment;
use crate::error::ServiceName;
use crate::keyed::Forgettable;
use crate::rate_limit::RateLimiter;
use crate::settings::{BreakerSettings, BulkheadSettings, RateLimitSettings, ServiceSettings};

/// The guards of a service, or of one key of it.
///
/// Limiter and bulkhead are made when a site first asks for them; most services have none.
#[derive(Debug)]
pub(crate) struct Guards {
    pub(crate) breaker: Breaker,
    limiter: OnceLock<RateLimiter>,
    bulkhead: OnceLock<Bulkhead>,
}

impl Guards {
    pub(crate) fn new(service: &'static ServiceName, breaker: BreakerSettings) -> Self {
        Self {
            breaker: Breaker::new(service, breaker),
            limiter: OnceLock::new(),
            bulkhead: OnceLock::new(),
        }
    }

    pub(crate) fn service(&self) -> &'static ServiceName {
        self.breaker.name()
    }

    pub(crate) fn limiter(&self, settings: RateLimitSettings) -> &RateLimiter {
        self.limiter.get_or_init(|| RateLimiter::new(settings))
    }

    pub(crate) fn bulkhead(&self, settings: BulkheadSettings) -> &Bulkhead {
        self.bulkhead.get_or_init(|| Bulkhead::new(settings))
    }

    /// Other numbers, which hold from the next event on. All state stays.
    pub(crate) fn set(&self, settings: &ServiceSettings, now: Moment) -> Option<Moved> {
        let moved = self.breaker.set(settings.breaker_numbers(), now);
        if let Some(rate_limit) = settings.rate_limit {
            self.limiter(rate_limit).set(rate_limit);
        }
        if let Some(bulkhead) = settings.bulkhead {
            self.bulkhead(bulkhead).set(bulkhead);
        }
        moved
    }

    /// The limiter, if a site has asked for it.
    pub(crate) fn known_limiter(&self) -> Option<&RateLimiter> {
        self.limiter.get()
    }

    /// The bulkhead, if a site has asked for it.
    pub(crate) fn known_bulkhead(&self) -> Option<&Bulkhead> {
        self.bulkhead.get()
    }

    /// Gives a slot of the bulkhead back.
    pub(crate) fn release_slot(&self) {
        if let Some(bulkhead) = self.bulkhead.get() {
            bulkhead.release();
        }
    }

    /// Identifies these guards for as long as they are held.
    pub(crate) fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

impl Forgettable for Guards {
    fn is_fresh(&self, now: Moment) -> bool {
        self.breaker.is_fresh(now)
            && self
                .limiter
                .get()
                .is_none_or(|limiter| limiter.is_fresh(now))
            && self
                .bulkhead
                .get()
                .is_none_or(|bulkhead| bulkhead.is_fresh(now))
    }
}
