//! The breaker at work in annotated functions, under paused time.

mod support;

use std::sync::Arc;
use std::time::Duration;

use resilience::__private_0_1_0::{Registered, Site, inventory};
use resilience::{
    BreakerOptions, BreakerState, Category, Options, Policy, Runtime, Window, resilient,
};
use support::{Failure, Script, ends, polled};

#[resilient(
    service = "index",
    retries = 2,
    backoff(initial = "1s", jitter = "none")
)]
async fn index(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

/// Another site of the same service.
#[resilient(service = "index", retries = 0)]
async fn ping(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[resilient(
    service = "strict",
    retries = 0,
    breaker(failure_threshold = 1, distinct_calls = 1)
)]
async fn strict(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[resilient(
    service = "probed",
    retries = 0,
    breaker(failure_threshold = 1, distinct_calls = 1, success_threshold = 3)
)]
async fn probed(script: &Script) -> Result<u32, Failure> {
    tokio::task::yield_now().await;
    script.next().await
}

fn state(runtime: &Runtime, service: &str) -> BreakerState {
    let breakers = runtime.summary().breakers;
    breakers
        .iter()
        .find(|breaker| breaker.service == service)
        .expect("the service")
        .state
}

async fn advance(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

const BILLING: Category = Category::custom("billing");

#[resilient(
    service = "choosy",
    retries = 0,
    timeout = "2s",
    breaker(
        failure_threshold = 1,
        distinct_calls = 1,
        ignore("rate_limit", "timeout", BILLING),
        record("auth", "filesystem"),
    )
)]
async fn choosy(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

/// Whose unrecognised errors are of a category that the service ignores.
#[resilient(service = "choosy", category = BILLING, retries = 0)]
async fn bill(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[tokio::test(start_paused = true)]
async fn categories_are_left_out_or_taken_in() {
    for (category, counted) in [
        (Category::RATE_LIMIT, false),
        (BILLING, false),
        (Category::NETWORK, true),
        (Category::AUTH, true),
        (Category::FILESYSTEM, true),
        (Category::NOT_FOUND, false),
    ] {
        let runtime = Runtime::new();
        let _ = runtime.scope(choosy(&Script::always(category))).await;
        let opens = state(&runtime, "choosy") == BreakerState::Open;
        assert_eq!(opens, counted, "{category}");
    }
    let runtime = Runtime::new();
    let unknown = Script::always(Category::UNKNOWN);
    let _ = runtime.scope(bill(&unknown)).await;
    assert_eq!(state(&runtime, "choosy"), BreakerState::Closed);
    let _ = runtime.scope(choosy(&unknown)).await;
    assert_eq!(state(&runtime, "choosy"), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn ignored_timeouts_do_not_count_whoever_drops_the_attempt() {
    let runtime = Runtime::new();
    let hanging = Script::hanging();
    let _ = runtime.scope(choosy(&hanging)).await;
    assert_eq!(state(&runtime, "choosy"), BreakerState::Closed);
    let mut call = polled(runtime.scope(choosy(&hanging)));
    assert!(call.poll_once().is_pending());
    advance(3).await;
    drop(call);
    assert_eq!(state(&runtime, "choosy"), BreakerState::Closed);
    assert_eq!(hanging.runs(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_is_no_failure_of_a_recorded_category() {
    let options = BreakerOptions::new()
        .failure_threshold(1)
        .distinct_calls(1)
        .record(&[Category::SERVICE, Category::RATE_LIMIT]);
    let inner = Policy::builder("ignore_inner").breaker(options).build();
    let outer = Policy::builder("ignore_outer").breaker(options).build();
    let (inner, outer) = (inner.unwrap(), outer.unwrap());
    let runtime = Runtime::new();
    let call = || async {
        let body = || async { Err::<u32, _>(Failure::of(Category::NETWORK)) };
        inner.run(body).await
    };
    let _ = runtime.scope(call()).await;
    assert_eq!(state(&runtime, "ignore_inner"), BreakerState::Open);
    let _ = runtime.scope(outer.run(call)).await;
    assert_eq!(state(&runtime, "ignore_outer"), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn an_outage_opens_it_at_the_fifth_failure_and_one_probe_closes_it() {
    let (down, up) = (
        Script::always(Category::NETWORK),
        Script::failing(Category::NETWORK, 0),
    );
    let runtime = Runtime::new();
    runtime
        .scope(async {
            // Three attempts, then two: the fifth failure in a row, of the second call.
            assert!(!index(&down).await.unwrap_err().is_circuit_open());
            assert!(!index(&down).await.unwrap_err().is_circuit_open());
            assert_eq!(down.runs(), 5);
            for _ in 0..10 {
                assert!(index(&down).await.unwrap_err().is_circuit_open());
                assert!(ping(&down).await.unwrap_err().is_circuit_open());
            }
            assert_eq!(down.runs(), 5, "b11: an open breaker runs no body");

            advance(29).await;
            assert!(ping(&up).await.unwrap_err().is_circuit_open());
            advance(1).await;
            assert_eq!(ping(&up).await, Ok(0));
        })
        .await;
    assert_eq!(state(&runtime, "index"), BreakerState::Closed);
    let summary = runtime.summary();
    assert_eq!((summary.breaker_opens, summary.rejected), (1, 21));
}

#[tokio::test(start_paused = true)]
async fn b4_a_hundred_callers_at_the_transition_run_exactly_the_probes() {
    let runtime = Runtime::new();
    let down = Script::always(Category::NETWORK);
    assert_eq!(ends(&runtime, probed(&down)).await, "theirs");
    advance(30).await;

    let up = Arc::new(Script::failing(Category::NETWORK, 0));
    let callers: Vec<_> = (0..100)
        .map(|_| {
            let (runtime, up) = (runtime.clone(), Arc::clone(&up));
            tokio::spawn(async move { runtime.scope(probed(&up)).await.is_ok() })
        })
        .collect();
    let mut succeeded = 0;
    for caller in callers {
        succeeded += u32::from(caller.await.unwrap());
    }
    assert_eq!((succeeded, up.runs()), (3, 3));
    assert_eq!(state(&runtime, "probed"), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn b5_dropping_a_probe_frees_its_place_at_once() {
    let runtime = Runtime::new();
    assert_eq!(
        ends(&runtime, strict(&Script::always(Category::NETWORK))).await,
        "theirs"
    );
    advance(30).await;
    let hanging = Script::hanging();
    for polls in 0..3 {
        let mut probe = polled(runtime.scope(strict(&hanging)));
        for _ in 0..polls {
            assert!(probe.poll_once().is_pending());
        }
        if polls > 0 {
            let refused = runtime.scope(strict(&hanging)).await.unwrap_err();
            assert!(refused.is_circuit_open(), "one probe at a time");
        }
        drop(probe);
    }
    assert_eq!(
        ends(&runtime, strict(&Script::failing(Category::NETWORK, 0))).await,
        "ok"
    );
    assert_eq!(state(&runtime, "strict"), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn b9_it_opens_after_threshold_timeouts() {
    #[resilient(service = "slow", retries = 0, timeout = "1s")]
    async fn slow(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    let (runtime, hanging) = (Runtime::new(), Script::hanging());
    for _ in 0..5 {
        assert_eq!(ends(&runtime, slow(&hanging)).await, "timed_out");
    }
    assert_eq!(ends(&runtime, slow(&hanging)).await, "circuit_open");
}

#[tokio::test(start_paused = true)]
async fn b9_a_drop_at_an_inherited_deadline_counts_and_any_other_drop_does_not() {
    #[resilient(
        service = "inner",
        retries = 0,
        breaker(failure_threshold = 1, distinct_calls = 1)
    )]
    async fn inner(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    #[resilient(service = "outer", retries = 0, timeout = "5s", breaker = off)]
    async fn outer(script: &Script) -> Result<u32, Failure> {
        inner(script).await
    }
    let (runtime, hanging) = (Runtime::new(), Script::hanging());
    let mut early = polled(runtime.scope(outer(&hanging)));
    assert!(early.poll_once().is_pending());
    advance(4).await;
    drop(early);
    assert_eq!(state(&runtime, "inner"), BreakerState::Closed);

    assert_eq!(ends(&runtime, outer(&hanging)).await, "timed_out");
    assert_eq!(state(&runtime, "inner"), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn b10_a_panic_counts_as_a_failure_and_the_next_call_works() {
    #[resilient(service = "panics", retries = 3, breaker(failure_threshold = 2))]
    async fn shaky(panics: bool) -> Result<u32, Failure> {
        tokio::task::yield_now().await;
        assert!(!panics, "on purpose");
        Ok(1)
    }
    let runtime = Runtime::new();
    let call = |panics| {
        let runtime = runtime.clone();
        tokio::spawn(async move { runtime.scope(shaky(panics)).await })
    };
    assert!(call(true).await.unwrap_err().is_panic());
    assert_eq!(call(false).await.unwrap(), Ok(1));
    assert!(call(true).await.is_err());
    assert!(call(true).await.is_err());
    assert!(call(false).await.unwrap().unwrap_err().is_circuit_open());
    let summary = runtime.summary();
    assert_eq!((summary.panicked, summary.breaker_opens), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn b12_a_refusal_names_the_service_and_the_time() {
    let runtime = Runtime::new();
    assert_eq!(
        ends(&runtime, strict(&Script::always(Category::NETWORK))).await,
        "theirs"
    );
    advance(10).await;
    let Failure::Ours(error) = runtime.scope(strict(&Script::hanging())).await.unwrap_err() else {
        panic!("not refused")
    };
    assert_eq!(error.service(), Some("strict"));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(20)));
}

#[tokio::test(start_paused = true)]
async fn b13_b14_a_refusal_neither_sleeps_nor_touches_the_body() {
    let runtime = Runtime::new();
    let down = Script::always(Category::NETWORK);
    for _ in 0..2 {
        assert_eq!(ends(&runtime, index(&down)).await, "theirs");
    }
    let runs = down.runs();
    assert!(polled(runtime.scope(index(&down))).poll_once().is_ready());
    assert_eq!(down.runs(), runs);
}

#[tokio::test(start_paused = true)]
async fn b15_clones_of_a_runtime_share_its_state() {
    let runtime = Runtime::new();
    let clone = runtime.clone();
    assert_eq!(
        ends(&clone, strict(&Script::always(Category::NETWORK))).await,
        "theirs"
    );
    assert_eq!(
        ends(&runtime, strict(&Script::hanging())).await,
        "circuit_open"
    );
    assert!(
        Runtime::new()
            .scope(strict(&Script::failing(Category::NETWORK, 0)))
            .await
            .is_ok(),
        "another runtime is another world"
    );
}

#[tokio::test(start_paused = true)]
async fn the_callers_own_faults_say_nothing_about_the_service() {
    let runtime = Runtime::new();
    for category in [
        Category::VALIDATION,
        Category::NOT_FOUND,
        Category::AUTH,
        Category::CONFLICT,
    ] {
        for _ in 0..3 {
            let down = Script::always(category);
            assert_eq!(ends(&runtime, strict(&down)).await, "theirs");
        }
    }
    assert_eq!(state(&runtime, "strict"), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn off_is_that_sites_alone() {
    #[resilient(service = "strict", retries = 0, breaker = off)]
    async fn unguarded(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    let runtime = Runtime::new();
    let down = Script::always(Category::NETWORK);
    assert_eq!(ends(&runtime, strict(&down)).await, "theirs");
    for _ in 0..3 {
        assert_eq!(ends(&runtime, unguarded(&down)).await, "theirs");
    }
    assert_eq!(down.runs(), 4);
}

/// The numbers of a service, as another site of it may write them.
static NUMBERS: Site = Site::new(
    "numbers",
    || "breaker::numbers::here",
    file!(),
    line!(),
    column!(),
    Options::resilient().service("sluggish").breaker(
        BreakerOptions::new()
            .slow_call_duration(Duration::from_secs(2))
            .slow_call_rate_threshold(0.5)
            .window(Window::Count(4))
            .minimum_calls(4)
            .wait_duration(Duration::from_secs(30))
            .wait_duration_max(Duration::from_secs(300)),
    ),
);
inventory::submit!(Registered(&NUMBERS));

#[resilient(service = "sluggish", retries = 0)]
async fn sluggish(takes: Duration) -> Result<(), Failure> {
    if !takes.is_zero() {
        tokio::time::sleep(takes).await;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn slow_calls_open_it_although_they_succeed_and_the_wait_grows() {
    let seconds = Duration::from_secs;
    let runtime = Runtime::new();
    for takes in [0, 1, 2] {
        assert_eq!(runtime.scope(sluggish(seconds(takes))).await, Ok(()));
    }
    assert_eq!(state(&runtime, "sluggish"), BreakerState::Closed);
    assert_eq!(runtime.scope(sluggish(seconds(3))).await, Ok(()));
    for wait in [30, 60, 120, 240, 300] {
        let Failure::Ours(error) = runtime.scope(sluggish(seconds(0))).await.unwrap_err() else {
            panic!("not refused")
        };
        assert_eq!(error.retry_after(), Some(seconds(wait)));
        assert!(error.to_string().contains("slow calls"), "{error}");
        advance(wait).await;
        assert_eq!(runtime.scope(sluggish(seconds(2))).await, Ok(()), "a probe");
    }
    advance(300).await;
    assert_eq!(runtime.scope(sluggish(seconds(1))).await, Ok(()));
    assert_eq!(state(&runtime, "sluggish"), BreakerState::Closed);
    assert_eq!(runtime.summary().breaker_opens, 6);
}
