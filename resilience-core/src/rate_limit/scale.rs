//! The arithmetic of the limiter: time, counted in fractions of a permit.
//!
//! The usual way counts the theoretical arrival time in nanoseconds and adds an interval per
//! permit. The interval is no whole number of nanoseconds, as a rule, and less than one above 1e9
//! permits a second, so that every permit adds an error, or they cannot be told apart at all. Here
//! it is the other way round. A permit is a whole number of units, and it is time that is turned
//! into units, always from the beginning:
//!
//! ```text
//! position(now) = now * units per nanosecond, rounded down
//! ```
//!
//! So a permit costs exactly one permit, and what rounding does to the time is less than two units
//! at any time and never adds up. A unit is at most a quarter of a nanosecond (or, where a bucket
//! takes years to fill, less than a 2^30th of a permit).

use std::time::Duration;

use super::RateLimitSettings;
use crate::clock::{Moment, saturating_nanos};

/// The numbers of a limiter, in units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scale {
    /// Units per nanosecond, times 2^60. At most eight, that is 2^63.
    pub(super) speed: u64,
    /// What one permit costs.
    pub(super) permit: u64,
    /// All permits that can be had at once. Less than 2^62.
    pub(super) bucket: u64,
}

impl Scale {
    pub(super) fn new(settings: RateLimitSettings) -> Self {
        let RateLimitSettings {
            limit,
            period,
            burst,
            ..
        } = settings;
        let limit = u128::from(limit.max(1));
        let period = u128::from(saturating_nanos(period).clamp(1, LONGEST_PERIOD));
        let burst = u128::from(burst.max(1));
        // As fine as the speed allows, and no finer than leaves room for the bucket.
        let permit = (MAX_SPEED * period / limit).clamp(1, (1 << 62) / (burst + 1));
        let speed = ((permit * limit) << 60) / period;
        Self {
            speed: speed.min(MAX_SPEED << 60) as u64,
            permit: permit as u64,
            bucket: (burst * permit) as u64,
        }
    }

    /// Where time stands, in units. Less than 2^62.
    #[inline]
    pub(super) fn position(&self, now: Moment) -> u64 {
        ((u128::from(clock(now)) * u128::from(self.speed)) >> 60) as u64
    }

    /// Takes a permit at `now`: what `taken` is afterwards, `None` if there is no permit.
    ///
    /// `taken` is the position at which all permits would be there again.
    #[inline]
    pub(super) fn take(&self, taken: u64, now: Moment) -> Option<u64> {
        let position = self.position(now);
        let next = self.plausible(taken, position) + self.permit;
        (next <= position + self.bucket).then_some(next)
    }

    /// What `taken` is after so many more permits at `now`, which must be there.
    pub(super) fn pay(&self, taken: u64, permits: u64, now: Moment) -> u64 {
        self.plausible(taken, self.position(now)) + permits * self.permit
    }

    /// Whether at least half of the bucket is there at `now`.
    #[inline]
    pub(super) fn is_plenty(&self, taken: u64, now: Moment) -> bool {
        let position = self.position(now);
        self.plausible(taken, position) <= position + self.bucket / 2
    }

    /// How long after `now` there is a permit for the one with so many before it.
    pub(super) fn wait(&self, taken: u64, ahead: usize, now: Moment) -> Duration {
        let position = self.position(now);
        let permits = (ahead as u128 + 1).min(1 << 32) * u128::from(self.permit);
        let needed = (u128::from(self.plausible(taken, position)) + permits)
            .saturating_sub(self.bucket.into())
            .min(1 << 67);
        if needed <= position.into() {
            return Duration::ZERO;
        }
        let at = (needed << 60).div_ceil(self.speed.into());
        let wait = at.saturating_sub(clock(now).into());
        Duration::from_nanos(u64::try_from(wait).unwrap_or(u64::MAX))
    }

    /// What `taken` is when `self` takes the place of `old` at `now`: so many permits that are
    /// not there yet under the old numbers are not there under the new ones.
    pub(super) fn convert(&self, old: &Self, taken: u64, now: Moment) -> u64 {
        let missing = taken.saturating_sub(old.position(now)).min(old.bucket);
        let missing = (u128::from(missing) * u128::from(self.permit)).div_ceil(old.permit.into());
        self.position(now) + missing.min(self.bucket.into()) as u64
    }

    /// `taken`, as it matters at `position`.
    ///
    /// Where far more is taken than there is, time went backwards. Waiting for it to catch up would
    /// be a freeze, so that one permit is left, and the others are taken.
    #[inline]
    fn plausible(&self, taken: u64, position: u64) -> u64 {
        let most = position + self.bucket;
        if taken > most && taken - most > self.units(LATE) {
            return most - self.permit;
        }
        taken.max(position)
    }

    /// The units of a short time.
    fn units(&self, time: Duration) -> u64 {
        ((u128::from(saturating_nanos(time)) * u128::from(self.speed)) >> 60) as u64
    }
}

/// The time as the limiter counts it, which begins anew every 18 years: that looks like time going
/// backwards, and is dealt with as such.
#[inline]
const fn clock(now: Moment) -> u64 {
    now.as_nanos() & ((1 << 59) - 1)
}

/// Units per nanosecond. Where a permit takes less than an eighth of a nanosecond, the limit is
/// taken as 8e9 a second: no machine asks as often.
const MAX_SPEED: u128 = 8;

/// Two years: well within what the limiter's clock can count.
const LONGEST_PERIOD: u64 = 1 << 56;

/// How old a thread's reading of the clock may be when it asks. A limiter that is further ahead
/// than its settings allow by more than this has seen time go backwards.
const LATE: Duration = Duration::from_secs(10);
