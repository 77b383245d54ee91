//! Blocking work inside a body, under paused time.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use resilience::{BulkheadOptions, Policy, Runtime};
use support::{Failure, polled};

fn policy(operation: &'static str) -> Policy {
    Policy::fail_fast(operation)
        .bulkhead(BulkheadOptions::new().concurrency(1).queue(0))
        .timeout(Duration::from_secs(1))
        .build()
        .unwrap()
}

/// Keeps closures blocked until it is opened, and counts those that have begun.
#[derive(Default)]
struct Gate {
    senders: std::sync::Mutex<Vec<Sender<()>>>,
    begun: Arc<AtomicU32>,
}

impl Gate {
    async fn pass(&self) -> Result<u32, Failure> {
        let (sender, receiver) = channel();
        self.senders.lock().unwrap().push(sender);
        let begun = Arc::clone(&self.begun);
        let blocked = resilience::blocking(move || {
            begun.fetch_add(1, Ordering::Relaxed);
            let _ = receiver.recv();
            7
        });
        Ok(blocked.await)
    }

    async fn begun(&self, closures: u32) {
        until(|| self.begun.load(Ordering::Relaxed) == closures).await;
    }

    fn open(&self) {
        self.senders.lock().unwrap().clear();
    }
}

fn held(runtime: &Runtime) -> (u32, u64) {
    let running = runtime.limits()[0].running.unwrap();
    let resources = runtime.resources();
    let tokens = resources.first().map_or(0, |pool| pool.current);
    (running, tokens)
}

/// Waits for other threads, which need no time of the paused clock.
async fn until(mut done: impl FnMut() -> bool) {
    while !done() {
        std::thread::yield_now();
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_timeout_leaves_slot_and_leases_to_the_work_until_it_has_ended() {
    let (runtime, policy) = (Runtime::new(), policy("blocking timed out"));
    runtime.set_resource("blocking tokens", Some(10));
    let gate = Gate::default();
    let call = || {
        let call = policy.call().resource("blocking tokens", 10);
        runtime.scope(call.run(|| gate.pass()))
    };
    let mut first = polled(call());
    assert!(first.poll_once().is_pending());
    assert_eq!(held(&runtime), (1, 10));
    gate.begun(1).await;
    tokio::time::advance(Duration::from_secs(1)).await;
    let std::task::Poll::Ready(timed_out) = first.poll_once() else {
        panic!("still runs")
    };
    assert!(timed_out.unwrap_err().to_string().contains("timed out"));
    assert_eq!(held(&runtime), (1, 10), "nothing stops what has begun");
    assert!(call().await.unwrap_err().to_string().contains("exhausted"));
    let full = runtime.scope(policy.run(|| gate.pass())).await;
    assert!(full.unwrap_err().to_string().contains("full"));
    gate.open();
    until(|| held(&runtime) == (0, 0)).await;
}

#[tokio::test(start_paused = true)]
async fn what_ends_in_time_gives_back_at_once_and_answers() {
    let (runtime, policy) = (Runtime::new(), policy("blocking answers"));
    let answer = runtime.scope(policy.run(|| async {
        let text = String::from("seven");
        Ok::<_, Failure>(resilience::blocking(move || text.len()).await)
    }));
    assert_eq!(answer.await, Ok(5));
    assert_eq!(held(&runtime), (0, 0));
    assert_eq!(
        resilience::blocking(|| 1).await,
        1,
        "outside of any attempt"
    );
}

#[tokio::test(start_paused = true)]
async fn b10_a_panic_of_the_work_is_one_of_the_body_and_gives_everything_back() {
    let (runtime, policy) = (Runtime::new(), policy("blocking panics"));
    let task = tokio::spawn({
        let (runtime, policy) = (runtime.clone(), policy.clone());
        async move {
            let panics = || async {
                resilience::blocking(|| panic!("on purpose")).await;
                Ok::<_, Failure>(1)
            };
            runtime.scope(policy.run(panics)).await
        }
    });
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(held(&runtime), (0, 0));
    assert_eq!(runtime.summary().panicked, 1);
}

#[tokio::test(start_paused = true)]
async fn several_closures_of_one_attempt_hold_its_slot_until_the_last_has_ended() {
    let (runtime, policy) = (Runtime::new(), policy("blocking twice"));
    let gate = Gate::default();
    let both = || async {
        let (one, other) = tokio::join!(gate.pass(), gate.pass());
        one.and(other)
    };
    let mut call = polled(runtime.scope(policy.run(both)));
    assert!(call.poll_once().is_pending());
    gate.begun(2).await;
    drop(call);
    drop(gate.senders.lock().unwrap().pop());
    assert_eq!(held(&runtime), (1, 0));
    gate.open();
    until(|| held(&runtime) == (0, 0)).await;
}

#[test]
fn work_that_never_began_holds_nothing_although_every_thread_is_busy() {
    let tokio = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .max_blocking_threads(1)
        .build()
        .unwrap();
    let (runtime, policy) = (Runtime::new(), policy("blocking queued"));
    tokio.block_on(async {
        let (busy, wait) = std::sync::mpsc::channel::<()>();
        let other = tokio::task::spawn_blocking(move || wait.recv());
        let queued = || async { Ok::<_, Failure>(resilience::blocking(|| 1).await) };
        let mut call = polled(runtime.scope(policy.run(queued)));
        assert!(call.poll_once().is_pending());
        assert_eq!(held(&runtime).0, 1);
        drop(call);
        assert_eq!(held(&runtime), (0, 0));
        drop(busy);
        other.await.unwrap().unwrap_err();
    });
}
