//! The text of an error, in memory that is used again.

use std::cell::Cell;

thread_local! {
    /// What the last text of this thread was written in.
    static SPARE: Cell<String> = const { Cell::new(String::new()) };
}

/// Something to write a text in; new where a task is dropped with its thread, after the spare one.
pub(super) fn take() -> String {
    SPARE.try_with(Cell::take).unwrap_or_default()
}

/// Leaves it for the next text of this thread.
pub(super) fn give_back(text: String) {
    SPARE.try_with(|spare| spare.set(text)).unwrap_or_default();
}
