//! What is counted, and how long calls took.

mod support;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use resilience::testing::Recorder;
use resilience::{Category, Context, Runtime, Severity, resilient};
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

#[tokio::test(start_paused = true)]
async fn an_outage_is_counted_and_leaves_the_failures_among_the_recent_errors() {
    for listens in [false, true] {
        let runtime = Runtime::new();
        if listens {
            runtime.add_listener(Recorder::new());
        }
        let down = Script::always(Category::NETWORK);
        for _ in 0..5 {
            let _ = runtime.scope(second(&down)).await;
        }
        let refused = async |times: u32| {
            for _ in 0..times {
                let answer = runtime.scope(second(&down)).await;
                assert!(matches!(answer, Err(Failure::Ours(_))), "{answer:?}");
            }
        };
        refused(1_000).await;
        tokio::time::advance(Duration::from_secs(10)).await;
        refused(1_000).await;

        let recent = runtime.recent_errors(usize::MAX);
        let messages: Vec<_> = recent.iter().map(|error| &*error.message).collect();
        assert_eq!(messages.len(), 6, "{messages:?}");
        assert_eq!(messages[4], "network failure 4");
        assert_eq!(
            messages[5],
            "circuit open for service `two` after 5 failures, next probe in 20s"
        );
        assert_eq!(
            (
                recent[5].operation,
                recent[5].error_type,
                recent[5].severity
            ),
            ("second", "circuit_open", Severity::High)
        );

        // What has something to tell is kept.
        Context::new().agent("scout").scope(refused(2)).await;
        assert_eq!(runtime.recent_errors(usize::MAX).len(), 8);

        let summary = runtime.summary();
        assert_eq!((summary.calls, summary.failed), (2_007, 5));
        assert_eq!((summary.rejected, summary.attempts), (2_002, 5));
        let text = summary.to_string();
        for line in [
            "errors service:high 2002",
            "errors network:medium 5",
            "errors of type circuit_open 2002",
            "errors of service two 2007",
            "errors of agent scout 2",
            "rejections circuit_open 2002",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
        let service = &summary.services[0];
        assert_eq!((service.calls, service.rejected), (2_007, 2_002));

        runtime.reset();
        let summary = runtime.summary();
        assert_eq!((summary.calls, summary.total_errors()), (0, 0));
        assert!(summary.rejections.is_empty() && summary.errors.is_empty());
        refused(3).await;
        assert_eq!(runtime.summary().rejected, 3);
        assert_eq!(runtime.recent_errors(usize::MAX).len(), 1);
    }
}
