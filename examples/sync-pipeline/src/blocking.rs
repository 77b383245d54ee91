//! Work that blocks, off the runtime's own threads.

/// Runs blocking work on one of tokio's threads for it. A panic in it goes on here.
///
/// # Cancel safety
///
/// Dropping the future does not stop work that has begun: it ends by itself, unseen.
pub(crate) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        // Nobody aborts the task, so what is left is a panic.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
