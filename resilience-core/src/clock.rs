//! The only place that reads a clock or makes a timer.

use std::ops::Add;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::task::coop;
use tokio::time::{Instant, Sleep};

use crate::sync::atomic::{AtomicU64, Ordering};

/// A point in time, in nanoseconds since the process began to ask. Sums saturate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Moment(u64);

impl Moment {
    /// The time that never comes: no deadline.
    pub(crate) const NEVER: Self = Self(u64::MAX);

    /// The last one that may come.
    pub(crate) const LAST: Self = Self(u64::MAX - 1);

    /// The moment `nanos` nanoseconds after the beginning.
    pub(crate) const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The nanoseconds since the beginning.
    pub(crate) const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whether this time ever comes.
    pub(crate) const fn is_finite(self) -> bool {
        self.0 != Self::NEVER.0
    }

    /// How long after `earlier` this is; zero if it is not.
    pub(crate) const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The same, for whoever has no use for the seconds in it.
    #[inline]
    pub(crate) const fn wait(self, now: Self) -> Wait {
        Wait(self.0.saturating_sub(now.0))
    }
}

/// A time to wait, in nanoseconds. A `Duration` would be a division for whoever makes it, and a
/// multiplication for whoever takes it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait(u64);

impl Wait {
    pub(crate) const fn as_nanos(self) -> u64 {
        self.0
    }
}

/// Saturates.
impl From<Duration> for Wait {
    fn from(duration: Duration) -> Self {
        Self(saturating_nanos(duration))
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    /// Saturates at [`Moment::NEVER`], 584 years after the beginning.
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(saturating_nanos(duration)))
    }
}

/// The nanoseconds of a duration, `u64::MAX` where they are more.
#[inline]
pub(crate) const fn saturating_nanos(duration: Duration) -> u64 {
    let seconds = duration.as_secs().saturating_mul(1_000_000_000);
    seconds.saturating_add(duration.subsec_nanos() as u64)
}

/// The time of day of moments, for people: no second reading where the moment is known.
///
/// How far the one clock is ahead of the other is measured anew after a second, so that what sets the
/// time of day is wrong by no more than that.
#[derive(Debug)]
pub(crate) struct Calendar {
    /// At which moment, in nanoseconds; that of [`Moment::NEVER`] where it never was.
    measured: AtomicU64,
    ahead: AtomicU64,
}

/// A time of day, in nanoseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Date(u64);

impl Default for Calendar {
    fn default() -> Self {
        Self {
            measured: AtomicU64::new(Moment::NEVER.0),
            ahead: AtomicU64::new(0),
        }
    }
}

impl Calendar {
    /// The time of day at `now`.
    #[inline]
    pub(crate) fn date(&self, now: Moment) -> Date {
        // Who sees when it was measured sees what was, or something later.
        let measured = self.measured.load(Ordering::Acquire);
        let ahead = if now.0.abs_diff(measured) < 1_000_000_000 {
            self.ahead.load(Ordering::Relaxed)
        } else {
            self.measure(now)
        };
        Date(now.0.wrapping_add(ahead))
    }

    #[cold]
    fn measure(&self, now: Moment) -> u64 {
        let date = Clock.system_now().duration_since(UNIX_EPOCH);
        let ahead = date.map_or(0, saturating_nanos).wrapping_sub(now.0);
        self.ahead.store(ahead, Ordering::Relaxed);
        self.measured.store(now.0, Ordering::Release);
        ahead
    }
}

impl Date {
    #[inline]
    pub(crate) fn load(place: &AtomicU64) -> Self {
        Self(place.load(Ordering::Relaxed))
    }

    #[inline]
    pub(crate) fn store(self, place: &AtomicU64) {
        place.store(self.0, Ordering::Relaxed);
    }

    /// Whether both are shown as the same.
    #[inline]
    pub(crate) fn is_about(self, other: Self) -> bool {
        self.0 >> 20 == other.0 >> 20
    }
}

impl From<Date> for SystemTime {
    fn from(date: Date) -> Self {
        UNIX_EPOCH + Duration::from_nanos(date.0)
    }
}

/// Where a runtime gets the time and its timers from: tokio, so that paused time holds in tests.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock;

#[expect(
    clippy::unused_self,
    reason = "a runtime has a clock, of which this one needs no state"
)]
impl Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one reader of the clock"
    )]
    pub(crate) fn now(self) -> Moment {
        let since = Instant::now().saturating_duration_since(beginning());
        Moment(saturating_nanos(since))
    }

    /// The time of day, for people.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one reader of the clock"
    )]
    pub(crate) fn system_now(self) -> SystemTime {
        SystemTime::now()
    }

    /// A timer for `at`, or `None` where there is no tokio runtime to drive it.
    ///
    /// # Panics
    ///
    /// If the tokio runtime was built without its timer, as every timer of tokio does.
    #[expect(clippy::disallowed_methods, reason = "this is the one maker of timers")]
    pub(crate) fn timer(self, at: Moment) -> Option<Sleep> {
        tokio::runtime::Handle::try_current().ok()?;
        Some(tokio::time::sleep_until(instant(at)))
    }
}

/// Moves a timer to another time.
pub(crate) fn set_timer(timer: Pin<&mut Sleep>, at: Moment) {
    let at = instant(at);
    if timer.deadline() != at {
        timer.reset(at);
    }
}

/// Ready when the timer's time has come, also for a task that has used up its share of polls: a
/// body that always has more to do must not keep its timeout from being seen.
pub(crate) fn poll_timer(timer: Pin<&mut Sleep>, cx: &mut Context<'_>) -> Poll<()> {
    Pin::new(&mut coop::unconstrained(timer)).poll(cx)
}

/// tokio clamps what lies too far ahead, and so do we: thirty years.
fn instant(at: Moment) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 86_400);
    let offset = Duration::from_nanos(at.0).min(FAR);
    beginning().checked_add(offset).unwrap_or_else(beginning)
}

/// An hour before the first question, so that the standing clock of a paused runtime, which may
/// have stopped a little earlier, is not cut off.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one reader of the clock"
)]
fn beginning() -> Instant {
    static BEGINNING: OnceLock<Instant> = OnceLock::new();
    *BEGINNING.get_or_init(|| {
        let now = std::time::Instant::now();
        Instant::from_std(now.checked_sub(Duration::from_secs(3600)).unwrap_or(now))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a clock begins with the machine, a program may begin a moment later.
    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "what is tested is the real time of day"
    )]
    fn a_date_is_of_today_from_the_first_moment_on() {
        let calendar = Calendar::default();
        for nanos in [0, 5, 999_999_999, 1_000_000_000] {
            let date = SystemTime::from(calendar.date(Moment::from_nanos(nanos)));
            let apart = SystemTime::now().duration_since(date);
            let apart = apart.unwrap_or_else(|later| later.duration());
            assert!(apart < Duration::from_secs(60), "{nanos}: {apart:?}");
        }
    }

    #[test]
    fn sums_saturate_and_differences_stop_at_zero() {
        assert_eq!(Moment::from_nanos(5) + Duration::MAX, Moment::NEVER);
        assert_eq!(
            Moment::from_nanos(5).since(Moment::from_nanos(9)),
            Duration::ZERO
        );
    }
}
