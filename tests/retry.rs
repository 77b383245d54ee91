//! What retries do, under paused time.

mod support;

use std::task::Poll;
use std::time::Duration;

use resilience::{
    Category, Classification, Classify, Error, ErrorKind, Retry, Runtime, TimeLimit, TimedOut,
    resilient,
};
use support::{Failure, Script, elapsed, polled};

fn timed_out(failure: Failure) -> TimedOut {
    let Failure::Ours(error) = failure else {
        panic!("{failure:?}")
    };
    let ErrorKind::TimedOut(timed_out) = error.kind() else {
        panic!("{error}")
    };
    timed_out
}

#[resilient(category = "weaviate", retries = 5)]
async fn weaviate(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[resilient]
async fn plain(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[resilient(retries = 3, backoff(initial = "1s", factor = 2, jitter = "none"), breaker = off)]
async fn steady(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[tokio::test(start_paused = true)]
async fn recovers_from_four_failures() {
    let script = Script::failing(Category::SERVICE, 4);
    let runtime = Runtime::new();
    assert_eq!(runtime.scope(weaviate(&script)).await, Ok(4));
    assert_eq!(script.runs(), 5);
    let summary = runtime.summary();
    assert_eq!(
        (summary.succeeded, summary.recovered, summary.retries),
        (1, 1, 4)
    );
    assert_eq!(summary.recovery_rate(), Some(100.0));
}

#[tokio::test(start_paused = true)]
async fn a_record_that_always_fails_does_not_stop_its_neighbours() {
    let (good, bad) = (
        Script::failing(Category::SERVICE, 0),
        Script::always(Category::SERVICE),
    );
    Runtime::new()
        .scope(async {
            assert!(weaviate(&bad).await.is_err());
            assert_eq!(weaviate(&good).await, Ok(0));
        })
        .await;
    // Six attempts of one call: the breaker, which asks for failures of two, is closed.
    assert_eq!(bad.runs(), 6);
}

#[tokio::test(start_paused = true)]
async fn r1_retries_are_further_attempts() {
    let script = Script::always(Category::NETWORK);
    let failure = Runtime::new().scope(steady(&script)).await.unwrap_err();
    assert_eq!(script.runs(), 4);
    assert_eq!(
        failure,
        Failure::of(Category::NETWORK).number(3),
        "not its own last error"
    );
}

#[tokio::test(start_paused = true)]
async fn the_delays_double_and_nobody_sleeps_after_the_last_attempt() {
    let script = Script::always(Category::NETWORK);
    let took = elapsed(Runtime::new().scope(steady(&script))).await;
    assert_eq!(took.as_secs(), 1 + 2 + 4);
}

#[tokio::test(start_paused = true)]
async fn the_category_of_the_error_at_hand_says_how_often() {
    for (category, runs) in [
        (Category::NETWORK, 5),
        (Category::SERVICE, 3),
        (Category::custom("billing"), 3),
        (Category::TIMEOUT, 3),
        (Category::FILESYSTEM, 2),
        (Category::UNKNOWN, 2),
        (Category::VALIDATION, 1),
        (Category::NOT_FOUND, 1),
        (Category::MEMORY, 1),
    ] {
        let script = Script::always(category);
        assert!(Runtime::new().scope(plain(&script)).await.is_err());
        assert_eq!(script.runs(), runs, "{category}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_final_classification_is_not_retried_and_neither_is_a_critical_one() {
    let quota = Failure::of(Category::RATE_LIMIT).with(|found| found.with_retry(Retry::No));
    let critical = Failure::of(Category::NETWORK)
        .with(|found| found.with_severity(resilience::Severity::Critical));
    for failure in [quota, critical] {
        let script = Script::always_with(failure);
        assert!(Runtime::new().scope(steady(&script)).await.is_err());
        assert_eq!(script.runs(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn r5_the_default_policy_has_jitter() {
    let mut took = Vec::new();
    for seed in 0..8 {
        let script = Script::failing(Category::NETWORK, 1);
        let runtime = Runtime::builder().jitter_seed(seed).build();
        took.push(elapsed(runtime.scope(plain(&script))).await);
    }
    let (low, high) = (Duration::from_millis(750), Duration::from_millis(1251));
    assert!(
        took.iter().all(|took| (low..=high).contains(took)),
        "{took:?}"
    );
    took.sort_unstable();
    took.dedup();
    assert!(took.len() > 4, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn r6_a_wish_for_an_hour_stops_at_once_with_the_last_error() {
    #[resilient(retries = 3, backoff(max = "10s"))]
    async fn impatient(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    let hour = Failure::of(Category::RATE_LIMIT)
        .with(|found| found.with_retry_after(Duration::from_secs(3600)));
    let script = Script::always_with(hour);
    let took = elapsed(Runtime::new().scope(impatient(&script))).await;
    assert_eq!((script.runs(), took), (1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn r7_a_wish_to_wait_is_granted() {
    let wish = Failure::of(Category::RATE_LIMIT)
        .with(|found| found.with_retry_after(Duration::from_secs(20)));
    let script = Script::failing_with(wish, 1);
    let took = elapsed(Runtime::new().scope(steady(&script))).await;
    assert_eq!((script.runs(), took.as_secs()), (2, 20));
}

#[tokio::test(start_paused = true)]
async fn r13_errors_and_values_need_not_be_clone() {
    struct NotClone(u32);
    #[resilient(retries = 2)]
    async fn fetch(script: &Script) -> Result<NotClone, std::io::Error> {
        let number = script
            .next()
            .await
            .map_err(|_| std::io::ErrorKind::ConnectionReset)?;
        Ok(NotClone(number))
    }
    let script = Script::failing(Category::NETWORK, 2);
    let NotClone(number) = Runtime::new().scope(fetch(&script)).await.unwrap();
    assert_eq!(number, 2);
}

#[tokio::test(start_paused = true)]
async fn r15_a_deadline_bounds_work_and_sleeps_and_no_sleep_ends_after_it() {
    #[resilient(
        retries = 9,
        deadline = "10s",
        backoff(initial = "4s", factor = 1, jitter = "none")
    )]
    async fn bounded(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    let script = Script::always(Category::NETWORK);
    let took = elapsed(Runtime::new().scope(bounded(&script))).await;
    // Attempts at 0, 4 and 8 s; the one at 12 s would be too late, so nobody waits for it.
    assert_eq!((script.runs(), took.as_secs()), (3, 8));

    let slow = Script::slow(Duration::from_secs(7), Category::NETWORK);
    let took = elapsed(Runtime::new().scope(bounded(&slow))).await;
    // 7 s of work, a delay that would end at 11 s.
    assert_eq!((slow.runs(), took.as_secs()), (1, 7));

    let hanging = Script::hanging();
    let start = tokio::time::Instant::now();
    let failure = Runtime::new().scope(bounded(&hanging)).await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 10);
    let timed_out = timed_out(failure);
    assert_eq!(
        (timed_out.attempts, timed_out.limit),
        (1, Duration::from_secs(10))
    );
    assert_eq!(timed_out.of, TimeLimit::Call);
}

#[tokio::test(start_paused = true)]
async fn r16_a_hanging_body_times_out_is_retried_and_ends_with_our_timeout() {
    #[resilient(retries = 1, timeout = "30s", breaker = off)]
    async fn hang(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    let script = Script::hanging();
    let runtime = Runtime::builder().jitter_seed(1).build();
    let start = tokio::time::Instant::now();
    let failure = runtime.scope(hang(&script)).await.unwrap_err();
    let took = start.elapsed().as_secs_f64();
    // 30 s, a delay of 5 s ± 25 %, 30 s.
    assert!((63.7..=66.3).contains(&took), "{took}");
    let timed_out = timed_out(failure);
    assert_eq!(
        (timed_out.attempts, timed_out.limit),
        (2, Duration::from_secs(30))
    );
    assert_eq!(script.runs(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_attempts_time_begins_when_it_is_first_asked_for() {
    #[resilient(retries = 0, timeout = "9s", breaker = off)]
    async fn asks() -> Result<u32, Failure> {
        assert!(resilience::current().is_some());
        // Time passes before the attempt is pending for the first time.
        tokio::time::advance(Duration::from_secs(4)).await;
        std::future::pending().await
    }
    let start = tokio::time::Instant::now();
    assert!(Runtime::new().scope(asks()).await.is_err());
    assert_eq!(start.elapsed(), Duration::from_secs(9));
}

#[tokio::test(start_paused = true)]
async fn r17_a_drop_during_the_delay_stops_at_once_and_leaks_nothing() {
    let script = Script::always(Category::NETWORK);
    let runtime = Runtime::new();
    let half_way = Duration::from_millis(500);
    let gone = tokio::time::timeout(half_way, runtime.scope(steady(&script))).await;
    assert!(gone.is_err());
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(script.runs(), 1);
    let summary = runtime.summary();
    assert_eq!((summary.calls, summary.cancelled), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn m1_the_breaker_ends_the_retries_with_the_bodys_own_error() {
    #[resilient(retries = 4, breaker(failure_threshold = 2, distinct_calls = 1))]
    async fn broken(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    let script = Script::always(Category::NETWORK);
    let runtime = Runtime::new();
    let first = runtime.scope(broken(&script)).await.unwrap_err();
    assert_eq!(first, Failure::of(Category::NETWORK).number(1));
    let second = runtime.scope(broken(&script)).await.unwrap_err();
    let Failure::Ours(error) = second else {
        panic!("{second:?}")
    };
    assert!(
        matches!(error.kind(), ErrorKind::CircuitOpen { .. }),
        "{error}"
    );
    assert_eq!(script.runs(), 2);
}

#[tokio::test]
async fn a_zero_delay_goes_on_at_once_without_a_timer() {
    #[resilient(retries = 5, backoff(initial = "0s"), breaker = off)]
    async fn eager(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    let script = Script::always(Category::NETWORK);
    let runtime = Runtime::new();
    let mut call = polled(runtime.scope(eager(&script)));
    assert!(call.poll_once().is_ready());
    assert_eq!(script.runs(), 6);
}

#[test]
fn m15_without_a_tokio_runtime_a_pending_body_ends_with_an_error_that_says_so() {
    #[resilient(retries = 2)]
    async fn pending() -> Result<u32, Error> {
        std::future::pending().await
    }
    let runtime = Runtime::new();
    let mut call = polled(runtime.scope(pending()));
    let std::task::Poll::Ready(Err(error)) = call.poll_once() else {
        panic!("still pending")
    };
    assert!(error.to_string().contains("tokio runtime"), "{error}");
}

/// The classification of a failure is what its site makes of it.
#[tokio::test(start_paused = true)]
async fn the_sites_category_replaces_service_and_unknown() {
    for (category, becomes) in [
        (Category::SERVICE, Category::WEAVIATE),
        (Category::UNKNOWN, Category::WEAVIATE),
        (Category::VALIDATION, Category::VALIDATION),
    ] {
        let runtime = Runtime::new();
        assert!(
            runtime
                .scope(weaviate(&Script::always(category)))
                .await
                .is_err()
        );
        assert_eq!(runtime.recent_errors(1)[0].category, becomes);
    }
}

#[test]
fn unknown_stays_unsure() {
    assert_eq!(Classification::unknown().retry(), Retry::Unsure);
    assert_eq!(
        Failure::of(Category::UNKNOWN).classify().retry(),
        Retry::Unsure
    );
}

#[tokio::test(start_paused = true)]
async fn a_refusal_after_failed_attempts_tells_of_the_last_one() {
    #[resilient(service = "refused later", retries = 2, backoff(initial = "1s"))]
    async fn refused_later(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    let (runtime, down) = (Runtime::new(), Script::always(Category::NETWORK));
    let mut call = polled(runtime.scope(refused_later(&down)));
    assert!(call.poll_once().is_pending(), "it waits for its retry");
    runtime.breaker("refused later").unwrap().force_open();
    tokio::time::advance(Duration::from_secs(2)).await;
    let Poll::Ready(Err(Failure::Ours(error))) = call.poll_once() else {
        panic!("not refused")
    };
    assert!(matches!(error.kind(), ErrorKind::CircuitOpen { .. }));
    assert_eq!(error.last_error(), Some("network failure 0"));
    assert!(
        error
            .to_string()
            .ends_with("reset; last error: network failure 0"),
        "{error}"
    );

    // A first attempt has nothing to tell of.
    let Err(Failure::Ours(error)) = runtime.scope(refused_later(&down)).await else {
        panic!("not refused")
    };
    assert_eq!(error.last_error(), None);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_inside_ends_the_call_unchanged_and_the_error_before_is_told_in_the_events() {
    #[resilient(
        service = "refuses inside",
        retries = 0,
        breaker(failure_threshold = 1, distinct_calls = 1)
    )]
    async fn inside(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    #[resilient(service = "refused from inside", retries = 4, backoff(initial = "1s"))]
    async fn around(script: &Script) -> Result<u32, Failure> {
        inside(script).await
    }
    let (runtime, down) = (Runtime::new(), Script::always(Category::NETWORK));
    let Err(Failure::Ours(error)) = runtime.scope(around(&down)).await else {
        panic!("not refused")
    };
    assert_eq!(error.service(), Some("refuses inside"));
    assert_eq!(
        error.last_error(),
        None,
        "it is the body's own error, as it returned it"
    );
    assert_eq!(down.runs(), 1, "and it is not tried again");
    let recent = runtime.recent_errors(10);
    let around = recent
        .iter()
        .filter(|error| error.service == "refused from inside");
    let told: Vec<_> = around.map(|error| &*error.message).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0], "network failure 0");
    assert!(told[1].starts_with("circuit open for service `refuses inside`"));
}
