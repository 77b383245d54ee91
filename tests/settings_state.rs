//! What limiters, budgets, bulkheads and resources know outlives a reload.

mod support;

use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use resilience::{Category, Runtime, Settings, fail_fast, resilient};
use support::{Failure, Script, polled};

#[resilient(operation = "kept", service = "kept")]
async fn kept(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

fn settings(numbers: &str) -> Settings {
    Settings::loader()
        .text(
            "test.toml",
            &format!("[services.kept]\nbreaker = \"off\"\ntimeout = \"off\"\n{numbers}\n"),
        )
        .variables::<String, String>([])
        .load()
        .unwrap()
}

fn runtime(numbers: &str) -> Runtime {
    let builder = Runtime::builder().settings(settings(numbers));
    builder.fixed_jitter(1.0).build()
}

/// How many of so many calls get through.
async fn through(runtime: &Runtime, calls: u32) -> u32 {
    let script = Script::failing(Category::NETWORK, 0);
    for _ in 0..calls {
        drop(runtime.scope(kept(&script)).await);
    }
    script.runs()
}

#[tokio::test(start_paused = true)]
async fn a_taken_permit_stays_taken() {
    let limit = |limit: &str, burst: u32| {
        format!(
            "rate_limit = {{ limit = \"{limit}\", burst = {burst}, max_wait = \"0s\" }}\nretries = 0"
        )
    };
    let runtime = runtime(&limit("10/100s", 10));
    assert_eq!(through(&runtime, 8).await, 8);
    // Other settings, the same limit: two are left.
    runtime.apply(&settings(&format!(
        "{}\ndeadline = \"9s\"",
        limit("10/100s", 10)
    )));
    assert_eq!(through(&runtime, 5).await, 2);
    // A burst of four more: four, at once.
    runtime.apply(&settings(&limit("10/100s", 14)));
    assert_eq!(through(&runtime, 9).await, 4);
    // A smaller one gives nothing back, and nothing away.
    runtime.apply(&settings(&limit("10/100s", 2)));
    assert_eq!(through(&runtime, 3).await, 0);
    // A permit comes back every ten seconds, and from the next event on every second.
    tokio::time::advance(Duration::from_secs(1_000)).await;
    assert_eq!(through(&runtime, 9).await, 2);
    runtime.apply(&settings(&limit("10/10s", 2)));
    assert_eq!(through(&runtime, 1).await, 0);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(through(&runtime, 9).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_budget_keeps_what_it_spent() {
    let budget = |floor: u32| {
        format!(
            "retries = 1\nbackoff.initial = \"0s\"\nbudget = {{ ratio = 0, min_per_second = {floor} }}"
        )
    };
    let retries = async |runtime: &Runtime, calls: u32| {
        let script = Script::always(Category::NETWORK);
        for _ in 0..calls {
            runtime.scope(kept(&script)).await.unwrap_err();
        }
        script.runs() - calls
    };
    let runtime = runtime(&budget(1));
    // Ten in ten seconds.
    assert_eq!(retries(&runtime, 7).await, 7);
    runtime.apply(&settings(&format!("{}\ndeadline = \"9s\"", budget(1))));
    assert_eq!(retries(&runtime, 20).await, 3);
    // More a second give nothing back, but come faster from now on.
    runtime.apply(&settings(&budget(3)));
    assert_eq!(retries(&runtime, 5).await, 0);
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(retries(&runtime, 20).await, 6);
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(retries(&runtime, 50).await, 30);
}

type Call<'a> = Pin<Box<dyn Future<Output = Result<u32, Failure>> + 'a>>;

#[tokio::test(start_paused = true)]
async fn a_smaller_bulkhead_drains_and_a_larger_one_lets_in_who_waits() {
    let bulkhead = |slots: u32, queue: u32| {
        settings(&format!(
            "retries = 0\nbulkhead = {{ concurrency = {slots}, queue = {queue} }}"
        ))
    };
    let runtime = Runtime::builder().settings(bulkhead(4, 10)).build();
    let script = Script::hanging();
    let begin = || {
        let call: Call<'_> = Box::pin(runtime.scope(kept(&script)));
        let mut call = polled(call);
        assert!(call.poll_once().is_pending());
        call
    };
    let taken = || {
        let limits = runtime.limits().pop().unwrap();
        (limits.running.unwrap(), limits.queued)
    };
    let mut inside: Vec<_> = (0..4).map(|_| begin()).collect();
    assert_eq!((taken(), script.runs()), ((4, 0), 4));

    runtime.apply(&bulkhead(2, 10));
    let mut waiting = begin();
    // All four go on; the fifth waits until fewer than two are inside.
    assert_eq!((taken(), script.runs()), ((4, 1), 4));
    for left in [3, 2] {
        inside.pop();
        assert!(waiting.poll_once().is_pending());
        assert_eq!((taken(), script.runs()), ((left, 1), 4));
    }
    inside.pop();
    assert!(waiting.poll_once().is_pending());
    assert_eq!((taken(), script.runs()), ((2, 0), 5));

    let mut others = [begin(), begin()];
    assert_eq!((taken(), script.runs()), ((2, 2), 5));
    // A shorter queue turns nobody out, but takes no more.
    runtime.apply(&bulkhead(2, 1));
    assert_eq!(taken(), (2, 2));
    let mut refused = polled(runtime.scope(kept(&script)));
    assert!(matches!(
        refused.poll_once(),
        Poll::Ready(Err(Failure::Ours(_)))
    ));
    runtime.apply(&bulkhead(4, 10));
    for other in &mut others {
        assert!(other.poll_once().is_pending());
    }
    assert_eq!((taken(), script.runs()), ((4, 0), 7));
}

#[tokio::test(start_paused = true)]
async fn a_part_that_was_off_for_a_while_knows_what_it_knew() {
    let limited = "retries = 0\nrate_limit = { limit = \"5/100s\", max_wait = \"0s\" }";
    let runtime = runtime(limited);
    assert_eq!(through(&runtime, 4).await, 4);
    runtime.apply(&settings("retries = 0"));
    assert_eq!(through(&runtime, 9).await, 9);
    runtime.apply(&settings(limited));
    assert_eq!(through(&runtime, 9).await, 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_leased_of_a_resource_stays_leased() {
    #[fail_fast(operation = "leases", timeout = off, resource(rows = 3_u32))]
    async fn leases(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }

    let rows = |limit: u32| {
        let loader = Settings::loader().text("test.toml", &format!("[resources]\nrows = {limit}"));
        loader.variables::<String, String>([]).load().unwrap()
    };
    let runtime = Runtime::builder().settings(rows(4)).build();
    let script = Script::hanging();
    let mut first = polled(runtime.scope(leases(&script)));
    assert!(first.poll_once().is_pending());
    let all = || {
        let rows = runtime.resources().pop().unwrap();
        (rows.current, rows.limit)
    };
    assert_eq!(all(), (3, Some(4)));
    runtime.apply(&rows(2));
    assert_eq!(all(), (3, Some(2)));
    runtime.scope(leases(&script)).await.unwrap_err();
    runtime.apply(&rows(6));
    let mut second = polled(runtime.scope(leases(&script)));
    assert!(second.poll_once().is_pending());
    assert_eq!(all(), (6, Some(6)));
    drop((first, second));
    assert_eq!(all(), (0, Some(6)));
}
