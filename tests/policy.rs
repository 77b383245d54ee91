//! Everything that the attributes do, without one.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use resilience::testing::Recorder;
use resilience::{
    BackoffOptions, BreakerOptions, BreakerState, BudgetOptions, BulkheadOptions, Category, Error,
    ErrorKind, Jitter, Nested, Policy, RateLimitOptions, Runtime, classify, resilient,
};
use support::{Failure, Script, elapsed, polled};

fn steady(operation: &'static str) -> resilience::PolicyBuilder {
    let second = BackoffOptions::new()
        .initial(Duration::from_secs(1))
        .jitter(Jitter::None);
    Policy::builder(operation).retries(2).backoff(second)
}

#[tokio::test(start_paused = true)]
async fn r1_it_retries_as_an_annotated_function_does() {
    let policy = steady("policy retries").build().unwrap();
    let (script, runtime) = (Script::failing(Category::NETWORK, 2), Runtime::new());
    let call = runtime.scope(policy.run(|| script.next()));
    assert_eq!(elapsed(call).await, Duration::from_secs(3));
    assert_eq!(script.runs(), 3);
    let summary = runtime.summary();
    assert_eq!((summary.recovered, summary.retries), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn b16_policies_and_functions_of_a_service_share_its_breaker_and_a_new_one_resets_nothing() {
    #[resilient(service = "policy shared", retries = 0)]
    async fn function(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    let build = || {
        Policy::builder("policy of shared")
            .service("policy shared")
            .retries(0)
            .breaker(BreakerOptions::new().failure_threshold(2))
            .build()
            .unwrap()
    };
    let (runtime, down) = (Runtime::new(), Script::always(Category::NETWORK));
    let first = build();
    for _ in 0..2 {
        let failed = runtime.scope(first.run(|| down.next())).await;
        assert!(!failed.unwrap_err().is_circuit_open());
    }
    let refused = runtime.scope(build().run(|| down.next())).await;
    assert!(refused.unwrap_err().is_circuit_open());
    let refused = runtime.scope(function(&down)).await;
    assert!(refused.unwrap_err().is_circuit_open());
    assert_eq!(down.runs(), 2, "b11, b14: an open breaker runs no body");
    let breaker = runtime.breaker("policy shared").unwrap();
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn what_a_later_policy_adds_to_its_service_holds_and_what_it_contradicts_does_not() {
    let of = |threshold| {
        Policy::builder("policy later").retries(0).breaker(
            BreakerOptions::new()
                .failure_threshold(threshold)
                .distinct_calls(1),
        )
    };
    let limit = RateLimitOptions::new()
        .limit(1, Duration::from_secs(60))
        .max_wait(Duration::ZERO);
    let (first, later) = (
        of(1).build().unwrap(),
        of(9).rate_limit(limit).build().unwrap(),
    );
    let (runtime, up) = (Runtime::new(), Script::failing(Category::NETWORK, 0));
    runtime
        .scope(async {
            assert_eq!(first.run(|| up.next()).await, Ok(0));
            assert_eq!(later.run(|| up.next()).await, Ok(1));
            let limited = later.run(|| up.next()).await.unwrap_err();
            assert!(limited.to_string().contains("rate limit"), "{limited}");
            let fails = || async { Err::<u32, _>(Failure::of(Category::NETWORK)) };
            assert!(!first.run(fails).await.unwrap_err().is_circuit_open());
            assert!(first.run(fails).await.unwrap_err().is_circuit_open());
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn b15_l5_clones_share_all_state_and_other_runtimes_none() {
    let policy = Policy::builder("policy cloned")
        .retries(0)
        .rate_limit(
            RateLimitOptions::new()
                .limit(1, Duration::from_secs(60))
                .max_wait(Duration::ZERO),
        )
        .build()
        .unwrap();
    let clone = policy.clone();
    let ok = || async { Ok::<_, Failure>(1) };
    for runtime in [Runtime::new(), Runtime::new()] {
        assert_eq!(runtime.scope(policy.run(ok)).await, Ok(1));
        let Err(Failure::Ours(error)) = runtime.scope(clone.run(ok)).await else {
            panic!("not limited")
        };
        assert!(matches!(error.kind(), ErrorKind::RateLimited { .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn its_future_is_send_where_the_bodys_is_and_a_body_may_borrow_and_own() {
    let policy = steady("policy spawned").build().unwrap();
    let script = Arc::new(Script::failing(Category::NETWORK, 1));
    let shared = Arc::clone(&script);
    let task = tokio::spawn(async move {
        let text = String::from("owned");
        let borrowed = policy
            .run(|| async {
                shared.next().await?;
                Ok::<_, Failure>(text.len())
            })
            .await?;
        let owned = policy
            .run(|| {
                let text = text.clone();
                async move { Ok::<_, Failure>(text.len()) }
            })
            .await?;
        Ok::<_, Failure>((borrowed, owned))
    });
    assert_eq!(task.await.unwrap(), Ok((5, 5)));
    assert_eq!(script.runs(), 2);

    // On one thread, what is not `Send` will do as well.
    let cell = std::cell::Cell::new(0);
    let policy = steady("policy local").build().unwrap();
    let local = policy.run(|| async {
        cell.set(cell.get() + 1);
        Ok::<_, Failure>(cell.get())
    });
    assert_eq!(local.await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn an_error_type_of_somebody_else_is_looked_at_by_a_function() {
    let policy = steady("policy anyhow").build().unwrap();
    let (runs, recorder) = (AtomicU32::new(0), Recorder::new());
    let runtime = Runtime::builder().listener(recorder.clone()).build();
    let call = policy
        .classify(|error: &anyhow::Error| classify::error(error.as_ref()))
        .run(|| async {
            if runs.fetch_add(1, Ordering::Relaxed) == 0 {
                let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
                return Err(anyhow::Error::new(refused).context("load profile"));
            }
            Ok("loaded")
        });
    assert_eq!(runtime.scope(call).await.unwrap(), "loaded");
    let events = recorder.events();
    assert!(
        events[0].contains("network:low: load profile: connection refused"),
        "{events:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn keys_have_their_own_breakers_and_retry_if_has_the_last_word() {
    let policy = Policy::builder("policy keyed")
        .retries(3)
        .breaker(BreakerOptions::new().failure_threshold(1).distinct_calls(1))
        .build()
        .unwrap();
    let (runtime, down) = (Runtime::new(), Script::always(Category::NETWORK));
    let never = |_: &Failure| false;
    runtime
        .scope(async {
            let call = |tenant: &'static str| {
                let (policy, down) = (&policy, &down);
                async move {
                    let call = policy.call().key(&tenant).retry_if(&never);
                    call.run(|| down.next()).await.unwrap_err()
                }
            };
            assert!(!call("one").await.is_circuit_open());
            assert!(call("one").await.is_circuit_open());
            assert!(!call("two").await.is_circuit_open());
        })
        .await;
    assert_eq!(down.runs(), 2);
}

#[tokio::test(start_paused = true)]
async fn fail_fast_refuses_without_running_and_never_waits() {
    let policy = Policy::fail_fast("policy strict")
        .bulkhead(BulkheadOptions::new().concurrency(1).queue(5))
        .build()
        .unwrap();
    let runtime = Runtime::new();
    runtime.set_resource("policy tokens", Some(10));
    let script = Script::failing(Category::NETWORK, 0);
    let call = |met, tokens| {
        policy
            .call()
            .require(met, "prompt", "must not be empty")
            .resource("policy tokens", tokens)
            .run(|| script.next())
    };
    let refused = runtime.scope(call(false, 1)).await.unwrap_err();
    assert!(refused.to_string().contains("`prompt` must not be empty"));
    let refused = runtime.scope(call(true, 11)).await.unwrap_err();
    assert!(refused.to_string().contains("0 of 10 taken"));
    assert_eq!(runtime.scope(call(true, 10)).await, Ok(0));
    assert_eq!(runtime.resources()[0].current, 0);

    let hanging = Script::hanging();
    let mut first = polled(runtime.scope(policy.run(|| hanging.next())));
    assert!(first.poll_once().is_pending());
    let mut second = polled(runtime.scope(policy.run(|| hanging.next())));
    assert!(second.poll_once().is_ready(), "it does not queue");

    let wrong = steady("policy not strict").build().unwrap();
    let error = wrong
        .call()
        .resource("policy tokens", 1)
        .run(|| script.next());
    assert!(
        error
            .await
            .unwrap_err()
            .to_string()
            .contains("`Policy::fail_fast`")
    );
}

#[tokio::test(start_paused = true)]
async fn nested_policies_do_not_multiply_unless_they_are_told_to() {
    for (nested, runs) in [(Nested::Stop, 3), (Nested::Retry, 9)] {
        let off = || steady("policy inner").breaker_off().budget_off();
        let inner = off().build().unwrap();
        let outer = off()
            .service("policy outer")
            .nested(nested)
            .build()
            .unwrap();
        let script = Script::always(Category::NETWORK);
        let call = outer.run(|| inner.run(|| script.next()));
        assert!(Runtime::new().scope(call).await.is_err());
        assert_eq!(script.runs(), runs);
    }
}

#[tokio::test]
async fn a_policy_that_is_dropped_leaves_nothing_but_its_services_state() {
    let runtime = Runtime::new();
    for _ in 0..100 {
        let policy = steady("policy many").build().unwrap();
        let ok = policy.run(|| async { Ok::<_, Failure>(()) });
        runtime.scope(ok).await.unwrap();
    }
    assert_eq!(runtime.breakers().len(), 1);
    assert!(format!("{runtime:?}").contains("sites: 0"), "{runtime:?}");
}

#[test]
fn build_tells_every_rule_that_is_broken() {
    // Numbers of a configuration, say.
    let error = Policy::builder("policy wrong")
        .service("")
        .timeout(Duration::ZERO)
        .breaker(BreakerOptions::new().failure_threshold(0))
        .build()
        .unwrap_err();
    let ErrorKind::Setting { field, message, .. } = error.kind() else {
        panic!("{error}")
    };
    assert_eq!(field, "service");
    assert_eq!(
        message,
        "`service` must not be empty; `timeout` must not be zero: use `timeout_off`; \
         `breaker.failure_threshold` must be at least 1"
    );
}

#[test]
fn it_knows_where_it_was_built() {
    let policy = Policy::builder("policy placed").build().unwrap();
    assert!(
        format!("{policy:?}").contains("tests/policy.rs:"),
        "{policy:?}"
    );
    let _: Error = Policy::fail_fast("").build().unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn b11_b18_an_open_breaker_never_runs_the_body_and_lets_a_probe_in_after_its_wait() {
    let wait = Duration::from_secs(30);
    let policy = Policy::builder("policy open")
        .retries(0)
        .breaker(
            BreakerOptions::new()
                .failure_threshold(1)
                .distinct_calls(1)
                .wait_duration(wait),
        )
        .build()
        .unwrap();
    let (runtime, script) = (Runtime::new(), Script::failing(Category::NETWORK, 1));
    assert!(runtime.scope(policy.run(|| script.next())).await.is_err());
    for second in 0..30 {
        let refused = runtime.scope(policy.run(|| script.next())).await;
        assert!(refused.unwrap_err().is_circuit_open(), "after {second} s");
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert_eq!(script.runs(), 1);
    assert_eq!(runtime.scope(policy.run(|| script.next())).await, Ok(1));
    let breaker = runtime.breaker("policy open").unwrap();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn r2_the_longest_durations_there_are_overflow_nowhere() {
    let longest = Duration::MAX;
    let policy = Policy::builder("policy long")
        .retries(3)
        .backoff(BackoffOptions::new().initial(longest).max(longest))
        .timeout(longest)
        .deadline(longest)
        .breaker(
            BreakerOptions::new()
                .failure_threshold(1)
                .distinct_calls(1)
                .wait_duration(longest)
                .wait_duration_max(longest),
        )
        .rate_limit(RateLimitOptions::new().limit(1, longest).max_wait(longest))
        .build()
        .unwrap();
    let (runtime, slow) = (
        Runtime::new(),
        Script::slow(Duration::from_secs(1), Category::NETWORK),
    );
    // The delay would never end: it stops with its error.
    let failed = runtime.scope(policy.run(|| slow.next())).await;
    assert_eq!(failed, Err(Failure::of(Category::NETWORK)));
    tokio::time::advance(Duration::from_secs(1_000_000)).await;
    let refused = runtime.scope(policy.run(|| slow.next())).await;
    assert!(refused.unwrap_err().is_circuit_open());
    let mut waits = polled(runtime.scope(async { runtime.drain(longest).await }));
    assert!(waits.poll_once().is_ready());
}

#[tokio::test(start_paused = true)]
async fn l11_every_number_of_the_limits_has_an_effect() {
    let at_once = || BackoffOptions::new().initial(Duration::ZERO);
    let minute = Duration::from_secs(60);
    // How many of ten calls at one time run, and how many wait.
    let outcome = |builder: resilience::PolicyBuilder| async move {
        let policy = builder.breaker_off().build().unwrap();
        let runtime = Runtime::new();
        let mut calls = Vec::new();
        for _ in 0..10 {
            let mut call = polled(runtime.scope(async {
                let hangs = std::future::pending::<Result<(), Failure>>;
                policy.run(hangs).await
            }));
            let refused = call.poll_once().is_ready();
            calls.push((refused, call));
        }
        let refused = calls.iter().filter(|(refused, _)| *refused).count();
        let limits = &runtime.limits()[0];
        (refused, limits.queued, limits.waiting)
    };
    let limit = RateLimitOptions::new().limit(4, minute);
    let limited = |limit| Policy::builder("policy l11").retries(0).rate_limit(limit);
    assert_eq!(
        outcome(limited(limit.max_wait(Duration::ZERO))).await,
        (6, 0, 0)
    );
    assert_eq!(
        outcome(limited(limit.burst(2).max_wait(Duration::ZERO))).await,
        (8, 0, 0)
    );
    assert_eq!(
        outcome(limited(limit.max_wait(minute / 2))).await,
        (4, 0, 2)
    );
    let slots = BulkheadOptions::new().concurrency(3);
    let full = |slots| Policy::builder("policy l11").retries(0).bulkhead(slots);
    assert_eq!(outcome(full(slots.queue(0))).await, (7, 0, 0));
    assert_eq!(outcome(full(slots.queue(5))).await, (2, 5, 0));

    let retries = |budget| async move {
        let builder = Policy::builder("policy l11").retries(1).backoff(at_once());
        let policy = builder.breaker_off().budget(budget).build().unwrap();
        let (runtime, down) = (Runtime::new(), Script::always(Category::NETWORK));
        for _ in 0..1_000 {
            assert!(runtime.scope(policy.run(|| down.next())).await.is_err());
        }
        down.runs() - 1_000
    };
    let none = BudgetOptions::new().ratio(0.0).min_per_second(0);
    assert_eq!(retries(none).await, 0);
    assert!((90..=110).contains(&retries(none.ratio(0.1)).await));
    assert!((490..=510).contains(&retries(none.ratio(0.5)).await));
    assert!((1..=50).contains(&retries(none.min_per_second(5)).await));
}
