//! The end of a thread. A file of its own: where some test has paused tokio's clock, that clock is gone
//! before.

mod support;

use resilience::{Category, Runtime, resilient};
use support::{Failure, polled};

#[resilient(operation = "late", retries = 0, timeout = "1s")]
async fn late(fails: bool) -> Result<(), Failure> {
    if fails {
        return Err(Failure::of(Category::NETWORK));
    }
    Ok(())
}

/// At the end of its thread, after all that the crate itself keeps for a thread.
struct Late;

impl Drop for Late {
    fn drop(&mut self) {
        let runtime = Runtime::current();
        for fails in [false, true] {
            assert!(polled(late(fails)).poll_once().is_ready());
            assert!(polled(runtime.scope(late(fails))).poll_once().is_ready());
        }
    }
}

#[test]
fn calls_at_the_very_end_of_a_thread_are_calls() {
    thread_local!(static LATE: Late = const { Late });
    let thread = std::thread::spawn(|| {
        LATE.with(|_| {});
        // What this makes for the thread is dropped before that.
        let scoped = Runtime::new().scope(late(true));
        assert!(polled(scoped).poll_once().is_ready());
    });
    thread.join().unwrap();
    let services = Runtime::global().summary().services;
    let late = services.iter().find(|service| service.service == "late");
    assert_eq!(late.unwrap().calls, 4);
}
