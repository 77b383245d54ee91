//! Where calls may run: no tokio at all, a `LocalSet`, threads that meet at one breaker.

mod support;

use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Barrier;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use resilience::{BreakerState, Category, Policy, RateLimitOptions, Runtime, fail_fast, resilient};
use support::{Failure, Script};

/// Polls until it is ready, as any executor may.
fn poll_to_the_end<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    for _ in 0..100 {
        if let Poll::Ready(output) = poll(future.as_mut()) {
            return output;
        }
    }
    panic!("it waits for ever");
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// What an answer of ours says.
fn ours(result: Result<u32, Failure>) -> String {
    match result {
        Err(Failure::Ours(error)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[resilient(service = "no tokio", retries = 3)]
async fn call(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[fail_fast(service = "no tokio", resource(no_tokio = 1_u32))]
async fn strict(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[test]
fn without_tokio_a_call_runs_and_what_needs_a_timer_says_so() {
    let runtime = Runtime::new();
    let up = Script::failing(Category::NETWORK, 0);
    assert!(poll_to_the_end(runtime.scope(call(&up))).is_ok());
    assert!(poll_to_the_end(runtime.scope(strict(&up))).is_ok());

    // There is nothing to sleep with: the call ends with its own error.
    let down = Script::always(Category::NETWORK);
    let failed = poll_to_the_end(runtime.scope(call(&down)));
    assert!(matches!(failed, Err(Failure::Theirs(..))), "{failed:?}");
    assert_eq!(down.runs(), 1);

    let hanging = Script::hanging();
    let said = ours(poll_to_the_end(runtime.scope(call(&hanging))));
    assert!(said.contains("need a tokio runtime"), "{said}");
    let said = ours(poll_to_the_end(runtime.scope(strict(&hanging))));
    assert!(said.contains("need a tokio runtime"), "{said}");
    assert_eq!(runtime.resources()[0].current, 0);

    let once = RateLimitOptions::new().limit(1, Duration::from_secs(1));
    let limited = Policy::builder("no tokio limited").rate_limit(once);
    let limited = limited.build().unwrap();
    let run = || runtime.scope(limited.run(|| up.next()));
    assert!(poll_to_the_end(run()).is_ok());
    let said = ours(poll_to_the_end(run()));
    assert!(said.contains("need a tokio runtime"), "{said}");
    assert_eq!(runtime.limits()[0].waiting, 0);
    assert_eq!(poll_to_the_end(runtime.drain(Duration::MAX)), 0);
}

#[test]
fn without_tokio_zero_delays_need_no_timer() {
    #[resilient(retries = 20, backoff(initial = "0s"), timeout = off, breaker = off, budget = off)]
    async fn eager(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    let down = Script::always(Category::NETWORK);
    assert!(poll_to_the_end(Runtime::new().scope(eager(&down))).is_err());
    assert_eq!(down.runs(), 21);
}

#[test]
fn in_a_local_set_a_body_that_is_not_send_retries_and_times_out() {
    #[resilient(
        service = "local",
        retries = 2,
        backoff(initial = "1s"),
        timeout = "5s"
    )]
    async fn local(runs: Rc<std::cell::Cell<u32>>) -> Result<u32, Failure> {
        runs.set(runs.get() + 1);
        match runs.get() {
            1 => Err(Failure::of(Category::NETWORK)),
            2 => std::future::pending().await,
            runs => Ok(runs),
        }
    }
    let tokio = paused();
    let set = tokio::task::LocalSet::new();
    let runtime = Runtime::new();
    let result = set.block_on(&tokio, async {
        let runs = Rc::default();
        let task = async move { runtime.scope(local(runs)).await };
        tokio::task::spawn_local(task).await.unwrap()
    });
    assert_eq!(result, Ok(3));
}

#[test]
fn b4_threads_that_meet_at_an_open_breaker_send_one_probe() {
    #[resilient(
        service = "met",
        retries = 0,
        breaker(failure_threshold = 1, distinct_calls = 1, wait_duration = "30s")
    )]
    async fn met(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    let (tokio, runtime) = (paused(), Runtime::new());
    let _time = tokio.enter();
    let down = Script::always(Category::NETWORK);
    assert!(poll_to_the_end(runtime.scope(met(&down))).is_err());
    let state = || runtime.breaker("met").unwrap().state();
    assert_eq!(state(), BreakerState::Open);
    tokio.block_on(tokio::time::advance(Duration::from_secs(30)));

    let (hanging, all) = (Script::hanging(), Barrier::new(8));
    let thread = || {
        let _time = tokio.enter();
        let mut call = pin!(runtime.scope(met(&hanging)));
        all.wait();
        let end = poll(call.as_mut());
        // Whoever hangs does so until all have asked.
        all.wait();
        end
    };
    let ends: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(thread)).collect();
        let ends = threads.into_iter().map(|thread| thread.join().unwrap());
        ends.collect()
    });
    assert_eq!(hanging.runs(), 1, "{ends:?}");
    let refused = |end: &&Poll<Result<u32, Failure>>| matches!(end, Poll::Ready(Err(error)) if error.is_circuit_open());
    assert_eq!(ends.iter().filter(refused).count(), 7);
    // The probe was dropped, and its place is free again.
    let up = Script::failing(Category::NETWORK, 0);
    assert!(poll_to_the_end(runtime.scope(met(&up))).is_ok());
    assert_eq!(state(), BreakerState::Closed);
}

fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
}
