//! Fixed workloads for measuring what a call costs.
//!
//! [`ours::cases`] are the annotated functions, with the settings of `settings.toml` in the global
//! runtime. `guard.sh` counts their instructions; `benches/peers` runs them beside other crates.

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

pub mod ours;

/// Something that is called many times.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The name, as on the command line.
    pub name: &'static str,
    /// Calls it so many times.
    pub run: fn(u64),
    /// The size of its future, in bytes.
    pub size: fn() -> usize,
    /// What one call must do for the case to be what its name says; an error says what it did.
    pub check: fn() -> Result<(), String>,
}

/// Calls so many times, one after the other. A future that waits is polled again at once: nothing
/// here wakes it, and no scheduler is measured.
#[inline]
pub fn drive<F: Future>(calls: u64, mut call: impl FnMut(u64) -> F) {
    for x in 0..calls {
        black_box(finish(call(black_box(x))));
    }
}

/// Polls a future until it is ready.
#[inline]
pub fn finish<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// Is pending once.
#[derive(Debug, Default)]
pub struct Yield {
    polled: bool,
}

impl Future for Yield {
    type Output = ();

    #[inline]
    fn poll(mut self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        // Kept from the optimiser, which would see through it.
        if std::mem::replace(black_box(&mut self.polled), true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// Runs a case so many times. A function of its own, so that a profiler can count in it alone.
#[inline(never)]
pub fn measured(case: &Case, calls: u64) {
    (case.run)(calls);
    black_box(());
}

/// Where timers can be made; nothing drives them, since none runs out.
///
/// # Errors
///
/// If the system has no thread or descriptor left.
pub fn tokio() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
}
