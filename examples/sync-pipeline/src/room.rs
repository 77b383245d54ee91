//! How much may be in flight: records and bytes. Who brings more waits for room, so memory stays
//! the same however long the input is.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A number of bytes that are shared out.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    bytes: Arc<Semaphore>,
    all: u32,
}

/// A part of a room, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Room {
    pub(crate) fn new(bytes: u64) -> Self {
        let all = u32::try_from(bytes).unwrap_or(u32::MAX).max(1);
        Self {
            bytes: Arc::new(Semaphore::new(all as usize)),
            all,
        }
    }

    /// Waits for so many bytes, in the order of asking. More than there are is all of them: such
    /// a thing is alone.
    pub(crate) async fn place(&self, bytes: u64) -> Place {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.all);
        // Nobody closes the semaphore.
        let permit = Arc::clone(&self.bytes).acquire_many_owned(bytes).await.ok();
        Place { _permit: permit }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_brings_too_much_waits_and_then_is_alone() {
        let room = Room::new(10);
        let small = room.place(4).await;
        let soon = Duration::from_secs(1);
        assert!(timeout(soon, room.place(1_000)).await.is_err());
        drop(small);
        let large = timeout(soon, room.place(1_000)).await.expect("alone");
        assert!(timeout(soon, room.place(1)).await.is_err());
        drop(large);
        assert!(timeout(soon, room.place(10)).await.is_ok());
    }
}
