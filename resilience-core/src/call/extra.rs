//! What only a call that waits, fails or has fields needs: in memory that its thread uses again.

use std::cell::Cell;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::Sleep;

use crate::blocking::Work;
use crate::breaker::CallId;
use crate::bulkhead;
use crate::clock::Moment;
use crate::drain;
use crate::error::Error;
use crate::fields::Fields;
use crate::rate_limit;
use crate::resource::{Lease, Pool};
use crate::testing::Struck;
use crate::trace::Spans;

/// What there is to be known of such a call.
#[derive(Debug, Default)]
pub(super) struct Extra {
    /// When the running attempt times out; none until the clock has been read for it.
    pub(super) due: Option<Moment>,
    /// The earliest limit of the enclosing attempts, known from then on.
    pub(super) enclosing: Option<Moment>,
    /// When the pause ends, where there is one.
    pub(super) wake: Option<Moment>,
    /// Given at the first failure.
    pub(super) id: Option<CallId>,
    /// When the attempt was admitted, where slow calls are counted.
    pub(super) began: Option<Moment>,
    /// The delay before the attempt that runs.
    pub(super) delay: Duration,
    /// When the call and the running attempt began: from their beginning where somebody
    /// listens, else from when they first waited.
    pub(super) since: Option<Moment>,
    pub(super) attempt_since: Option<Moment>,
    /// The place in the line for a permit, or for a slot.
    pub(super) permit: Option<rate_limit::Ticket>,
    pub(super) place: Option<bulkhead::Ticket>,
    /// It counts as in flight, with its place among the sleepers.
    pub(super) pending: Option<drain::Flight>,
    pub(super) asleep: Option<drain::Place>,
    /// The text of the error before, which a refusal of the next attempt tells.
    pub(super) last_error: Option<String>,
    pub(super) rare: Option<Box<Rare>>,
}

impl Extra {
    /// Whether there may be something to be given back.
    #[inline]
    pub(super) fn may_hold(&self) -> bool {
        self.permit.is_some() || self.place.is_some() || self.rare.is_some()
    }
}

/// What most of them have nothing of, in a box of its own: a call that only waits stays small.
#[derive(Debug, Default)]
pub(super) struct Rare {
    /// What `fields(..)` names.
    pub(super) fields: Option<Fields>,
    /// The requirements that are not met: the answer, instead of a first attempt.
    pub(super) refusal: Option<Error>,
    /// What a test does to the attempt that runs, and from when on the body may run after all.
    pub(super) fault: Option<Struck>,
    pub(super) fault_over: Option<Moment>,
    /// What `resource(..)` asks for, and what it has got.
    pub(super) demands: Vec<(&'static str, u64)>,
    pub(super) leases: Vec<(Arc<Pool>, Lease)>,
    pub(super) spans: Option<Spans>,
    /// Blocking work of the attempt, which may outlive it.
    pub(super) work: Option<Arc<Work>>,
}

pin_project! {
    /// The same, and a timer for the time limit of an attempt or the pause after it.
    #[derive(Debug, Default)]
    pub(super) struct Timed {
        #[pin]
        timer: Option<Sleep>,
        extra: Extra,
    }
}

pub(super) type ExtraBox = Pin<Box<Timed>>;

thread_local! {
    /// What the last such call of this thread had, with nothing in it any more.
    static SPARE: Cell<Option<ExtraBox>> = const { Cell::new(None) };
}

/// One with nothing in it; new where a task is dropped with its thread, after the spare one.
pub(super) fn take() -> ExtraBox {
    let spare = SPARE.try_with(Cell::take).unwrap_or_default();
    spare.unwrap_or_else(|| Box::pin(Timed::default()))
}

/// Drops what is in it, and leaves it for the next such call of this thread.
pub(super) fn give_back(mut extra: ExtraBox) {
    extra.as_mut().timer().set(None);
    *extra.as_mut().open() = Extra::default();
    SPARE
        .try_with(|spare| spare.set(Some(extra)))
        .unwrap_or_default();
}

impl Timed {
    pub(super) const fn see(&self) -> &Extra {
        &self.extra
    }

    pub(super) fn open(self: Pin<&mut Self>) -> &mut Extra {
        self.project().extra
    }

    pub(super) fn timer(self: Pin<&mut Self>) -> Pin<&mut Option<Sleep>> {
        self.project().timer
    }
}
