//! Calls in the global runtime, as programs make them: no scope around them, and mostly nobody who
//! watches. Tests of one process share that runtime, so each has services of its own; what changes
//! the runtime for all runs in a process of its own. The first call of a site makes its state, so
//! what a test looks at is a later one.

mod support;

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::task::Poll;
use std::time::Duration;

use resilience::testing::{Fault, Recorder};
use resilience::{
    BreakerState, Category, Context, Runtime, ServiceSummary, Settings, current, fail_fast,
    propagate, resilient,
};
use support::{Failure, Script, kind, polled, waited};
use tokio::task::yield_now;
use tokio::time::advance;

const SECOND: Duration = Duration::from_secs(1);

/// What has been counted of a service.
fn counts(service: &str) -> ServiceSummary {
    let services = Runtime::global().summary().services;
    let found = services.into_iter().find(|found| found.service == service);
    found.unwrap_or_default()
}

/// Succeeded, failed, rejected, cancelled, panicked, which make all calls.
fn ends(service: &str) -> [u64; 5] {
    let counts = counts(service);
    let ends = [
        counts.succeeded,
        counts.failed,
        counts.rejected,
        counts.cancelled,
        counts.panicked,
    ];
    assert_eq!(counts.calls, ends.iter().sum::<u64>(), "{counts:?}");
    ends
}

fn state(service: &str) -> BreakerState {
    Runtime::global().breaker(service).unwrap().state()
}

fn failures(service: &str) -> u32 {
    let breaker = Runtime::global().breaker(service).unwrap();
    breaker.summary().failures
}

/// Attempts that hold a slot.
fn running(service: &str) -> u32 {
    let limits = Runtime::global().limits();
    let found = limits.iter().find(|limits| limits.service == service);
    found.and_then(|limits| limits.running).unwrap_or(0)
}

/// Nothing is left on this thread of the calls before.
fn nothing_around() {
    assert_eq!(current(), None);
}

fn down() -> Script {
    Script::always(Category::NETWORK)
}

fn up() -> Script {
    Script::failing(Category::NETWORK, 0)
}

/// Runs what panics.
fn panics<F: Future>(future: F) -> bool {
    let mut future = polled(future);
    catch_unwind(AssertUnwindSafe(|| future.poll_once())).is_err()
}

#[tokio::test(start_paused = true)]
async fn a_call_recovers_and_each_end_counts_once() {
    #[resilient(
        service = "g recovers",
        retries = 2,
        backoff(initial = "1s", jitter = "none")
    )]
    async fn call(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    assert_eq!(call(&up()).await, Ok(0));
    let (result, took) = waited(call(&Script::failing(Category::NETWORK, 1))).await;
    assert_eq!((result, took), (Ok(1), SECOND));
    let slow = Script::slow(SECOND, Category::VALIDATION);
    assert!(call(&slow).await.is_err());
    nothing_around();
    let counts = counts("g recovers");
    assert_eq!(ends("g recovers"), [2, 1, 0, 0, 0]);
    assert_eq!((counts.recovered, counts.retries), (1, 1));
    assert_eq!((counts.attempts, counts.recovery_attempts), (4, 2));
    assert_eq!(counts.latency.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_fifth_failure_opens_the_breaker_and_a_probe_closes_it() {
    #[resilient(service = "g breaker", retries = 0)]
    async fn call(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    let script = down();
    // A success in between: the failures before it do not count.
    assert!(call(&script).await.is_err());
    assert_eq!(failures("g breaker"), 1);
    assert!(call(&up()).await.is_ok());
    assert_eq!(failures("g breaker"), 0);
    for failed in 1..=5 {
        assert_eq!(state("g breaker"), BreakerState::Closed, "{failed}");
        assert_eq!(kind(call(&script).await), "theirs");
    }
    assert_eq!(state("g breaker"), BreakerState::Open);
    assert_eq!(kind(call(&script).await), "circuit_open");
    advance(30 * SECOND).await;
    // A probe that is dropped gives its place back, one that fails opens again.
    {
        let hanging = Script::hanging();
        let mut dropped = polled(call(&hanging));
        assert!(dropped.poll_once().is_pending());
        assert_eq!(state("g breaker"), BreakerState::HalfOpen);
    }
    assert_eq!(kind(call(&script).await), "theirs");
    assert_eq!(kind(call(&script).await), "circuit_open");
    advance(60 * SECOND).await;
    while state("g breaker") != BreakerState::Closed {
        assert_eq!(call(&up()).await, Ok(0));
    }
    assert_eq!(call(&up()).await, Ok(0));
    assert_eq!(script.runs(), 7);
    nothing_around();
}

/// What was let through by a closed breaker says nothing about a later state of it.
#[tokio::test(start_paused = true)]
async fn a_late_end_moves_no_later_state() {
    #[resilient(
        service = "g late",
        retries = 0,
        breaker(failure_threshold = 2, success_threshold = 1)
    )]
    async fn call(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    #[resilient(service = "g late", retries = 0)]
    async fn opens_meanwhile(fails: bool) -> Result<u32, Failure> {
        let breaker = Runtime::global().breaker("g late").unwrap();
        breaker.force_open();
        if fails {
            return Err(Failure::of(Category::NETWORK));
        }
        Ok(1)
    }
    let breaker = Runtime::global().breaker("g late").unwrap();
    for fails in [false, false, true] {
        assert_eq!(opens_meanwhile(fails).await.is_err(), fails);
        assert_eq!(state("g late"), BreakerState::ForcedOpen);
        breaker.reset();
    }
    // And one that others have found failing while it ran clears their failure.
    #[resilient(service = "g late", retries = 0)]
    async fn fails_meanwhile() -> Result<u32, Failure> {
        let other = tokio::spawn(async { call(&down()).await });
        assert!(other.await.unwrap().is_err());
        Ok(1)
    }
    for _ in 0..2 {
        assert_eq!(fails_meanwhile().await, Ok(1));
        assert_eq!(failures("g late"), 0);
    }
}

#[resilient(operation = "g lowest", retries = 4, backoff(initial = "0s"))]
async fn lowest(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[tokio::test(start_paused = true)]
async fn three_layers_of_five_attempts_make_five() {
    #[resilient(operation = "g low", retries = 4, backoff(initial = "0s"))]
    async fn low(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    #[resilient(operation = "g middle", retries = 4, backoff(initial = "0s"))]
    async fn middle(script: &Script) -> Result<u32, Failure> {
        low(script).await
    }
    #[resilient(operation = "g top", retries = 4, backoff(initial = "0s"))]
    async fn top(script: &Script) -> Result<u32, Failure> {
        middle(script).await
    }
    assert_eq!(top(&up()).await, Ok(0));
    let script = down();
    assert!(top(&script).await.is_err());
    assert_eq!(script.runs(), 5);
    let counted = ["g low", "g middle", "g top"].map(failures);
    assert_eq!(counted, [5, 0, 0]);
    nothing_around();
}

#[tokio::test(start_paused = true)]
async fn a_later_inner_success_clears_the_mark() {
    #[resilient(operation = "g cleared", retries = 1, backoff(initial = "0s"))]
    async fn outer(bad: &Script, good: &Script, own: &Script) -> Result<u32, Failure> {
        let _ = lowest(bad).await;
        lowest(good).await?;
        own.next().await
    }
    assert_eq!(outer(&up(), &up(), &up()).await, Ok(0));
    let own = Script::failing(Category::NETWORK, 1);
    let bad = Script::always(Category::NOT_FOUND);
    assert_eq!(outer(&bad, &up(), &own).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn limits_are_inherited_and_begin_when_the_first_inside_asks() {
    #[resilient(
        operation = "g patient",
        retries = 5,
        backoff(initial = "2s", factor = 1, jitter = "none")
    )]
    async fn patient(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    #[resilient(operation = "g by deadline", retries = 0, deadline = "3s", timeout = off)]
    async fn by_deadline(script: &Script) -> Result<u32, Failure> {
        patient(script).await
    }
    #[resilient(operation = "g by timeout", retries = 0, timeout = "3s")]
    async fn by_timeout(script: &Script) -> Result<u32, Failure> {
        patient(script).await
    }
    #[resilient(operation = "g asked", retries = 0, timeout = "3s")]
    async fn asked_first() -> Result<u32, Failure> {
        let remaining = || current().unwrap().remaining;
        assert_eq!(remaining(), Some(3 * SECOND));
        tokio::time::sleep(SECOND).await;
        assert_eq!(remaining(), Some(2 * SECOND));
        std::future::pending().await
    }
    assert!(by_deadline(&up()).await.is_ok() && by_timeout(&up()).await.is_ok());
    for by_timeout_instead in [false, true] {
        let script = down();
        let took = if by_timeout_instead {
            waited(by_timeout(&script)).await.1
        } else {
            waited(by_deadline(&script)).await.1
        };
        assert_eq!((script.runs(), took), (2, 2 * SECOND));
    }
    for _ in 0..2 {
        let (result, took) = waited(asked_first()).await;
        assert_eq!((kind(result), took), ("timed_out", 3 * SECOND));
    }
    nothing_around();
}

#[tokio::test(start_paused = true)]
async fn a_body_sees_its_attempt() {
    #[resilient(
        operation = "g sees",
        retries = 1,
        timeout = "7s",
        deadline = "9s",
        backoff(initial = "4s", jitter = "none")
    )]
    async fn sees(seen: &std::sync::Mutex<Vec<(u32, Option<Duration>)>>) -> Result<u32, Failure> {
        let here = current().unwrap();
        assert_eq!(here.operation, "g sees");
        yield_now().await;
        assert_eq!(current().unwrap().attempt, here.attempt);
        seen.lock().unwrap().push((here.attempt, here.remaining));
        Err(Failure::of(Category::NETWORK))
    }
    for _ in 0..2 {
        let seen = std::sync::Mutex::default();
        assert!(sees(&seen).await.is_err());
        let seen = seen.into_inner().unwrap();
        assert_eq!(seen, [(1, Some(7 * SECOND)), (2, Some(5 * SECOND))]);
    }
    #[resilient(operation = "g unlimited", timeout = off)]
    async fn unlimited() -> Result<Option<Duration>, Failure> {
        Ok(current().unwrap().remaining)
    }
    #[resilient(operation = "g deadline first", timeout = off, deadline = "3s")]
    async fn deadline_first() -> Result<Option<Duration>, Failure> {
        Ok(current().unwrap().remaining)
    }
    for _ in 0..2 {
        assert_eq!(unlimited().await, Ok(None));
        assert_eq!(deadline_first().await, Ok(Some(3 * SECOND)));
    }
    nothing_around();
}

/// One breaker, one slot: whoever is inside uses those of the attempt around it.
#[tokio::test(start_paused = true)]
async fn recursion_uses_the_slot_and_the_admission_around_it() {
    #[resilient(
        service = "g tree",
        retries = 0,
        timeout = "9s",
        breaker(failure_threshold = 2, distinct_calls = 1),
        bulkhead(concurrency = 1, queue = 1)
    )]
    async fn walk(depth: u32, script: &Script) -> Result<u32, Failure> {
        assert_eq!(running("g tree"), 1);
        if depth == 0 {
            script.next().await
        } else {
            Box::pin(walk(depth - 1, script)).await
        }
    }
    #[resilient(
        service = "g plain tree",
        retries = 0,
        breaker(failure_threshold = 2, distinct_calls = 1)
    )]
    async fn walk_plainly(depth: u32, script: &Script) -> Result<u32, Failure> {
        if depth == 0 {
            script.next().await
        } else {
            Box::pin(walk_plainly(depth - 1, script)).await
        }
    }
    assert_eq!(waited(walk(3, &up())).await, (Ok(0), Duration::ZERO));
    assert_eq!(walk_plainly(3, &up()).await, Ok(0));
    assert!(walk(3, &down()).await.is_err());
    assert!(walk_plainly(3, &down()).await.is_err());
    assert_eq!(["g tree", "g plain tree"].map(failures), [1, 1]);
    assert_eq!(running("g tree"), 0);
    nothing_around();
}

#[tokio::test(start_paused = true)]
async fn inside_fail_fast_nothing_retries() {
    #[fail_fast(service = "g strict")]
    async fn strict(script: &Script) -> Result<u32, Failure> {
        lowest_of_strict(script).await
    }
    #[resilient(operation = "g strict lowest", retries = 4, backoff(initial = "0s"), breaker = off)]
    async fn lowest_of_strict(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    assert_eq!(strict(&up()).await, Ok(0));
    let script = down();
    assert!(strict(&script).await.is_err());
    assert_eq!(script.runs(), 1);
    assert!(lowest_of_strict(&script).await.is_err());
    assert_eq!(script.runs(), 6);
}

#[tokio::test(start_paused = true)]
async fn the_context_and_the_attempt_are_taken_along_to_another_task() {
    #[fail_fast(operation = "g spawns", timeout = "9s")]
    async fn spawns() -> Result<(u32, Option<Duration>, String), Failure> {
        let task = propagate(async move {
            let script = down();
            let _ = retries_propagated(&script).await;
            let remaining = current().and_then(|current| current.remaining);
            (
                script.runs(),
                remaining,
                format!("{:?}", Context::current()),
            )
        });
        let there = tokio::spawn(task).await.unwrap();
        assert_eq!(current().unwrap().operation, "g spawns");
        Ok(there)
    }
    #[resilient(operation = "g propagated", retries = 3, backoff(initial = "0s"), breaker = off)]
    async fn retries_propagated(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    for _ in 0..2 {
        let context = Context::default().agent("scout");
        let (runs, remaining, context) = context.scope(spawns()).await.unwrap();
        assert_eq!((runs, remaining), (1, Some(9 * SECOND)));
        assert!(context.contains("scout"), "{context}");
        assert!(Context::current().is_empty());
    }

    // And polled in the same task: around it there is again what was there.
    #[resilient(operation = "g same task", retries = 0, timeout = "9s")]
    async fn same_task() -> Result<u32, Failure> {
        let script = down();
        let outside = propagate(async { current().map(|current| current.operation) });
        assert_eq!(outside.await, Some("g same task"));
        let _ = propagate(retries_propagated(&script)).await;
        assert_eq!(current().unwrap().operation, "g same task");
        yield_now().await;
        assert_eq!(current().unwrap().operation, "g same task");
        Ok(script.runs())
    }
    for _ in 0..2 {
        assert_eq!(same_task().await, Ok(4));
    }
    // From outside of any attempt: nothing is around it, wherever it is polled.
    #[resilient(operation = "g foreign", retries = 0)]
    async fn foreign(other: impl Future<Output = bool>) -> Result<bool, Failure> {
        let nothing = other.await;
        assert_eq!(current().unwrap().operation, "g foreign");
        Ok(nothing)
    }
    let script = down();
    let outside = propagate(async {
        let free = current().is_none();
        free && retries_propagated(&script).await.is_err() && current().is_none()
    });
    assert_eq!(foreign(std::future::ready(true)).await, Ok(true));
    assert_eq!(foreign(outside).await, Ok(true));
    assert_eq!(script.runs(), 4);
    nothing_around();
}

#[tokio::test(start_paused = true)]
async fn scoped_runtimes_inside_and_around() {
    #[resilient(operation = "g scoped", retries = 4, backoff(initial = "0s"))]
    async fn inner(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    #[resilient(operation = "g scoping", retries = 4, backoff(initial = "0s"))]
    async fn outer(runtime: &Runtime, script: &Script) -> Result<u32, Failure> {
        let result = runtime.scope(inner(script)).await;
        assert_eq!(current().unwrap().operation, "g scoping");
        result
    }
    for failed in 1..=2 {
        let (runtime, script) = (Runtime::new(), down());
        assert!(outer(&runtime, &script).await.is_err());
        assert_eq!(script.runs(), 5, "marks cross runtimes");
        assert_eq!(ends("g scoped"), [0; 5]);
        assert_eq!(runtime.summary().failed, 1);
        assert_eq!(ends("g scoping"), [0, failed, 0, 0, 0]);
    }

    // The other way round, and behind the scope as before it.
    let runtime = Runtime::new();
    assert_eq!(inner(&up()).await, Ok(0));
    assert_eq!(runtime.scope(inner(&up())).await, Ok(0));
    assert_eq!(inner(&up()).await, Ok(0));
    let global = runtime.scope(async { Runtime::global().scope(inner(&up())).await });
    assert_eq!(global.await, Ok(0));
    assert_eq!(ends("g scoped"), [3, 0, 0, 0, 0]);
    assert_eq!(runtime.summary().calls, 1);
    nothing_around();
}

#[tokio::test(start_paused = true)]
async fn calls_side_by_side_do_not_enclose_each_other() {
    #[resilient(operation = "g beside", retries = 3, backoff(initial = "0s"), breaker = off, timeout = "5s")]
    async fn beside(script: &Script, waits: bool) -> Result<u32, Failure> {
        assert_eq!(current().unwrap().operation, "g beside");
        if waits {
            tokio::time::sleep(SECOND).await;
            assert_eq!(current().unwrap().remaining, Some(4 * SECOND));
        }
        script.next().await
    }
    let scripts = [down(), down(), Script::failing(Category::NETWORK, 2)];
    let (a, b, c) = tokio::join!(
        beside(&scripts[0], false),
        beside(&scripts[1], true),
        beside(&scripts[2], true)
    );
    assert!(a.is_err() && b.is_err());
    assert_eq!(c, Ok(2));
    assert_eq!(scripts.map(|script| script.runs()), [4, 4, 3]);
    let (hanging, quick) = (Script::hanging(), up());
    let won = tokio::select! {
        biased;
        result = beside(&hanging, false) => result,
        result = beside(&quick, true) => result,
    };
    assert_eq!(won, Ok(0));
    assert_eq!(ends("g beside"), [2, 2, 0, 1, 0]);
    nothing_around();
}

/// Polls once on one thread, and then to the end on another.
#[test]
fn a_pending_call_goes_on_on_another_thread() {
    #[resilient(
        operation = "g moves",
        retries = 1,
        backoff(initial = "0s"),
        bulkhead(concurrency = 1, queue = 0)
    )]
    async fn moves(first: &AtomicU32) -> Result<u32, Failure> {
        yield_now().await;
        let here = current().unwrap();
        assert_eq!((here.operation, running("g moves")), ("g moves", 1));
        if first.fetch_add(1, Ordering::Relaxed) == 0 {
            return Err(Failure::of(Category::NETWORK));
        }
        Ok(here.attempt)
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    let _entered = runtime.enter();
    let ready = AtomicU32::new(1);
    assert_eq!(runtime.block_on(moves(&ready)), Ok(1));
    let mut call = polled(async {
        let first = AtomicU32::new(0);
        moves(&first).await
    });
    for polls in 1.. {
        // Each poll on a thread of its own, which is left with nothing around it.
        let polled = std::thread::scope(|threads| {
            let poll = || {
                let _entered = runtime.enter();
                let polled = call.poll_once();
                nothing_around();
                polled
            };
            threads.spawn(poll).join().unwrap()
        });
        nothing_around();
        if let Poll::Ready(result) = polled {
            assert_eq!(result, Ok(2));
            assert!(polls > 2);
            break;
        }
    }
    assert_eq!(running("g moves"), 0);
    assert_eq!(ends("g moves"), [2, 0, 0, 0, 0]);
}

#[resilient(
    service = "g dropped",
    retries = 1,
    backoff(initial = "0s"),
    timeout = "9s",
    breaker(failure_threshold = 1, distinct_calls = 1),
    bulkhead(concurrency = 1, queue = 0)
)]
async fn dropped(inner: bool, polls: u32) -> Result<u32, Failure> {
    for _ in 0..polls {
        if inner {
            yields_inside().await?;
        } else {
            yield_now().await;
        }
    }
    Ok(polls)
}

#[resilient(operation = "g dropped inside", retries = 1, backoff(initial = "0s"))]
async fn yields_inside() -> Result<u32, Failure> {
    yield_now().await;
    Ok(0)
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_after_any_poll_leaves_nothing_behind() {
    let mut cancelled = 0;
    for inner in [false, true] {
        for drop_at in 0..=4 {
            let mut call = polled(dropped(inner, 4));
            for _ in 0..drop_at {
                assert!(call.poll_once().is_pending());
                assert_eq!(running("g dropped"), 1);
                nothing_around();
            }
            cancelled += u64::from(drop_at > 0);
            drop(call);
            assert_eq!(running("g dropped"), 0);
            assert_eq!(failures("g dropped"), 0);
        }
        assert_eq!(dropped(inner, 4).await, Ok(4));
    }
    assert_eq!(ends("g dropped"), [2, 0, 0, cancelled, 0]);
    assert_eq!(counts("g dropped inside").cancelled, 4);
    // At its limit it was the service that was too slow.
    let mut late = polled(dropped(false, 4));
    assert!(late.poll_once().is_pending());
    advance(9 * SECOND).await;
    drop(late);
    assert_eq!(state("g dropped"), BreakerState::Open);
    assert_eq!(running("g dropped"), 0);
}

#[derive(Clone, Copy, Debug)]
enum Panics {
    Never,
    AtOnce,
    Later,
    Inside,
    InsideLater,
    InsideCaught,
}

#[resilient(
    operation = "g panicking",
    service = "g panics",
    retries = 3,
    backoff(initial = "0s"),
    timeout = "9s",
    breaker(failure_threshold = 1000),
    bulkhead(concurrency = 1, queue = 0)
)]
async fn panicking(how: Panics) -> Result<u32, Failure> {
    match how {
        Panics::AtOnce => panic!("at once"),
        Panics::Later => {
            yield_now().await;
            panic!("later")
        }
        Panics::Inside => panicking_inside(false).await,
        Panics::InsideLater => panicking_inside(true).await,
        Panics::InsideCaught => {
            assert!(panics(panicking_inside(false)));
            assert_eq!(current().unwrap().operation, "g panicking");
            Ok(1)
        }
        Panics::Never => Ok(1),
    }
}

#[resilient(
    operation = "g panics inside",
    retries = 3,
    breaker(failure_threshold = 1000)
)]
async fn panicking_inside(later: bool) -> Result<u32, Failure> {
    if later {
        yield_now().await;
    }
    panic!("inside")
}

#[tokio::test(start_paused = true)]
async fn a_panic_leaves_nothing_behind() {
    let hows = [
        Panics::AtOnce,
        Panics::AtOnce,
        Panics::Later,
        Panics::Inside,
        Panics::InsideLater,
    ];
    for (panicked, how) in (1..).zip(hows) {
        let mut call = polled(panicking(how));
        let caught = catch_unwind(AssertUnwindSafe(|| {
            while call.poll_once().is_pending() {
                nothing_around();
            }
        }));
        assert!(caught.is_err(), "{how:?}");
        nothing_around();
        assert_eq!(running("g panics"), 0, "{how:?}");
        drop(call);
        assert_eq!(failures("g panics"), panicked, "{how:?}");
        assert_eq!(ends("g panics"), [0, 0, 0, 0, panicked.into()], "{how:?}");
        // The next call is nobody's: it tries as often as it may.
        let script = down();
        assert!(lowest_after_panic(&script).await.is_err());
        assert_eq!(script.runs(), 5, "{how:?}");
    }
    assert_eq!(panicking(Panics::Never).await, Ok(1));
    assert_eq!(failures("g panics"), 0);
    assert_eq!(panicking(Panics::InsideCaught).await, Ok(1));
    assert_eq!(ends("g panics"), [2, 0, 0, 0, 5]);
    assert_eq!(ends("g panics inside"), [0, 0, 0, 0, 3]);
}

#[resilient(operation = "g after panic", retries = 4, backoff(initial = "0s"), breaker = off)]
async fn lowest_after_panic(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[resilient(
    service = "g counted",
    retries = 1,
    backoff(initial = "0s"),
    breaker(failure_threshold = 3, wait_duration = "1ms"),
    bulkhead(concurrency = 6, queue = 0),
    timeout = off
)]
async fn counted(what: u64) -> Result<(), Failure> {
    if what.is_multiple_of(5) {
        yield_now().await;
    }
    match what % 32 {
        0 => Err(Failure::of(Category::NETWORK)),
        1 => Err(Failure::of(Category::VALIDATION)),
        3 if (what >> 20).is_multiple_of(512) => panic!("on purpose"),
        _ => Ok(()),
    }
}

/// The same without limits, so that it is as plain as can be.
#[resilient(
    service = "g counted plainly",
    retries = 1,
    backoff(initial = "0s"),
    breaker(failure_threshold = 3, wait_duration = "1ms"),
    timeout = off
)]
async fn counted_plainly(what: u64) -> Result<(), Failure> {
    match what % 32 {
        0 => Err(Failure::of(Category::NETWORK)),
        1 => Err(Failure::of(Category::VALIDATION)),
        2 if (what >> 20).is_multiple_of(512) => panic!("on purpose"),
        3..6 => {
            yield_now().await;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// One call, which is dropped in every eighth case where it does not end at once; where it ended in
/// [`ends`].
async fn one(what: u64, call: impl Future<Output = Result<(), Failure>>) -> usize {
    let mut call = pin!(call);
    let mut polls = 0;
    poll_fn(|cx| {
        polls += 1;
        let Ok(polled) = catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(cx))) else {
            return Poll::Ready(4);
        };
        assert_eq!(current(), None);
        match polled {
            Poll::Ready(Ok(())) => Poll::Ready(0),
            Poll::Ready(Err(Failure::Theirs(..))) => Poll::Ready(1),
            Poll::Ready(Err(Failure::Ours(_))) => Poll::Ready(2),
            Poll::Pending if polls == 1 && (what >> 32).is_multiple_of(8) => Poll::Ready(3),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_calls_over_eight_tasks_add_up_exactly() {
    const TASKS: u64 = 8;
    const CALLS: u64 = 1_000_000 / TASKS;
    // A panic is not to be printed a thousand times.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.payload().downcast_ref() != Some(&"on purpose") {
            hook(info);
        }
    }));
    let tasks: Vec<_> = (1..=TASKS)
        .map(|task| {
            tokio::spawn(async move {
                let mut what = task.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let mut seen = [[0_u64; 5]; 2];
                for _ in 0..CALLS {
                    what ^= what << 13;
                    what ^= what >> 7;
                    what ^= what << 17;
                    let plainly = what >> 40 & 1;
                    let ended = if plainly == 1 {
                        one(what, counted_plainly(what)).await
                    } else {
                        one(what, counted(what)).await
                    };
                    seen[plainly as usize][ended] += 1;
                }
                seen
            })
        })
        .collect();
    let mut seen = [[0; 5]; 2];
    for task in tasks {
        let ended = task.await.unwrap();
        for (sums, ended) in seen.iter_mut().zip(ended) {
            for (sum, ended) in sums.iter_mut().zip(ended) {
                *sum += ended;
            }
        }
    }
    assert_eq!([ends("g counted"), ends("g counted plainly")], seen);
    assert_eq!(seen.iter().flatten().sum::<u64>(), TASKS * CALLS);
    assert!(seen.iter().flatten().all(|&ended| ended > 0), "{seen:?}");
    assert_eq!(running("g counted"), 0);
}

#[tokio::test(start_paused = true)]
async fn permits_are_spent_and_slots_come_back_whatever_the_end() {
    #[resilient(
        service = "g limits",
        retries = 0,
        timeout = "2s",
        breaker = off,
        rate_limit(limit = "6/60s", max_wait = "0s"),
        bulkhead(concurrency = 1, queue = 0)
    )]
    async fn limited(how: &'static str) -> Result<u32, Failure> {
        match how {
            "hangs" => std::future::pending().await,
            "fails" => Err(Failure::of(Category::NETWORK)),
            "panics" => panic!("on purpose"),
            _ => Ok(1),
        }
    }
    assert_eq!(limited("succeeds").await, Ok(1));
    assert_eq!(running("g limits"), 0);
    assert_eq!(kind(limited("fails").await), "theirs");
    assert_eq!(running("g limits"), 0);
    assert!(panics(limited("panics")));
    assert_eq!(running("g limits"), 0);
    let mut cancelled = polled(limited("hangs"));
    assert!(cancelled.poll_once().is_pending());
    assert_eq!(kind(limited("succeeds").await), "bulkhead_full");
    drop(cancelled);
    assert_eq!(running("g limits"), 0);
    assert_eq!(kind(limited("hangs").await), "timed_out");
    assert_eq!(running("g limits"), 0);
    // Six permits are spent, one of them for the refused call.
    assert_eq!(kind(limited("succeeds").await), "rate_limited");
    assert_eq!(ends("g limits"), [1, 2, 2, 1, 1]);
}

/// Threads take permits in advance, and leave what they have not spent of them to others.
#[test]
fn threads_that_begin_and_end_use_exactly_the_burst() {
    #[resilient(
        service = "g leases",
        retries = 0,
        rate_limit(limit = "5000/1000h", max_wait = "0s"),
        bulkhead(concurrency = 64, queue = 0)
    )]
    async fn leased() -> Result<u32, Failure> {
        Ok(1)
    }
    let some = |calls: u32| {
        let at_once = |_| polled(leased()).poll_once() == Poll::Ready(Ok(1));
        (0..calls).filter(|&call| at_once(call)).count()
    };
    let passed: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..40).map(|_| scope.spawn(|| some(25))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(passed, 1_000, "all of them have ended");
    assert_eq!(some(4_100), 4_000);
    assert_eq!(running("g leases"), 0);
}

/// A call that has gone plainly through its limits and then waits gives back what it holds.
#[tokio::test(start_paused = true)]
async fn whoever_has_a_permit_of_a_lease_gives_its_slot_back() {
    #[resilient(
        service = "g lease and slot",
        retries = 0,
        timeout = "2s",
        rate_limit(limit = "2000/1000h", max_wait = "0s"),
        bulkhead(concurrency = 1, queue = 1)
    )]
    async fn leased(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    let (sound, hanging) = (up(), Script::hanging());
    assert_eq!(leased(&sound).await, Ok(0));
    let mut holder = polled(leased(&hanging));
    assert!(holder.poll_once().is_pending());
    let mut waiter = polled(leased(&sound));
    assert!(waiter.poll_once().is_pending());
    assert_eq!(kind(leased(&sound).await), "bulkhead_full");
    drop(holder);
    assert!(waiter.poll_once().is_ready());
    assert_eq!(running("g lease and slot"), 0);
    assert_eq!(kind(leased(&hanging).await), "timed_out");
    assert_eq!(running("g lease and slot"), 0);
    // Five permits are spent, one of them for the one that was refused.
    let mut more = 0;
    while leased(&sound).await.is_ok() {
        more += 1;
    }
    assert_eq!(more, 2_000 - 5);
}

#[tokio::test(start_paused = true)]
async fn blocking_work_keeps_the_slot() {
    #[resilient(
        service = "g blocks",
        retries = 0,
        timeout = "1s",
        breaker = off,
        bulkhead(concurrency = 1, queue = 0)
    )]
    async fn blocks(gate: std::sync::mpsc::Receiver<()>, waits: bool) -> Result<u32, Failure> {
        let (begun, begins) = channel();
        let work = resilience::blocking(move || {
            let _ = begun.send(());
            let _ = gate.recv();
            1
        });
        // What has not begun would be forgotten.
        let mut work = pin!(work);
        poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx).is_pending())).await;
        let _ = begins.recv();
        Ok(if waits { work.await } else { 2 })
    }
    for (waits, ends) in [(true, "timed_out"), (true, "timed_out"), (false, "ok")] {
        let (open, gate) = channel();
        let mut call = Box::pin(blocks(gate, waits));
        // Time does not go on by itself while a closure runs.
        if poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_pending())).await {
            advance(SECOND).await;
            assert_eq!(kind(call.await), ends);
        } else {
            assert_eq!(ends, "ok");
        }
        assert_eq!(running("g blocks"), 1);
        let (_, closed) = channel();
        assert_eq!(kind(blocks(closed, true).await), "bulkhead_full");
        drop(open);
        while running("g blocks") > 0 {
            std::thread::yield_now();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_site_without_a_breaker_has_none() {
    #[resilient(service = "g open door", retries = 1, backoff(initial = "0s"), breaker = off)]
    async fn unguarded(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    let script = down();
    for _ in 0..10 {
        assert_eq!(kind(unguarded(&script).await), "theirs");
    }
    assert_eq!(script.runs(), 20);
    assert_eq!(failures("g open door"), 0);
    assert_eq!(unguarded(&up()).await, Ok(0));
    // The outer one has no admission, so the inner one asks for its own.
    #[resilient(
        service = "g open door",
        retries = 0,
        breaker(failure_threshold = 1, distinct_calls = 1)
    )]
    async fn guarded(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    #[resilient(service = "g open door", retries = 0, breaker = off)]
    async fn around(script: &Script) -> Result<u32, Failure> {
        guarded(script).await
    }
    assert_eq!(kind(around(&script).await), "theirs");
    assert_eq!(kind(around(&script).await), "circuit_open");
}

#[tokio::test(start_paused = true)]
async fn each_key_has_all_of_its_burst_after_a_pause() {
    #[resilient(
        service = "g keyed limit",
        key = key,
        retries = 0,
        rate_limit(limit = "1200/1h", max_wait = "0s")
    )]
    async fn keyed(key: u32) -> Result<u32, Failure> {
        Ok(key)
    }
    for key in 0..3 {
        assert_eq!(keyed(key).await, Ok(key));
        assert_eq!(keyed(key).await, Ok(key));
    }
    advance(3_600 * SECOND).await;
    for key in 0..3 {
        for _ in 0..1_200 {
            assert_eq!(keyed(key).await, Ok(key));
        }
        assert_eq!(kind(keyed(key).await), "rate_limited");
    }
}

#[tokio::test(start_paused = true)]
async fn each_key_has_guards_of_its_own() {
    #[resilient(
        service = "g keyed",
        key = key,
        retries = 0,
        breaker(failure_threshold = 1, distinct_calls = 1),
        bulkhead(concurrency = 1, queue = 0)
    )]
    async fn keyed(key: u32, script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    assert_eq!(keyed(1, &up()).await, Ok(0));
    assert_eq!(kind(keyed(1, &down()).await), "theirs");
    assert_eq!(kind(keyed(1, &up()).await), "circuit_open");
    let hanging = Script::hanging();
    let mut hangs = polled(keyed(2, &hanging));
    assert!(hangs.poll_once().is_pending());
    assert_eq!(kind(keyed(2, &up()).await), "bulkhead_full");
    assert_eq!(keyed(3, &up()).await, Ok(0));
    drop(hangs);
    assert_eq!(keyed(2, &up()).await, Ok(0));
}

#[tokio::test(start_paused = true)]
async fn a_key_whose_breaker_is_open_is_refused_also_where_nothing_else_stands_before_the_body() {
    #[resilient(
        service = "g keyed breaker",
        key = key,
        retries = 0,
        breaker(failure_threshold = 1, distinct_calls = 1)
    )]
    async fn keyed(key: u32, script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    assert_eq!(keyed(1, &up()).await, Ok(0));
    assert_eq!(kind(keyed(1, &down()).await), "theirs");
    let refused = up();
    assert_eq!(kind(keyed(1, &refused).await), "circuit_open");
    assert_eq!(refused.runs(), 0);
    assert_eq!(keyed(2, &up()).await, Ok(0));
    assert_eq!(state("g keyed breaker"), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn an_ok_that_is_not_accepted_and_a_fallback() {
    #[resilient(
        service = "g not ok",
        retries = 2,
        backoff(initial = "0s"),
        retry_if_ok = |value| *value < 2,
        breaker(failure_threshold = 1000)
    )]
    async fn at_least_two(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    let counting = up();
    assert_eq!(at_least_two(&counting).await, Ok(2));
    assert_eq!(at_least_two(&up()).await, Ok(2));
    assert_eq!(at_least_two(&counting).await, Ok(3));
    assert_eq!(counts("g not ok").recovered, 2);

    #[resilient(service = "g falls back", retries = 1, backoff(initial = "0s"), fallback = |_, _| Ok(100))]
    async fn falls_back(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    assert_eq!(falls_back(&up()).await, Ok(0));
    assert_eq!(falls_back(&down()).await, Ok(100));
    assert_eq!(ends("g falls back"), [1, 1, 0, 0, 0]);
}

/// Those that succeed at once are calls too: retries may add a fifth to them.
#[tokio::test(start_paused = true)]
async fn plain_successes_count_for_the_budget() {
    #[resilient(
        service = "g budget",
        retries = 1,
        backoff(initial = "0s"),
        breaker = off,
        budget(ratio = 0.2, min_per_second = 0)
    )]
    async fn call(script: &Script) -> Result<u32, Failure> {
        script.next().await
    }
    for _ in 0..95 {
        assert!(call(&up()).await.is_ok());
    }
    advance(SECOND).await;
    let script = down();
    for _ in 0..40 {
        assert!(call(&script).await.is_err());
    }
    // 95 + 40 calls: the retries are a fifth of those that had been made when they were asked for.
    let retries = counts("g budget").retries;
    assert!((23..=27).contains(&retries), "{retries}");
    assert_eq!(ends("g budget"), [95, 40, 0, 0, 0]);
}

/// A task that a thread takes along to its end is dropped when the thread has given up what it
/// kept for itself.
#[test]
fn a_call_dropped_with_its_thread() {
    #[resilient(
        service = "g thread end",
        retries = 1,
        bulkhead(concurrency = 1, queue = 0)
    )]
    async fn hangs() -> Result<u32, Failure> {
        std::future::pending().await
    }
    type Task = std::pin::Pin<Box<dyn Future<Output = Result<u32, Failure>>>>;
    thread_local! {
        static KEPT: std::cell::RefCell<Vec<Task>> = const { std::cell::RefCell::new(Vec::new()) };
    }
    let thread = std::thread::spawn(|| {
        let tokio = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        // What a thread keeps ends in the opposite order: first that of the calls, then the call,
        // then tokio's.
        let _entered = tokio.enter();
        KEPT.with_borrow_mut(Vec::clear);
        let in_context = Context::default().agent("scout").scope(hangs());
        let mut call: Task = Box::pin(in_context);
        assert!(tokio.block_on(poll_fn(|cx| Poll::Ready(
            call.as_mut().poll(cx).is_pending()
        ))));
        KEPT.with_borrow_mut(|kept| kept.push(call));
    });
    thread.join().unwrap();
    assert_eq!(running("g thread end"), 0);
    assert_eq!(ends("g thread end"), [0, 0, 0, 1, 0]);
}

/// What changes the global runtime for all.
const ALONE: [(&str, fn()); 7] = [
    ("reset", reset_in_between),
    ("reload of a limit", a_reload_ends_what_was_leased),
    ("reload", a_reload_while_a_call_is_pending),
    ("disabled", a_disabled_site_is_the_bare_body),
    ("listener", a_listener_that_comes_while_a_call_is_pending),
    ("faults", faults_that_come_while_a_call_is_pending),
    ("drain", a_drained_runtime_waits_for_a_pending_call),
];

#[test]
fn in_a_process_of_its_own() {
    const NAME: &str = "GLOBAL_TEST_ALONE";
    if let Ok(name) = std::env::var(NAME) {
        let (_, test) = ALONE.iter().find(|(of, _)| *of == name).unwrap();
        return test();
    }
    for (name, _) in ALONE {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "in_a_process_of_its_own"])
            .env(NAME, name)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {told}{stderr}");
    }
}

/// Under paused time.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(future)
}

#[resilient(
    service = "alone",
    operation = "alone",
    retries = 2,
    backoff(initial = "0s"),
    timeout = "9s",
    breaker(failure_threshold = 2, distinct_calls = 1),
    bulkhead(concurrency = 3, queue = 0)
)]
async fn alone(script: &Script, waits: Duration) -> Result<u32, Failure> {
    if !waits.is_zero() {
        tokio::time::sleep(waits).await;
    }
    script.next().await
}

#[resilient(operation = "alone and plain")]
async fn alone_and_plain() -> Result<u32, Failure> {
    Ok(1)
}

const NOW: Duration = Duration::ZERO;

fn reset_in_between() {
    block_on(async {
        for _ in 0..10 {
            assert!(alone(&up(), NOW).await.is_ok());
        }
        assert!(
            alone(&Script::always(Category::VALIDATION), NOW)
                .await
                .is_err()
        );
        let script = up();
        let mut pending = polled(alone(&script, SECOND));
        assert!(pending.poll_once().is_pending());
        Runtime::global().reset();
        assert_eq!(ends("alone"), [0; 5]);
        drop(pending);
        assert!(alone(&up(), NOW).await.is_ok());
        assert!(alone(&up(), SECOND).await.is_ok());
        assert_eq!(ends("alone"), [2, 0, 0, 1, 0]);
        let counts = counts("alone");
        assert_eq!((counts.attempts, counts.latency.count()), (3, 2));
    });
}

fn apply(text: &str) {
    let settings = Settings::loader()
        .text("test.toml", text)
        .variables::<String, String>([])
        .load()
        .unwrap();
    Runtime::global().apply(&settings);
}

fn a_reload_while_a_call_is_pending() {
    block_on(async {
        assert!(alone(&up(), NOW).await.is_ok());
        let fails_first = Script::failing(Category::NETWORK, 1);
        let mut before = Box::pin(alone(&fails_first, 8 * SECOND));
        poll_fn(|cx| Poll::Ready(before.as_mut().poll(cx).is_pending())).await;
        apply(
            "[services.alone]\nretries = 0\ntimeout = \"2s\"\n[services.alone.bulkhead]\nconcurrency = 1\n",
        );
        // It holds the one slot that there is now.
        assert_eq!(kind(alone(&up(), NOW).await), "bulkhead_full");
        // It goes on by what held when it began: 8 s are no timeout, and it retries.
        assert_eq!(before.await, Ok(1));
        assert_eq!(running("alone"), 0);
        let (result, took) = waited(alone(&up(), 8 * SECOND)).await;
        assert_eq!((kind(result), took), ("timed_out", 2 * SECOND));
        let script = down();
        assert_eq!(kind(alone(&script, NOW).await), "theirs");
        assert_eq!(script.runs(), 1);
        assert_eq!(
            state("alone"),
            BreakerState::Open,
            "the timeout was the first failure"
        );
        assert_eq!(ends("alone"), [2, 2, 1, 0, 0]);
        // In the midst of a plain attempt: the next call has the new ones.
        #[resilient(operation = "reloads", retries = 1, backoff(initial = "0s"))]
        async fn reloads(runs: &AtomicU32) -> Result<u32, Failure> {
            apply("[services.reloads]\nretries = 0\n");
            runs.fetch_add(1, Ordering::Relaxed);
            Err(Failure::of(Category::NETWORK))
        }
        let runs = AtomicU32::new(0);
        assert!(reloads(&runs).await.is_err());
        assert_eq!(runs.load(Ordering::Relaxed), 2);
        assert!(reloads(&runs).await.is_err());
        assert_eq!(runs.load(Ordering::Relaxed), 3);
        assert_eq!(ends("reloads"), [0, 2, 0, 0, 0]);
        nothing_around();
    });
}

fn a_reload_ends_what_was_leased() {
    #[resilient(operation = "leases", retries = 0, rate_limit = "9000/1h")]
    async fn leases() -> Result<u32, Failure> {
        Ok(1)
    }
    let limit = |limit: &str, exact: bool| {
        apply(&format!(
            "[services.leases.rate_limit]\nlimit = \"{limit}\"\nmax_wait = \"0s\"\nexact = {exact}\n"
        ));
    };
    let passing = async || {
        let mut passed = 0;
        while leases().await.is_ok() {
            passed += 1;
        }
        passed
    };
    block_on(async {
        for _ in 0..3 {
            assert_eq!(leases().await, Ok(1));
        }
        limit("4/1h", false);
        assert_eq!(passing().await, 1, "three are used");
        limit("3000/1h", false);
        assert_eq!(passing().await, 2_996);
        advance(3_600 * SECOND).await;
        assert_eq!(passing().await, 3_000);
        advance(3_600 * SECOND).await;
        for _ in 0..3 {
            assert_eq!(leases().await, Ok(1));
        }
        limit("3000/1h", true);
        assert_eq!(passing().await, 2_997);
    });
}

fn a_disabled_site_is_the_bare_body() {
    apply("[services.alone]\nenabled = false\n");
    block_on(async {
        let script = down();
        for run in 1..=10 {
            assert_eq!(kind(alone(&script, NOW).await), "theirs");
            assert_eq!(script.runs(), run);
        }
        let (result, took) = waited(alone(&up(), 60 * SECOND)).await;
        assert_eq!((result, took), (Ok(0), 60 * SECOND));
        assert_eq!(ends("alone"), [1, 10, 0, 0, 0]);
        assert_eq!(failures("alone"), 0);
    });
}

fn a_listener_that_comes_while_a_call_is_pending() {
    block_on(async {
        assert_eq!(alone_and_plain().await, Ok(1));
        assert_eq!(alone(&up(), NOW).await, Ok(0));
        let script = up();
        let mut pending = polled(alone(&script, SECOND));
        assert!(pending.poll_once().is_pending());
        let recorder = Recorder::new();
        Runtime::global().add_listener(recorder.clone());
        advance(SECOND).await;
        assert_eq!(pending.poll_once(), Poll::Ready(Ok(0)));
        assert_eq!(recorder.events(), ["alone: succeeded after 1 attempts"]);
        assert_eq!(alone_and_plain().await, Ok(1));
        assert_eq!(recorder.events().len(), 2);
        assert_eq!(ends("alone"), [2, 0, 0, 0, 0]);
    });
}

fn faults_that_come_while_a_call_is_pending() {
    block_on(async {
        assert_eq!(alone_and_plain().await, Ok(1));
        assert_eq!(alone(&up(), NOW).await, Ok(0));
        let script = Script::failing(Category::NETWORK, 1);
        let mut pending = Box::pin(alone(&script, SECOND));
        poll_fn(|cx| Poll::Ready(pending.as_mut().poll(cx).is_pending())).await;
        let runtime = Runtime::global();
        runtime.inject("alone", Fault::error(Category::NETWORK).times(1));
        // The attempt that runs is left alone, the second is struck.
        assert_eq!(kind(pending.await), "injected");
        assert_eq!(script.runs(), 1);
        runtime.reset_breakers();
        runtime.inject("alone and plain", Fault::hang());
        let (result, took) = waited(tokio::time::timeout(SECOND, alone_and_plain())).await;
        assert_eq!((result.is_err(), took), (true, SECOND));
        runtime.clear_faults();
        assert_eq!(alone_and_plain().await, Ok(1));
        assert_eq!(ends("alone and plain"), [2, 0, 0, 1, 0]);
        // A call that a fault delays is in flight as any other.
        runtime.inject("alone", Fault::delay(SECOND));
        let script = up();
        let mut delayed = polled(alone(&script, NOW));
        assert!(delayed.poll_once().is_pending());
        assert_eq!(runtime.drain(NOW).await, 1);
        drop(delayed);
        assert_eq!(runtime.drain(NOW).await, 0);
    });
}

fn a_drained_runtime_waits_for_a_pending_call() {
    block_on(async {
        let runtime = Runtime::global();
        assert_eq!(alone_and_plain().await, Ok(1));
        assert_eq!(alone(&up(), NOW).await, Ok(0));
        let pending = tokio::spawn(async {
            let script = Script::failing(Category::NETWORK, 1);
            (alone(&script, 2 * SECOND).await.is_err(), script.runs())
        });
        yield_now().await;
        let (left, took) = waited(runtime.drain(SECOND)).await;
        assert_eq!((left, took), (1, SECOND));
        let (left, took) = waited(runtime.drain(60 * SECOND)).await;
        assert_eq!((left, took), (0, SECOND));
        assert_eq!(pending.await.unwrap(), (true, 1), "no further attempt");
        assert_eq!(alone_and_plain().await, Ok(1), "first attempts go on");
    });
}
