//! What is counted, and how long calls took.

mod support;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use resilience::testing::Recorder;
use resilience::{Category, Runtime, Severity, resilient};
use support::{Failure, Script, polled};

#[resilient(
    operation = "first",
    service = "one",
    retries = 2,
    backoff(initial = "0s")
)]
async fn first(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[resilient(operation = "second", service = "two", retries = 0)]
async fn second(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[resilient(operation = "around", service = "three", retries = 0)]
async fn around(script: &Script) -> Result<u32, Failure> {
    second(script).await
}

#[resilient(operation = "panics", service = "two", retries = 0)]
async fn panics() -> Result<u32, Failure> {
    panic!("at the disco")
}

#[tokio::test(start_paused = true)]
async fn every_call_is_counted_once_for_its_service_and_in_all() {
    let runtime = Runtime::new();
    nine_calls(&runtime).await;

    let summary = runtime.summary();
    assert_eq!(
        (
            summary.calls,
            summary.succeeded,
            summary.recovered,
            summary.failed
        ),
        (9, 4, 1, 2)
    );
    assert_eq!(
        (summary.rejected, summary.cancelled, summary.panicked),
        (1, 1, 1)
    );
    // 3 + 3 + 3 of the first, 1 + 1 + 1 of the second.
    assert_eq!((summary.attempts, summary.retries), (12, 4));
    assert_eq!(
        summary.recovery_attempts, 4,
        "recovered, two failed, panicked"
    );
    assert_eq!(summary.recovery_rate(), Some(25.0));
    assert_eq!(summary.total_errors(), 2 + 3 + 1 + 1 + 1);
    let per_attempt = summary.errors_per_attempt().unwrap();
    assert!((per_attempt - 8.0 / 12.0).abs() < 1e-9, "{per_attempt}");
    assert_eq!(summary.errors_per_call(), Some(8.0 / 9.0));
    let counts = |counts: &[resilience::Count]| {
        counts
            .iter()
            .map(|count| format!("{} {}", count.name, count.count))
            .collect::<Vec<_>>()
    };
    assert_eq!(counts(&summary.errors_by_service), ["one 6", "two 2"]);
    assert_eq!(counts(&summary.rejections), ["circuit_open 1"]);
    let of_type = counts(&summary.errors_by_type);
    assert!(of_type.contains(&"panic 1".to_owned()), "{of_type:?}");
    assert!(
        summary
            .errors
            .iter()
            .any(|error| (error.category, error.severity, error.count)
                == (Category::UNKNOWN, Severity::High, 1))
    );
    let services: Vec<_> = summary
        .services
        .iter()
        .map(|of| {
            (
                of.service.as_str(),
                of.calls,
                of.attempts,
                of.latency.count(),
            )
        })
        .collect();
    assert_eq!(services, [("one", 6, 9, 5), ("two", 3, 3, 1)]);
    let text = summary.to_string();
    for line in [
        "recovery rate 25.0 % (1 of 4)",
        "errors of service one 6",
        "rejections circuit_open 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    let recent = runtime.recent_errors(9);
    assert!(
        recent
            .iter()
            .any(|error| error.message == "the body panicked")
    );

    runtime.reset();
    let summary = runtime.summary();
    assert_eq!(
        (
            summary.calls,
            summary.total_errors(),
            summary.latency.count()
        ),
        (0, 0, 0)
    );
    assert_eq!(
        (summary.recovery_rate(), summary.errors_per_call()),
        (None, None)
    );
}

/// Of each kind at least one; the last is refused.
async fn nine_calls(runtime: &Runtime) {
    runtime
        .scope(async {
            for _ in 0..3 {
                first(&Script::failing(Category::NETWORK, 0)).await.unwrap();
            }
            first(&Script::failing(Category::NETWORK, 2)).await.unwrap();
            first(&Script::always(Category::NETWORK)).await.unwrap_err();
            second(&Script::always(Category::VALIDATION))
                .await
                .unwrap_err();
            let never = Script::hanging();
            let mut hanging = polled(second(&never));
            assert!(hanging.poll_once().is_pending());
            drop(hanging);
            let panicked = std::panic::catch_unwind(AssertUnwindSafe(|| {
                let _ = polled(panics()).poll_once();
            }));
            assert!(panicked.is_err());
        })
        .await;
    let breaker = runtime.breaker("one").unwrap();
    breaker.force_open();
    let refused = runtime
        .scope(first(&Script::failing(Category::NETWORK, 0)))
        .await;
    assert!(refused.unwrap_err().is_circuit_open());
    breaker.reset();
}

#[tokio::test(start_paused = true)]
async fn the_time_of_calls_that_wait_is_taken() {
    let runtime = Runtime::new();
    let (quick, slow) = (
        Script::failing(Category::NETWORK, 0),
        Script::slow(Duration::from_secs(3), Category::VALIDATION),
    );
    runtime
        .scope(async {
            for _ in 0..9 {
                second(&quick).await.unwrap();
            }
            second(&slow).await.unwrap_err();
        })
        .await;
    let latency = runtime.summary().latency;
    assert_eq!(latency.count(), 10);
    assert_eq!(latency.percentile(0.9), Some(Duration::ZERO));
    assert_eq!(latency.longest(), Some(Duration::from_secs(3)));
    assert_eq!(runtime.summary().services[0].latency, latency);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_one_inside_takes_as_long() {
    let runtime = Runtime::new();
    let slow = Script::slow(Duration::from_secs(3), Category::VALIDATION);
    runtime.scope(around(&slow)).await.unwrap_err();
    let services = runtime.summary().services;
    let longest: Vec<_> = services
        .iter()
        .map(|service| (service.service.as_str(), service.latency.longest()))
        .collect();
    let three_seconds = Some(Duration::from_secs(3));
    assert_eq!(longest, [("three", three_seconds), ("two", three_seconds)]);
}

#[tokio::test(start_paused = true)]
async fn the_counts_are_the_same_with_a_listener() {
    let runtime = Runtime::builder().listener(Recorder::new()).build();
    let script = Script::failing(Category::NETWORK, 1);
    runtime
        .scope(async {
            first(&script).await.unwrap();
            first(&script).await.unwrap();
        })
        .await;
    let summary = runtime.summary();
    assert_eq!(
        (summary.calls, summary.succeeded, summary.recovered),
        (2, 2, 1)
    );
    assert_eq!((summary.attempts, summary.retries), (3, 1));
    assert_eq!(summary.latency.count(), 2);
}
