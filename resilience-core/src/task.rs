//! What a task can ask of the call it runs in, and take along to another task.

use std::future::Future;
use std::pin::Pin;
use std::task::{self, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::clock::Clock;
use crate::context::Context;
use crate::scope::{self, Carried};

/// The attempt that runs here and now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Current {
    /// The operation.
    pub operation: &'static str,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// How long it may still take: until its own timeout, or the earliest deadline or timeout
    /// around it. `None` if nothing limits it.
    pub remaining: Option<Duration>,
}

/// The attempt of an annotated function that runs here and now, the innermost if there are several;
/// `None` outside of any, as in a spawned task.
pub fn current() -> Option<Current> {
    let (frame, now, limit) = scope::current(|| Clock.now())?;
    Some(Current {
        operation: frame.operation,
        attempt: frame.attempt,
        remaining: limit.is_finite().then(|| limit.since(now)),
    })
}

/// Takes what a task is in the midst of along to another: the attempts around it with their limits,
/// the scoped runtime, the [`Context`](crate::Context).
///
/// A spawned task starts with nothing around it: its calls retry on their own and know no enclosing
/// deadline. `tokio::spawn(propagate(future))` makes it part of the call that spawned it: its calls
/// inherit the deadline and, inside `#[fail_fast]`, do not retry; calls of the same service and key
/// need no leave and no slot of their own for as long as the attempt runs that has them. That one of
/// them has given up is not told to the attempt that spawned it, since that one may be over.
///
/// # Cancel safety
///
/// Dropping it drops the future, inside the same [`Context`](crate::Context) still: the events of
/// calls that this cancels are told with it.
pub fn propagate<F: Future>(future: F) -> impl Future<Output = F::Output> {
    Propagated {
        future: Some(future),
        context: Context::current(),
        carried: Carried::from_here(Clock.now()),
    }
}

pin_project! {
    struct Propagated<F> {
        #[pin]
        future: Option<F>,
        // For the end, which may come after that of the thread's scope.
        context: Context,
        carried: Carried,
    }

    impl<F> PinnedDrop for Propagated<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _inside = this.context.enter();
            this.future.set(None);
        }
    }
}

impl<F: Future> Future for Propagated<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let _swapped = Swapped::new(this.carried);
        match this.future.as_mut().as_pin_mut() {
            Some(future) => future.poll(cx),
            None => Poll::Pending,
        }
    }
}

/// Exchanges the scope for the time of one poll, also if the poll panics.
struct Swapped<'a>(&'a mut Carried);

impl<'a> Swapped<'a> {
    fn new(carried: &'a mut Carried) -> Self {
        carried.swap();
        Self(carried)
    }
}

impl Drop for Swapped<'_> {
    fn drop(&mut self) {
        self.0.swap();
    }
}
