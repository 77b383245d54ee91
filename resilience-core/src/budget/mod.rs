//! The retry budget: when everything fails, retries must not multiply the load. A state machine
//! that is told the time when a retry asks, and only then.
//!
//! A retry is granted if one of two rules grants it:
//!
//! - **share**: with it, the retries of the last 10 s are no more than `percent` of the calls of
//!   the last 10 s;
//! - **floor**: a bucket that refills by `floor` retries a second has one left. It holds ten
//!   seconds' worth, and is full at the beginning.
//!
//! A granted retry counts for both, whichever granted it.
//!
//! ```text
//!   count() ── + 1 in the thread's own counter, no clock ──┐
//!                                                          ▼
//!   withdraw(now): what was counted since the last question, spread evenly over that time
//!        │
//!        ├── into the parts of the window:    │▒▒│▒▒│▒▒│▒▒│▒▒│▒▒│▒▒│▒▒│▒▒│▒│
//!        │                                    now - 10 s                  now
//!        └── share or floor? ──▶ true, the retry is counted; false, nothing changes
//! ```

mod window;

use std::time::Duration;

use crate::budget::window::Window;
use crate::clock::{Moment, saturating_nanos};
use crate::settings::BudgetSettings;
use crate::shards::Shards;
use crate::stats::AtOnce;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, lock};

/// The retry budget of one service.
///
/// Counting a call is one addition to a counter of the thread's own. Only a retry takes the lock.
#[derive(Debug)]
pub(crate) struct Budget {
    calls: Shards<Calls>,
    ledger: Mutex<Ledger>,
}

/// The calls of the threads of one shard. Each call is counted once.
#[derive(Debug, Default)]
struct Calls {
    /// Those that succeeded at once, when they did: by far the most, for which this is the only
    /// counter. The statistics read it too.
    straight: AtomicU64,
    /// Those that an open breaker refused at once, of which nobody heard more: likewise.
    refused: AtomicU64,
    /// The others, when the first attempt failed, or at their end.
    other: AtomicU64,
}

#[derive(Debug)]
struct Ledger {
    settings: BudgetSettings,
    /// When a retry asked last.
    asked: Moment,
    /// The calls that had been counted then, since the beginning.
    counted: u64,
    calls: Window,
    retries: Window,
    /// What the bucket of the floor holds, in thousand-millionths of a retry.
    reserve: u64,
}

impl Budget {
    /// A budget with its floor's bucket full. What is counted before the first question is taken as
    /// spread over the time since `now`.
    pub(crate) fn new(settings: BudgetSettings, now: Moment) -> Self {
        Self {
            calls: Shards::default(),
            ledger: Mutex::new(Ledger {
                settings,
                asked: now,
                counted: 0,
                calls: Window::new(now),
                retries: Window::new(now),
                reserve: settings.most_reserve(),
            }),
        }
    }

    /// Sets other numbers, which hold from the next question on. What was counted stays counted.
    pub(crate) fn set(&self, settings: BudgetSettings) {
        lock(&self.ledger).settings = settings;
    }

    /// Counts a call.
    pub(crate) fn count(&self) {
        self.calls.mine().other.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a call that succeeded at its first attempt, of which nobody took the time.
    #[inline]
    pub(crate) fn count_straight(&self) {
        self.calls.mine().straight.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a call that an open breaker refused at once, of which nobody hears more.
    #[inline]
    pub(crate) fn count_refused(&self) {
        self.calls.mine().refused.fetch_add(1, Ordering::Relaxed);
    }

    /// How many of those two there were since the beginning.
    pub(crate) fn at_once(&self) -> AtOnce {
        AtOnce {
            succeeded: self.sum(|calls| &calls.straight),
            refused: self.sum(|calls| &calls.refused),
        }
    }

    fn sum(&self, counter: fn(&Calls) -> &AtomicU64) -> u64 {
        self.calls
            .iter()
            .map(|calls| counter(calls).load(Ordering::Relaxed))
            .fold(0, u64::wrapping_add)
    }

    /// Whether there may be one more retry at `now`. If so, it is spent.
    pub(crate) fn withdraw(&self, now: Moment) -> bool {
        let mut ledger = lock(&self.ledger);
        // Each counter only grows, and is read under the lock, so the sum only grows. What others
        // count meanwhile is found by the next question.
        let AtOnce { succeeded, refused } = self.at_once();
        let other = self.sum(|calls| &calls.other);
        let counted = other.wrapping_add(succeeded).wrapping_add(refused);
        ledger.pass(now, counted);
        ledger.withdraw()
    }
}

impl Ledger {
    /// Time goes on to `now`, and all counted calls are put into it.
    fn pass(&mut self, now: Moment, counted: u64) {
        let new = counted.wrapping_sub(self.counted);
        self.counted = counted;
        if self.asked.since(now) > WINDOW {
            // Time went backwards by so much that what is known lies in the future. It is
            // forgotten, rather than waited for.
            self.asked = now;
            self.calls = Window::new(now);
            self.retries = Window::new(now);
        }
        let now = now.max(self.asked);
        self.calls.spread(new, self.asked, now);
        self.retries.spread(0, self.asked, now);
        let refill =
            saturating_nanos(now.since(self.asked)).saturating_mul(self.settings.floor.into());
        self.reserve = self
            .reserve
            .saturating_add(refill)
            .min(self.settings.most_reserve());
        self.asked = now;
    }

    fn withdraw(&mut self) -> bool {
        let retries = u128::from(self.retries.sum(self.asked) + window::ONE);
        let calls = u128::from(self.calls.sum(self.asked));
        let is_shared = retries * 100 <= calls * u128::from(self.settings.percent);
        if !is_shared && self.reserve < ONE_RETRY {
            return false;
        }
        self.reserve = self.reserve.saturating_sub(ONE_RETRY);
        self.retries.add_one();
        true
    }
}

impl BudgetSettings {
    /// All that the floor gives in the time of the window.
    fn most_reserve(self) -> u64 {
        saturating_nanos(WINDOW).saturating_mul(self.floor.into())
    }
}

/// What counts as of now.
const WINDOW: Duration = Duration::from_secs(10);

/// A retry a second is one thousand-millionth in a nanosecond.
const ONE_RETRY: u64 = 1_000_000_000;

#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(all(test, not(loom)))]
mod tests;
