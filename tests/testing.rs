//! The tools for tests: recorder, faults, no waits; and listeners in general.

mod support;

use std::time::Duration;

use resilience::testing::{Fault, Recorder};
use resilience::{BreakerState, Category, Event, Listener, Runtime, Severity, resilient};
use support::{Failure, Script, elapsed};

#[resilient(operation = "load", service = "shelf", retries = 2, timeout = "10s")]
async fn load(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

fn good() -> Script {
    Script::failing(Category::NETWORK, 0)
}

#[tokio::test(start_paused = true)]
async fn an_injected_error_stands_in_for_the_body() {
    let recorder = Recorder::new();
    let runtime = Runtime::builder()
        .fixed_jitter(0.5)
        .listener(recorder.clone())
        .build();
    runtime.inject("load", Fault::error(Category::SERVICE).times(2));
    let script = good();
    assert_eq!(runtime.scope(load(&script)).await, Ok(0));
    assert_eq!(script.runs(), 1);
    assert_eq!(
        recorder.events(),
        [
            "load: attempt 1/3 failed, service:medium: injected fault of category service",
            "load: attempt 2 in 2s",
            "load: attempt 2/3 failed, service:medium: injected fault of category service",
            "load: attempt 3 in 4s",
            "load: succeeded after 3 attempts",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_hang_times_out_and_a_delay_only_delays() {
    let runtime = Runtime::builder().fixed_jitter(0.5).build();
    runtime.inject("shelf", Fault::hang().times(1));
    let script = good();
    let took = elapsed(runtime.scope(load(&script))).await;
    assert_eq!((script.runs(), took.as_secs()), (1, 10 + 5));

    runtime.inject("shelf", Fault::delay(Duration::from_secs(7)).times(1));
    let took = elapsed(runtime.scope(load(&script))).await;
    assert_eq!((script.runs(), took.as_secs()), (2, 7));

    // Longer than the attempt may take: a timeout, a delay of 5 s, a second attempt.
    runtime.inject("shelf", Fault::delay(Duration::from_secs(70)).times(1));
    let took = elapsed(runtime.scope(load(&script))).await;
    assert_eq!((script.runs(), took.as_secs()), (3, 10 + 5));
}

#[tokio::test]
async fn without_waits_a_test_needs_no_time() {
    let runtime = Runtime::builder().no_waits().build();
    runtime.inject("load", Fault::error(Category::RATE_LIMIT).times(2));
    assert_eq!(runtime.scope(load(&good())).await, Ok(0));
    assert_eq!(runtime.summary().retries, 2);
}

#[tokio::test(start_paused = true)]
async fn b20_a_listener_that_panics_neither_poisons_nor_stops_anything() {
    struct Angry;
    impl Listener for Angry {
        fn on_event(&self, event: &Event<'_>) {
            panic!("{event}");
        }
    }
    let recorder = Recorder::new();
    let runtime = Runtime::builder()
        .no_waits()
        .listener(Angry)
        .listener(recorder.clone())
        .build();
    let down = Script::always(Category::NETWORK);
    for _ in 0..2 {
        assert!(runtime.scope(load(&down)).await.is_err());
    }
    assert!(
        runtime
            .scope(load(&down))
            .await
            .unwrap_err()
            .is_circuit_open()
    );
    let events = recorder.events();
    assert!(
        events.contains(&"breaker shelf: closed to open".to_owned()),
        "{events:#?}"
    );
}

#[tokio::test(start_paused = true)]
async fn built_in_listeners_can_be_left_out() {
    let runtime = Runtime::builder()
        .without_statistics()
        .without_tracing()
        .error_history_limit(0)
        .build();
    let down = Script::always(Category::VALIDATION);
    assert!(runtime.scope(load(&down)).await.is_err());
    let summary = runtime.summary();
    assert_eq!((summary.calls, summary.total_errors()), (0, 0));
    assert_eq!(summary.breakers[0].state, BreakerState::Closed);
    assert!(runtime.recent_errors(1).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_did_not_pass_is_of_higher_severity_than_one_that_may() {
    let runtime = Runtime::builder().no_waits().build();
    runtime.inject("load", Fault::error(Category::TIMEOUT));
    assert!(runtime.scope(load(&good())).await.is_err());
    let severities: Vec<_> = runtime
        .recent_errors(9)
        .into_iter()
        .map(|error| error.severity)
        .collect();
    assert_eq!(severities, [Severity::Low, Severity::Low, Severity::Medium]);
}
