//! A subscriber that panics: everything is given back, and nothing is left on the stack. Alone in its
//! process, since what `tracing` knows of its subscribers is everybody's.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use resilience::{Runtime, resilient};
use support::Failure;
use tracing::instrument::WithSubscriber as _;
use tracing::{Metadata, Subscriber, span};

/// Panics when a span of an attempt is entered, or left.
struct Trap {
    at: At,
    is_set: Arc<AtomicBool>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Enter,
    Exit,
    /// When the end of the call is recorded.
    Record,
}

impl Trap {
    fn spring(&self, at: At) {
        let springs = self.at == at && self.is_set.swap(false, Ordering::Relaxed);
        assert!(!springs, "in a subscriber");
    }
}

impl Subscriber for Trap {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("resilience")
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {
        self.spring(At::Record);
    }
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {}
    fn enter(&self, _: &span::Id) {
        self.spring(At::Enter);
    }
    fn exit(&self, _: &span::Id) {
        self.spring(At::Exit);
    }
}

#[tokio::test(start_paused = true)]
async fn in_a_subscriber() {
    #[resilient(service = "panics in subscriber", breaker = off)]
    async fn function() -> Result<u32, Failure> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(1)
    }
    for at in [At::Enter, At::Exit, At::Record] {
        let is_set = Arc::new(AtomicBool::new(true));
        let subscriber = Trap {
            at,
            is_set: Arc::clone(&is_set),
        };
        let runtime = Runtime::new();
        let task = {
            let runtime = runtime.clone();
            async move { runtime.scope(function()).await }
        };
        let panicked = tokio::spawn(task.with_subscriber(subscriber)).await;
        assert!(panicked.unwrap_err().is_panic() && !is_set.load(Ordering::Relaxed));
        assert!(resilience::current().is_none(), "no attempt is left behind");
        assert_eq!(runtime.scope(function()).await, Ok(1));
        assert_eq!(runtime.drain(Duration::ZERO).await, 0);
    }
}
