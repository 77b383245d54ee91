//! What contexts, counts and spans may cost a call.

use std::pin::pin;
use std::task::{Context as TaskContext, Poll, Waker};

use allocation_counter::measure;
use resilience::{Context, Error, resilient};

#[resilient(operation = "cheap")]
async fn cheap(x: u64) -> Result<u64, Error> {
    Ok(x + 1)
}

fn ready<F: Future>(future: F) -> F::Output {
    let polled = pin!(future).poll(&mut TaskContext::from_waker(Waker::noop()));
    match polled {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("not ready at once"),
    }
}

async fn calls() {
    for x in 0..100 {
        cheap(x).await.unwrap();
    }
}

#[test]
fn a_successful_call_inside_a_context_allocates_nothing() {
    ready(calls());
    let context = Context::new().session_id("s").with("k", 1);
    let mut inside = pin!(context.scope(calls()));
    let before = resilience::summary().succeeded;
    let allocations = measure(|| {
        let polled = inside
            .as_mut()
            .poll(&mut TaskContext::from_waker(Waker::noop()));
        assert!(polled.is_ready());
    });
    assert_eq!(allocations.count_total, 0);
    assert_eq!(resilience::summary().succeeded - before, 100);
}
