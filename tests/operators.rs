//! What operators see, and move by hand.

mod support;

use std::time::Duration;

use resilience::{
    BreakerHandle, BreakerOptions, BreakerState, BulkheadOptions, Category, Policy, Runtime,
    Settings, fail_fast, resilient,
};
use support::{Failure, Script, ends, polled};

#[resilient(service = "index", retries = 1, backoff(initial = "1s"), budget = off)]
async fn index(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[resilient(
    service = "tenants",
    key = tenant,
    retries = 0,
    breaker(failure_threshold = 1, distinct_calls = 1)
)]
async fn by_tenant(tenant: u32, script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[fail_fast(resource(operator_tokens = tokens, operator_rows = 1_u32))]
async fn leases(tokens: u64) -> Result<u64, Failure> {
    Ok(tokens)
}

async fn advance(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn an_operator_moves_a_breaker_by_hand_also_before_the_first_call() {
    let runtime = Runtime::new();
    let up = Script::failing(Category::NETWORK, 0);
    assert!(runtime.breaker("nobody's").is_none());
    let breaker = runtime.breaker("index").expect("a site names it");
    assert_eq!(breaker.service(), "index");
    breaker.force_open();
    let Failure::Ours(error) = runtime.scope(index(&up)).await.unwrap_err() else {
        panic!("not refused")
    };
    assert_eq!(error.retry_after(), None, "nobody knows");
    advance(1_000_000).await;
    assert_eq!(ends(&runtime, index(&up)).await, "circuit_open");

    breaker.force_closed();
    let down = Script::always(Category::NETWORK);
    for _ in 0..5 {
        assert_eq!(ends(&runtime, index(&down)).await, "theirs");
    }
    assert_eq!(breaker.summary().failures, 10);
    breaker.disable();
    assert_eq!(breaker.state(), BreakerState::Disabled);
    assert_eq!(runtime.breakers().len(), 1);
    runtime.reset_breakers();
    assert_eq!(breaker.state(), BreakerState::Closed);
    assert_eq!(runtime.summary().breaker_opens, 0, "it was the operator");
}

#[tokio::test(start_paused = true)]
async fn b21_a_retry_does_not_wait_for_a_breaker_that_is_held_open() {
    let runtime = Runtime::new();
    let breaker = runtime.breaker("index").expect("a site names it");
    let down = Script::always(Category::NETWORK);
    let mut call = polled(runtime.scope(index(&down)));
    assert!(call.poll_once().is_pending(), "it waits for its retry");
    breaker.force_open();
    advance(2).await;
    assert!(call.poll_once().is_ready());
    assert_eq!(down.runs(), 1);
    assert!(polled(runtime.scope(index(&down))).poll_once().is_ready());
}

#[tokio::test]
async fn the_free_functions_are_about_the_current_runtime() {
    let runtime = Runtime::new();
    runtime
        .scope(async {
            assert!(resilience::breakers().is_empty());
            let breaker = resilience::breaker("index").expect("a site names it");
            breaker.force_open();
            resilience::reset_breakers();
            assert_eq!(breaker.state(), BreakerState::Closed);
        })
        .await;
    assert_eq!(runtime.breakers().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_moved_by_hand_moves_the_breakers_of_keys_also_of_those_that_come_later() {
    let (up, down) = (
        Script::failing(Category::NETWORK, 0),
        Script::always(Category::NETWORK),
    );
    let runtime = Runtime::new();
    let succeeds = async |tenant| ends(&runtime, by_tenant(tenant, &up)).await;
    let fails = async |tenant| ends(&runtime, by_tenant(tenant, &down)).await;
    assert_eq!(fails(1).await, "theirs");
    assert_eq!(
        (succeeds(1).await, succeeds(2).await),
        ("circuit_open", "ok")
    );
    let breaker = runtime.breaker("tenants").expect("a site names it");

    type Move = fn(&BreakerHandle);
    let moves: [(Move, &str, &str); 4] = [
        (BreakerHandle::force_open, "circuit_open", "circuit_open"),
        (BreakerHandle::force_closed, "theirs", "ok"),
        (BreakerHandle::disable, "theirs", "ok"),
        (BreakerHandle::reset, "theirs", "circuit_open"),
    ];
    for (later, (by_hand, failing, then)) in (10..).zip(moves) {
        by_hand(&breaker);
        for tenant in [1, 2, later] {
            let told = format!("{tenant} {:?}", breaker.state());
            assert_eq!(fails(tenant).await, failing, "{told}");
            assert_eq!(succeeds(tenant).await, then, "{told}");
        }
    }
    // What keys' breakers did by themselves ends as well.
    breaker.reset();
    for tenant in [1, 2, 13, 99] {
        assert_eq!(succeeds(tenant).await, "ok");
    }
}

#[tokio::test(start_paused = true)]
async fn new_numbers_reach_the_breakers_of_keys() {
    let down = Script::always(Category::NETWORK);
    let runtime = Runtime::new();
    let fails = async |tenant| ends(&runtime, by_tenant(tenant, &down)).await;
    assert_eq!((fails(1).await, fails(1).await), ("theirs", "circuit_open"));
    let text = "[services.tenants.breaker]\nfailure_threshold = 2\nwait_duration = \"5s\"\n";
    runtime.apply(&Settings::loader().text("new", text).load().unwrap());
    advance(5).await;
    assert_eq!(fails(1).await, "theirs", "the present wait is shorter");
    for failure in ["theirs", "theirs", "circuit_open"] {
        assert_eq!(fails(2).await, failure);
    }
}

#[tokio::test]
async fn a_resource_without_a_limit_is_a_problem_before_the_first_call() {
    let runtime = Runtime::new();
    let told = || -> Vec<_> {
        let problems = runtime.problems();
        let of_resources = |problem: &&resilience::Problem| {
            let key = problem.key.as_deref();
            key.is_some_and(|key| key.starts_with("resources."))
        };
        problems
            .iter()
            .filter(of_resources)
            .map(ToString::to_string)
            .collect()
    };
    let (rows, tokens) = (told(), told());
    let [rows, tokens] = [&rows[0], &tokens[1]];
    assert!(
        rows.starts_with("`resources.operator_rows`: nobody has set a limit"),
        "{rows}"
    );
    assert!(rows.contains("tests/operators.rs:"), "{rows}");
    assert!(
        tokens.starts_with("`resources.operator_tokens`:"),
        "{tokens}"
    );
    runtime.set_resource("operator_tokens", Some(5));
    assert_eq!(told().len(), 1);
    let text = "[resources]\noperator_rows = 3\n";
    runtime.apply(&Settings::loader().text("limits", text).load().unwrap());
    assert_eq!(told(), [""; 0]);
    assert_eq!(runtime.scope(leases(5)).await, Ok(5));

    // A policy says with its first call what it asks for.
    let policy = Policy::fail_fast("operator leases").build().unwrap();
    let call = policy.call::<Failure>().resource("operator_bytes", 1);
    runtime.scope(call.run(|| async { Ok(()) })).await.unwrap();
    assert!(told()[0].starts_with("`resources.operator_bytes`"));
    let listed = runtime.scope(async { resilience::problems() }).await;
    assert_eq!(listed, runtime.problems());
}

#[tokio::test(start_paused = true)]
async fn a_policy_is_listed_and_settings_find_it_by_its_name() {
    let text = "[sites.\"operator policy\"]\nretries = 0\n";
    let load = || Settings::loader().text("policies", text).load();
    let unknown = load().unwrap_err().to_string();
    assert!(
        unknown.contains("no annotated function or policy has this name"),
        "{unknown}"
    );

    let policy = Policy::builder("operator policy")
        .service("operator service")
        .retries(3)
        .bulkhead(BulkheadOptions::new().concurrency(2))
        .build()
        .unwrap();
    let sites = resilience::sites();
    let site = sites
        .iter()
        .find(|site| site.operation == "operator policy")
        .unwrap();
    assert_eq!(
        (&*site.service, site.place.file),
        ("operator service", file!())
    );
    assert!(site.options.to_string().contains("retries = 3"));

    let runtime = Runtime::builder().settings(load().unwrap()).build();
    assert!(
        runtime.breaker("operator service").is_some(),
        "before its first call"
    );
    let down = Script::always(Category::NETWORK);
    runtime.scope(policy.run(|| down.next())).await.unwrap_err();
    assert_eq!(down.runs(), 1);
    let inspection = runtime.inspect().to_string();
    let of_policy = inspection
        .split("\n\n")
        .find(|site| site.starts_with("operator policy"));
    let told = of_policy.unwrap();
    let retries = told
        .lines()
        .find(|line| line.trim_start().starts_with("retries"));
    assert!(
        retries.is_some_and(|line| line.contains("sites (policies:")),
        "{told}"
    );
    assert!(told.contains("bulkhead.concurrency"), "{told}");

    // It stays known, so that a later reload does not stumble over its name.
    drop(policy);
    assert!(load().is_ok());
}

#[tokio::test(start_paused = true)]
async fn policies_that_disagree_are_problems_and_the_inspection_tells_what_holds() {
    let build = |operation, threshold| {
        let breaker = BreakerOptions::new()
            .failure_threshold(threshold)
            .distinct_calls(1);
        let policy = Policy::builder(operation).service("operators disagree");
        policy.retries(0).breaker(breaker).build().unwrap()
    };
    let (_built_first, run_first) = (build("disagrees a", 7), build("disagrees b", 1));
    let runtime = Runtime::new();
    let told: Vec<_> = runtime.problems().iter().map(ToString::to_string).collect();
    let told = told
        .iter()
        .find(|told| told.contains("operators disagree"))
        .unwrap();
    assert!(
        told.starts_with("`failure_threshold` of the breaker of service"),
        "{told}"
    );
    assert!(told.contains("the policy wrote that ran first"), "{told}");

    let down = Script::always(Category::NETWORK);
    let fails = async || ends(&runtime, run_first.run(|| down.next())).await;
    assert_eq!((fails().await, fails().await), ("theirs", "circuit_open"));
    let sites = runtime.inspect().sites;
    let of_service = sites
        .iter()
        .filter(|site| site.service == "operators disagree");
    let thresholds = of_service.flat_map(|site| &site.settings);
    let thresholds: Vec<_> = thresholds
        .filter(|setting| setting.key == "breaker.failure_threshold")
        .map(|setting| &*setting.value)
        .collect();
    assert_eq!(thresholds, ["1", "1"]);
}
