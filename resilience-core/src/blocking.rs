//! Blocking work inside a body, and what an attempt holds for as long as that really runs.

use std::fmt;
use std::sync::Arc;

use tokio::task::{AbortHandle, JoinError, spawn_blocking};

use crate::guards::Guards;
use crate::resource::{Lease, Pool};
use crate::runtime::Service;
use crate::scope;
use crate::sync::{Mutex, lock};

/// Runs a closure on a thread that may block, and answers with what it returns.
///
/// Inside an attempt, the attempt's slot of the bulkhead and its leases of resources are kept until
/// the closure has really ended, also where a timeout or a deadline has dropped the attempt long
/// before. Nothing can stop a closure that runs: without this, the slot would be free while the work
/// goes on, and after a few timeouts far more of it would run at a time than the bulkhead allows.
///
/// What else dropping means stays as it is: the call goes on at once, with its next attempt or to its
/// end. A closure that has not begun by then never does, and holds nothing any more.
///
/// ```
/// use resilience_core::Error;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// async fn digest(bytes: Vec<u8>) -> Result<u64, Error> {
///     Ok(resilience_core::blocking(move || bytes.iter().map(|&byte| u64::from(byte)).sum()).await)
/// }
/// assert_eq!(digest(vec![1, 2, 3]).await.unwrap(), 6);
/// # }
/// ```
///
/// It belongs to the attempts that are around it where it is first polled, in the task of the call:
/// in a task that was spawned, also with [`propagate`](crate::propagate), it is an ordinary
/// `spawn_blocking`.
///
/// # Cancel safety
///
/// Dropping it lets a closure that runs go on by itself, and forgets one that does not.
///
/// # Panics
///
/// With the closure's panic, or outside of a tokio runtime.
pub async fn blocking<T, F>(work: F) -> T
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let unbegun = Arc::new(Mutex::new(Some((scope::work(), work))));
    let task = spawn_blocking({
        let unbegun = Arc::clone(&unbegun);
        move || {
            let (_running, work) = take(&unbegun)?;
            Some(work())
        }
    });
    let _unless_begun = GivenUp {
        unbegun,
        task: task.abort_handle(),
    };
    match task.await.map_err(JoinError::try_into_panic) {
        Ok(Some(output)) => output,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // The tokio runtime is shutting down, and with it whoever waits here.
        Ok(None) | Err(Err(_)) => std::future::pending().await,
    }
}

/// Takes a closure away before it begins, with what it holds. Until a thread is free, tokio keeps the
/// task of one that was aborted, and all threads may be busy for long.
struct GivenUp<W> {
    unbegun: Arc<Mutex<Option<W>>>,
    task: AbortHandle,
}

impl<W> Drop for GivenUp<W> {
    fn drop(&mut self) {
        drop(take(&self.unbegun));
        self.task.abort();
    }
}

/// For one alone: the thread that begins, or whoever gives up before. The lock is free again when
/// it has it.
fn take<W>(unbegun: &Mutex<Option<W>>) -> Option<W> {
    lock(unbegun).take()
}

/// What of one attempt may outlive it: its blocking work, and tasks that are part of it and ask
/// whether it still runs.
#[derive(Default)]
pub(crate) struct Work(Mutex<State>);

#[derive(Default)]
struct State {
    running: usize,
    /// What the attempt has left to the work.
    held: Option<Held>,
    /// The attempt has ended.
    is_over: bool,
}

/// A closure that has not ended.
pub(crate) struct Running(Arc<Work>);

/// What an attempt holds. Dropping it gives everything back.
pub(crate) struct Held {
    pub(crate) guards: HeldGuards,
    pub(crate) slot: bool,
    pub(crate) leases: Vec<(Arc<Pool>, Lease)>,
}

/// Whose slot it is.
pub(crate) enum HeldGuards {
    Service(Arc<Service>),
    Keyed(Arc<Guards>),
}

impl Work {
    /// One more closure.
    pub(crate) fn begin(self: &Arc<Self>) -> Running {
        lock(&self.0).running += 1;
        Running(Arc::clone(self))
    }

    /// Leaves what an attempt held to the work, or hands it back where none runs any more.
    pub(crate) fn keep(&self, held: Held) -> Option<Held> {
        let mut state = lock(&self.0);
        state.is_over = true;
        if state.running == 0 {
            return Some(held);
        }
        state.held = Some(held);
        None
    }

    /// Whether the attempt has ended, and holds nothing itself.
    pub(crate) fn is_over(&self) -> bool {
        lock(&self.0).is_over
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let held = {
            let mut state = lock(&self.0.0);
            state.running -= 1;
            if state.running == 0 {
                state.held.take()
            } else {
                None
            }
        };
        // Given back without the lock: somebody may be woken.
        drop(held);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let guards = match &self.guards {
            HeldGuards::Service(service) => &service.guards,
            HeldGuards::Keyed(guards) => guards,
        };
        if self.slot
            && let Some(bulkhead) = guards.known_bulkhead()
        {
            bulkhead.release();
        }
        for (pool, lease) in self.leases.drain(..) {
            pool.release(lease);
        }
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work")
            .field("running", &lock(&self.0).running)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, loom))]
mod loom_tests;
