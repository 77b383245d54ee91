//! What a program may hand over that is not as it should be: keys that hash at random or panic, errors
//! that panic when they are written or dropped, numbers at the ends of their ranges, futures dropped at
//! any moment. Whatever it is, everything is given back and the next call works.

mod support;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use resilience::{
    BackoffOptions, BreakerOptions, BudgetOptions, BulkheadOptions, Category, Classification,
    Classify, Error, Jitter, Policy, RateLimitOptions, Runtime, Settings, fail_fast, resilient,
};
use support::polled;

/// An error that panics where it is told to.
#[derive(Debug)]
struct Fragile(Where);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Where {
    Text,
    Drop,
    Conversion,
}

impl fmt::Display for Fragile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        assert_ne!(self.0, Where::Text, "in the text");
        f.write_str("fragile")
    }
}

impl Classify for Fragile {
    fn classify(&self) -> Classification {
        Classification::new(Category::NETWORK)
    }
}

impl From<Error> for Fragile {
    fn from(_: Error) -> Self {
        panic!("in the conversion");
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        assert_ne!(self.0, Where::Drop, "in the drop");
    }
}

/// With everything that can be held.
#[fail_fast(
    operation = "fragile",
    breaker(failure_threshold = 100),
    bulkhead(concurrency = 1),
    rate_limit = "1000/1s",
    resource(tokens = 3_u32)
)]
async fn fragile(at: Option<Where>) -> Result<(), Fragile> {
    at.map_or(Ok(()), |at| Err(Fragile(at)))
}

#[tokio::test(start_paused = true)]
async fn an_error_that_panics_takes_nothing_along() {
    let runtime = Runtime::new();
    runtime.set_resource("tokens", Some(3));
    let call = |at| {
        let mut call = polled(runtime.scope(fragile(at)));
        catch_unwind(AssertUnwindSafe(move || drop(call.poll_once())))
    };
    for at in [Where::Text, Where::Drop] {
        assert!(call(Some(at)).is_err(), "{at:?}");
        nothing_is_held(&runtime);
    }
    // All is taken, so that the answer is ours, and its conversion panics.
    runtime.set_resource("tokens", Some(0));
    assert!(call(Some(Where::Conversion)).is_err());
    nothing_is_held(&runtime);
    runtime.set_resource("tokens", Some(3));
    assert!(call(None).is_ok());
    nothing_is_held(&runtime);
}

fn nothing_is_held(runtime: &Runtime) {
    for limit in runtime.limits() {
        assert_eq!(
            (limit.running.unwrap_or(0), limit.queued, limit.waiting),
            (0, 0, 0),
            "{limit:?}"
        );
    }
    for resource in runtime.resources() {
        assert_eq!(resource.current, 0, "{resource:?}");
    }
}

/// A key that is another one each time that it is asked.
struct Restless;

impl Hash for Restless {
    fn hash<H: Hasher>(&self, state: &mut H) {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed).hash(state);
    }
}

/// A key that cannot be hashed.
struct Broken;

impl Hash for Broken {
    fn hash<H: Hasher>(&self, _: &mut H) {
        panic!("in the hash");
    }
}

/// A key that hashes nothing: as good as every other of its type.
struct Silent;

impl Hash for Silent {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

#[resilient(operation = "keyed", key = key, bulkhead(concurrency = 1), retries = 0)]
async fn keyed<K: Hash + Sync>(key: &K) -> Result<(), Error> {
    tokio::task::yield_now().await;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn keys_that_hash_at_random_or_not_at_all_or_panic_leave_nothing_behind() {
    let runtime = Runtime::new();
    for _ in 0..20_000 {
        runtime.scope(keyed(&Restless)).await.unwrap();
    }
    for _ in 0..10 {
        runtime.scope(keyed(&Silent)).await.unwrap();
        let mut call = polled(runtime.scope(keyed(&Broken)));
        let panicked = catch_unwind(AssertUnwindSafe(|| call.poll_once().is_ready()));
        assert!(panicked.is_err());
    }
    assert_eq!(runtime.drain(Duration::ZERO).await, 0);
    nothing_is_held(&runtime);
}

#[tokio::test(start_paused = true)]
async fn numbers_at_the_ends_of_their_ranges_panic_nowhere() {
    const MOST: Duration = Duration::MAX;
    const LEAST: Duration = Duration::from_nanos(1);
    let mut built = 0;
    for time in [Duration::ZERO, LEAST, MOST] {
        for count in [0, 1, u32::MAX] {
            for number in [
                0.0,
                1.0,
                f64::MIN_POSITIVE,
                f64::MAX,
                f64::NAN,
                f64::INFINITY,
            ] {
                let policy = Policy::builder("ends")
                    .retries(count.min(3))
                    .timeout(time)
                    .deadline(time)
                    .backoff(
                        BackoffOptions::new()
                            .initial(time)
                            .max(time)
                            .factor(number)
                            .jitter(Jitter::Decorrelated),
                    )
                    .breaker(
                        BreakerOptions::new()
                            .failure_threshold(count)
                            .distinct_calls(1)
                            .success_threshold(count)
                            .wait_duration(time),
                    )
                    .rate_limit(
                        RateLimitOptions::new()
                            .limit(count, time)
                            .burst(count)
                            .max_wait(time),
                    )
                    .bulkhead(BulkheadOptions::new().concurrency(count).queue(count))
                    .budget(BudgetOptions::new().ratio(number).min_per_second(count))
                    .build();
                let Ok(policy) = policy else { continue };
                built += 1;
                let runtime = Runtime::new();
                for _ in 0..3 {
                    let fails = policy
                        .run(|| async { Err::<(), _>(support::Failure::of(Category::NETWORK)) });
                    drop(tokio::time::timeout(Duration::from_secs(5), runtime.scope(fails)).await);
                }
                drop((runtime.summary(), runtime.inspect().to_string()));
                nothing_is_held(&runtime);
            }
        }
    }
    assert!(built > 0);
}

#[resilient(
    operation = "dropped",
    retries = 3,
    backoff(initial = "10ms", max = "20ms"),
    timeout = "50ms",
    bulkhead(concurrency = 2, queue = 4),
    rate_limit(limit = "100/100ms", burst = 2, max_wait = "200ms"),
    breaker(failure_threshold = 3, wait_duration = "30ms")
)]
async fn dropped(number: u32) -> Result<u32, support::Failure> {
    for _ in 0..number % 4 {
        tokio::task::yield_now().await;
    }
    if number.is_multiple_of(5) {
        tokio::time::sleep(Duration::from_millis(80)).await;
    }
    if number.is_multiple_of(3) {
        return Err(support::Failure::of(Category::NETWORK));
    }
    Ok(number)
}

#[test]
fn futures_dropped_at_any_moment_on_many_threads_leave_nothing_behind() {
    static MOMENT: AtomicU32 = AtomicU32::new(0);
    let threads = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap();
    let runtime = Runtime::new();
    threads.block_on(async {
        let calls = (0..2_000_u32).map(|number| {
            let runtime = runtime.clone();
            tokio::spawn(async move {
                let moment = MOMENT.fetch_add(1, Ordering::Relaxed) % 17;
                let call = runtime.scope(dropped(number));
                // After so many polls, or so much time, nobody is interested any more.
                if moment < 8 {
                    let mut call = std::pin::pin!(call);
                    let mut polls = 0;
                    std::future::poll_fn(|cx| {
                        polls += 1;
                        if polls > moment {
                            return std::task::Poll::Ready(());
                        }
                        call.as_mut().poll(cx).map(drop)
                    })
                    .await;
                } else {
                    let patience = Duration::from_millis(u64::from(moment) * 2);
                    drop(tokio::time::timeout(patience, call).await);
                }
            })
        });
        let calls: Vec<_> = calls.collect();
        // Meanwhile somebody cannot decide on the numbers.
        let settings = [
            "bulkhead = { concurrency = 1, queue = 0 }\nrate_limit = \"5/10ms\"",
            "bulkhead = { concurrency = 100, queue = 9 }\nrate_limit = \"4000000000/1ms\"",
            "breaker = { failure_threshold = 1, distinct_calls = 1 }\ntimeout = \"1ms\"",
        ]
        .map(|numbers| format!("[services.dropped]\n{numbers}"))
        .map(|text| Settings::loader().text("numbers", &text).load().unwrap());
        let deciding = tokio::spawn({
            let runtime = runtime.clone();
            async move {
                for settings in settings.iter().cycle().take(200) {
                    runtime.apply(settings);
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        });
        for call in calls {
            call.await.unwrap();
        }
        deciding.await.unwrap();
        assert_eq!(runtime.drain(Duration::from_secs(5)).await, 0);
    });
    nothing_is_held(&runtime);
    let summary = runtime.summary();
    assert_eq!(
        summary.calls,
        summary.succeeded
            + summary.failed
            + summary.rejected
            + summary.cancelled
            + summary.panicked,
        "{summary}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_future_that_was_never_polled_counts_nothing() {
    let runtime = Runtime::new();
    drop(runtime.scope(dropped(1)));
    drop(polled(runtime.scope(dropped(1))));
    assert_eq!(runtime.summary().calls, 0);
}

#[tokio::test]
async fn a_scope_may_be_a_task_of_its_own() {
    let runtime = Runtime::new();
    let task = tokio::spawn(runtime.scope(keyed(&1)));
    task.await.unwrap().unwrap();
    assert_eq!(runtime.summary().calls, 1);
}
