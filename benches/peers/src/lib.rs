//! The same patterns by several crates, with the newest of each.

use std::hint::black_box;

pub mod body;
pub mod cases;
pub mod chart;
pub mod check;
mod ours;
pub mod record;

/// One pattern, or stack of patterns, of one library.
pub struct Case {
    /// What it does.
    pub workload: &'static str,
    /// By whom.
    pub library: &'static str,
    /// Makes so many calls.
    pub run: Run,
    /// Two threads may run it at once, on the same objects.
    pub shared: bool,
    /// The future of a call, in bytes.
    pub future: usize,
    /// Whether it does what its name says, and if not, what it does; takes real time.
    pub check: Box<dyn Fn() -> Vec<String> + Send + Sync>,
    /// What is known of it beforehand.
    pub notes: Vec<String>,
    /// It sleeps on the real clock: its instructions say nothing.
    pub sleeps: bool,
}

/// Makes so many calls.
pub type Run = Box<dyn Fn(u64) + Send + Sync>;

impl Case {
    /// As on the command line.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.workload, self.library)
    }

    /// What it does otherwise than its name says, after a check.
    #[must_use]
    pub fn footnotes(&self) -> Vec<String> {
        let mut notes = (self.check)();
        notes.extend_from_slice(&self.notes);
        notes
    }
}

/// Makes so many calls, in a function of its own, so that a profiler can count in it alone.
#[inline(never)]
pub fn measured(run: &Run, calls: u64) {
    run(calls);
    black_box(());
}
