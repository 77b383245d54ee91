//! The end of a process: who sleeps is woken, who runs is waited for.
//!
//! Only calls that have been pending are known here. A call that is ready at once is over before
//! anybody could wait for it, and pays nothing.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::clock::{self, Clock};
use crate::runtime::Runtime;
use crate::shards::Shards;
use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::sync::{Mutex, lock};

/// Who sleeps, and how many are in flight.
#[derive(Default)]
pub(crate) struct Drain {
    draining: AtomicBool,
    /// Calls that have been pending and are not over. Each ends in the shard in which it began: else
    /// a look at one shard after the other could miss one that is there all the time.
    in_flight: Shards<AtomicUsize>,
    sleepers: Shards<Mutex<Sleepers>>,
    /// Those who wait for the end.
    waiting: Mutex<Vec<Waker>>,
}

/// Whom to wake, each at its place.
#[derive(Default)]
struct Sleepers {
    places: Vec<Option<Waker>>,
    free: Vec<usize>,
}

/// A call in flight. Give it to [`Drain::end`].
#[derive(Debug)]
#[must_use]
pub(crate) struct Flight {
    shard: usize,
}

/// A place among the sleepers. Give it to [`Drain::end`].
#[derive(Debug)]
#[must_use]
pub(crate) struct Place {
    shard: usize,
    place: usize,
}

impl Drain {
    #[inline]
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// A call is pending for the first time.
    pub(crate) fn begin(&self) -> Flight {
        let (shard, in_flight) = self.in_flight.mine_at();
        in_flight.fetch_add(1, Ordering::AcqRel);
        Flight { shard }
    }

    /// A call that has been pending is over.
    #[expect(clippy::needless_pass_by_value, reason = "each is given back once")]
    pub(crate) fn end(&self, flight: Flight, place: Option<Place>) {
        if let Some(Place { shard, place }) = place {
            let kept = self.sleepers.at(shard).map(|shard| {
                let mut sleepers = lock(shard);
                sleepers.free.push(place);
                sleepers.places[place].take()
            });
            drop(kept);
        }
        if let Some(in_flight) = self.in_flight.at(flight.shard) {
            in_flight.fetch_sub(1, Ordering::AcqRel);
        }
        // Either this sees that the runtime is drained, or whoever waits sees the new number.
        if self.is_draining() {
            self.wake_waiting();
        }
    }

    /// A call sleeps, and is to be woken when the runtime is drained; says whether it is already.
    pub(crate) fn sleep(&self, place: &mut Option<Place>, waker: &Waker) -> bool {
        let waker = waker.clone();
        let kept = if let Some(Place { shard, place }) = place {
            let known = self.sleepers.at(*shard);
            known.and_then(|shard| lock(shard).places[*place].replace(waker))
        } else {
            let (shard, mine) = self.sleepers.mine_at();
            let joined = lock(mine).join(waker);
            *place = Some(Place {
                shard,
                place: joined,
            });
            None
        };
        drop(kept);
        // Whoever drains sets this first and then takes each lock: it has found the waker, or this
        // finds that.
        self.is_draining()
    }

    /// Calls in flight. One that begins or ends meanwhile may count or not.
    fn in_flight(&self) -> usize {
        let counts = self.in_flight.iter();
        // An exchange, and no mere look: whoever ends after it sees all that was before it.
        counts
            .map(|shard| shard.fetch_add(0, Ordering::AcqRel))
            .sum()
    }

    fn start(&self) {
        self.draining.store(true, Ordering::Release);
        for shard in self.sleepers.iter() {
            // Woken without the lock: a waker is somebody else's code.
            let wakers: Vec<_> = {
                let mut sleepers = lock(shard);
                sleepers
                    .places
                    .iter_mut()
                    .filter_map(Option::take)
                    .collect()
            };
            wakers.into_iter().for_each(Waker::wake);
        }
    }

    fn wait(&self, waker: &Waker) {
        // Cloned, and dropped where it is known already, without the lock.
        let waker = waker.clone();
        let _known = {
            let mut waiting = lock(&self.waiting);
            if waiting.iter().any(|other| other.will_wake(&waker)) {
                Some(waker)
            } else {
                waiting.push(waker);
                None
            }
        };
    }

    fn wake_waiting(&self) {
        let waiting = std::mem::take(&mut *lock(&self.waiting));
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl Sleepers {
    fn join(&mut self, waker: Waker) -> usize {
        if let Some(place) = self.free.pop() {
            self.places[place] = Some(waker);
            return place;
        }
        self.places.push(Some(waker));
        self.places.len() - 1
    }
}

impl Runtime {
    /// Lets the calls of this runtime come to their end: for a process that is told to stop.
    ///
    /// From now on no call begins another attempt or waits for a permit or a slot, and nothing
    /// undoes that:
    ///
    /// * a call whose attempt fails ends with that error;
    /// * a call that sleeps between two attempts, or waits for a permit or a slot, ends at once with
    ///   an error of kind [`Draining`](crate::ErrorKind::Draining). It names the operation and has
    ///   the text of the last attempt's error ([`last_error`](crate::Error::last_error)). The error
    ///   itself is gone by then: a call that held it while it sleeps would be `Send` only where the
    ///   error is;
    /// * an attempt that runs goes on, and so do calls that are made from now on: their first
    ///   attempts. Whoever takes requests stops doing so before.
    ///
    /// The answer is ready when no call is in flight any more, or after `deadline`, and says how
    /// many were in flight then. A call counts from when it is pending for the first time, a nested
    /// one beside the one around it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use std::time::Duration;
    ///
    /// let runtime = resilience_core::Runtime::new();
    /// let left = runtime.drain(Duration::from_secs(5)).await;
    /// assert_eq!(left, 0);
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// The draining begins with the call of this function and stays, whether or not somebody awaits
    /// the answer.
    ///
    /// Outside of a tokio runtime there is no timer to wait with: the answer is ready at once.
    pub fn drain(&self, deadline: Duration) -> impl Future<Output = usize> + Send + use<> {
        let runtime = self.clone();
        let until = Clock.now() + deadline;
        runtime.shared().drain.start();
        async move {
            let drain = &runtime.shared().drain;
            let Some(timer) = Clock.timer(until) else {
                return drain.in_flight();
            };
            let mut timer = pin!(timer);
            poll_fn(|cx| {
                // Kept before the look, so that no end is missed.
                drain.wait(cx.waker());
                let left = drain.in_flight();
                if left == 0 || clock::poll_timer(timer.as_mut(), cx).is_ready() {
                    Poll::Ready(left)
                } else {
                    Poll::Pending
                }
            })
            .await
        }
    }

    /// Whether somebody has begun to [`drain`](Self::drain) it.
    pub fn is_draining(&self) -> bool {
        self.shared().drain.is_draining()
    }
}

impl fmt::Debug for Drain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain")
            .field("draining", &self.is_draining())
            .field("in_flight", &self.in_flight())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(all(test, not(loom)))]
mod tests;
