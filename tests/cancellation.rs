//! Drops a call at every poll, for every combination of patterns, and looks for what is still held.

mod support;

use std::task::Poll;
use std::time::Duration;

use resilience::{
    BackoffOptions, BreakerOptions, BudgetOptions, BulkheadOptions, Category, Jitter, Nested,
    Policy, PolicyBuilder, RateLimitOptions, Runtime, fail_fast, resilient,
};
use support::{Failure, Polled, polled};

const SECOND: Duration = Duration::from_secs(1);

/// What a call meets.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "all combinations are tried")]
struct Case {
    /// The breaker is half-open and the call its probe.
    probe: bool,
    /// The permits are used up.
    limited: bool,
    /// The slots are taken.
    queued: bool,
    /// The first attempt fails.
    retried: bool,
    timeout: bool,
    deadline: bool,
    keyed: bool,
    /// There is an attempt of another service around.
    nested: bool,
    /// It asks for a resource, and waits for nothing.
    fail_fast: bool,
}

impl Case {
    fn of(bits: u32) -> Self {
        let bit = |i: u32| bits & (1 << i) != 0;
        Self {
            probe: bit(0),
            limited: bit(1),
            queued: bit(2),
            retried: bit(3),
            timeout: bit(4),
            deadline: bit(5),
            keyed: bit(6),
            nested: bit(7),
            fail_fast: bit(8),
        }
    }
}

const CASES: u32 = 1 << 9;
const SERVICE: &str = "cancelled";

/// Policies of one service, which differ in what they ask for.
struct Policies {
    /// The one under test.
    call: Policy,
    /// Asks the breaker alone.
    breaker: Policy,
    /// Takes a permit alone.
    permit: Policy,
    /// Takes a slot alone.
    slot: Policy,
    around: Policy,
}

impl Policies {
    fn new(case: Case) -> Self {
        let of = |operation| {
            if case.fail_fast {
                Policy::fail_fast(operation).service(SERVICE)
            } else {
                Policy::builder(operation).service(SERVICE)
            }
        };
        let limits = |builder: PolicyBuilder| {
            builder
                .breaker(BreakerOptions::new().failure_threshold(1).distinct_calls(1))
                .rate_limit(
                    RateLimitOptions::new()
                        .limit(1, 2 * SECOND)
                        .burst(1)
                        .max_wait(9 * SECOND),
                )
                .bulkhead(BulkheadOptions::new().concurrency(1).queue(1))
                .timeout_off()
        };
        let mut call = limits(of("cancelled call"));
        if !case.fail_fast {
            let backoff = BackoffOptions::new().initial(SECOND).jitter(Jitter::None);
            call = call
                .retries(2)
                .backoff(backoff)
                .budget(BudgetOptions::new());
        }
        if case.timeout {
            call = call.timeout(100 * SECOND);
        }
        if case.deadline {
            call = call.deadline(200 * SECOND);
        }
        if !case.probe {
            call = call.breaker_off();
        }
        let single = |operation| limits(Policy::fail_fast(operation).service(SERVICE));
        Self {
            call: call.build().unwrap(),
            breaker: single("cancelled breaker")
                .rate_limit_off()
                .bulkhead_off()
                .build()
                .unwrap(),
            permit: single("cancelled permit")
                .breaker_off()
                .bulkhead_off()
                .build()
                .unwrap(),
            slot: single("cancelled slot")
                .breaker_off()
                .rate_limit_off()
                .build()
                .unwrap(),
            around: Policy::builder("cancelled around")
                .retries(1)
                .nested(Nested::Retry)
                .bulkhead(BulkheadOptions::new().concurrency(1))
                .build()
                .unwrap(),
        }
    }
}

async fn yields(times: u32) {
    for _ in 0..times {
        let mut yielded = false;
        std::future::poll_fn(|cx| {
            cx.waker().wake_by_ref();
            if std::mem::replace(&mut yielded, true) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

/// One call, dropped at poll `drop_at`. Says whether it had come to its end before.
async fn play(bits: u32, drop_at: u32) -> bool {
    let case = Case::of(bits);
    let (runtime, policies) = (Runtime::new(), Policies::new(case));
    let told = format!("{case:?} dropped after {drop_at} polls");
    runtime.set_resource("cancelled tokens", Some(10));
    let key = u32::from(!case.keyed);
    let run = |policy: &Policy, body: fn() -> Result<u32, Failure>| {
        let (runtime, policy) = (runtime.clone(), policy.clone());
        async move {
            let call = policy.call();
            let call = if case.keyed { call.key(&key) } else { call };
            runtime.scope(call.run(|| async { body() })).await
        }
    };
    let ok = || Ok(1);
    if case.probe {
        let fails = || Err(Failure::of(Category::NETWORK));
        assert!(run(&policies.breaker, fails).await.is_err());
        tokio::time::advance(30 * SECOND).await;
    }
    if case.limited {
        assert_eq!(run(&policies.permit, ok).await, Ok(1), "{told}");
    }
    let mut holder: Option<Polled<_>> = case.queued.then(|| {
        let (runtime, policy) = (runtime.clone(), policies.slot.clone());
        polled(async move {
            let call = policy.call::<Failure>();
            let call = if case.keyed { call.key(&key) } else { call };
            runtime
                .scope(call.run(|| async { std::future::pending::<Result<u32, _>>().await }))
                .await
        })
    });
    if let Some(holder) = &mut holder {
        assert!(holder.poll_once().is_pending(), "{told}");
    }

    let failures = std::cell::Cell::new(u32::from(case.retried && !case.probe));
    let body = || async {
        yields(2).await;
        match failures.get() {
            0 => Ok(1),
            left => {
                failures.set(left - 1);
                Err(Failure::of(Category::NETWORK))
            }
        }
    };
    let inner = || {
        let mut call = policies.call.call();
        if case.keyed {
            call = call.key(&key);
        }
        if case.fail_fast {
            call = call.resource("cancelled tokens", 3);
        }
        call.run(body)
    };
    let mut call = polled(runtime.scope(async {
        if case.nested {
            policies.around.run(inner).await
        } else {
            inner().await
        }
    }));
    let mut ended = false;
    for poll in 0..drop_at {
        if call.poll_once().is_ready() {
            ended = true;
            break;
        }
        if poll == 1 {
            holder = None;
        }
        tokio::time::advance(SECOND / 2).await;
    }
    drop(call);
    drop(holder);

    for limit in runtime.limits() {
        let idle = limit.running.unwrap_or(0) == 0 && limit.queued == 0 && limit.waiting == 0;
        assert!(idle, "{told}: {limit:?}");
    }
    let leased: u64 = runtime.resources().iter().map(|pool| pool.current).sum();
    assert_eq!(leased, 0, "{told}");
    // The keys' guards are not listed: the breaker lets a probe through, the slot is free.
    assert_eq!(run(&policies.breaker, ok).await, Ok(1), "{told}");
    assert_eq!(run(&policies.slot, ok).await, Ok(1), "{told}");
    // Nor do they tell of their lines: where nobody is left in it, a permit is there after a while.
    tokio::time::advance(2 * SECOND).await;
    assert_eq!(run(&policies.permit, ok).await, Ok(1), "{told}");
    let summary = runtime.summary();
    let ends = summary.succeeded + summary.failed + summary.rejected + summary.cancelled;
    assert_eq!((summary.calls, summary.panicked), (ends, 0), "{told}");
    assert_eq!(runtime.drain(Duration::ZERO).await, 0, "{told}");
    ended
}

#[tokio::test(start_paused = true)]
async fn b5_l7_r17_a_call_dropped_at_any_poll_holds_nothing_whatever_its_patterns() {
    let mut longest = 0;
    for bits in 0..CASES {
        for drop_at in 0.. {
            longest = longest.max(drop_at);
            if play(bits, drop_at).await {
                break;
            }
            assert!(drop_at < 60, "{:?} does not end", Case::of(bits));
        }
    }
    assert!(longest > 10, "the waits are among them: {longest}");
}

async fn later(_: u32, _: bool, error: Failure) -> Result<u32, Failure> {
    yields(2).await;
    Err(error)
}

#[resilient(
    service = "cancelled function",
    key = key,
    retries = 2,
    backoff(initial = "1s", jitter = "none"),
    timeout = "50s",
    deadline = "100s",
    breaker(failure_threshold = 1, distinct_calls = 1),
    rate_limit(limit = "1/2s", burst = 1, max_wait = "9s"),
    bulkhead(concurrency = 1, queue = 1),
    fallback(later, on("network", "circuit_open"))
)]
async fn everything(key: u32, fails: bool) -> Result<u32, Failure> {
    yields(2).await;
    if fails {
        Err(Failure::of(Category::NETWORK))
    } else {
        Ok(1)
    }
}

/// The same without a wait, and with a resource.
#[fail_fast(
    service = "cancelled function",
    key = key,
    resource(cancelled_tokens = 3_u32),
    fallback = later
)]
async fn everything_at_once(key: u32, fails: bool) -> Result<u32, Failure> {
    yields(2).await;
    if fails {
        Err(Failure::of(Category::NETWORK))
    } else {
        Ok(1)
    }
}

#[resilient(service = "cancelled function", key = key, rate_limit = off, breaker = off)]
async fn holds_the_slot(key: u32) -> Result<u32, Failure> {
    std::future::pending().await
}

/// The breaker is half-open and the call its probe, the permit is used up, the slot is taken: one
/// call that waits for everything, fails or not, and falls back. Says at which poll it ended.
async fn drop_annotated(at_once: bool, fails: bool, drop_at: u32) -> Option<u32> {
    let told = format!("at once {at_once}, fails {fails}, dropped after {drop_at} polls");
    let runtime = Runtime::new();
    runtime.set_resource("cancelled_tokens", Some(3));
    assert!(runtime.scope(everything(7, true)).await.is_err());
    tokio::time::advance(30 * SECOND).await;
    let mut holder = (!at_once).then(|| polled(runtime.scope(holds_the_slot(7))));
    assert!(
        holder
            .as_mut()
            .is_none_or(|holder| holder.poll_once().is_pending())
    );
    let mut call = polled(runtime.scope(async {
        if at_once {
            everything_at_once(7, fails).await
        } else {
            everything(7, fails).await
        }
    }));
    let mut ended = None;
    for poll in 0..drop_at {
        if call.poll_once().is_ready() {
            ended = Some(poll);
            break;
        }
        if poll == 4 {
            holder = None;
        }
        tokio::time::advance(SECOND / 2).await;
    }
    drop((call, holder));
    assert_eq!(runtime.resources()[0].current, 0, "{told}");
    assert_eq!(runtime.drain(Duration::ZERO).await, 0, "{told}");
    // The permit comes back with time. Where the call has failed, its breaker has to wait once more.
    tokio::time::advance(2 * SECOND).await;
    let mut probe = runtime.scope(everything_at_once(7, false)).await;
    if let Err(Failure::Ours(refused)) = &probe {
        assert!(fails, "{told}: {refused}");
        tokio::time::advance(refused.retry_after().expect("it is open")).await;
        probe = runtime.scope(everything_at_once(7, false)).await;
    }
    assert_eq!(probe, Ok(1), "{told}");
    ended
}

#[tokio::test(start_paused = true)]
async fn b5_an_annotated_call_dropped_at_any_poll_holds_nothing_either() {
    for (at_once, fails, least) in [
        (false, false, 6),
        (false, true, 8),
        (true, false, 2),
        (true, true, 4),
    ] {
        let ended = async {
            for drop_at in 0..60 {
                if let Some(ended) = drop_annotated(at_once, fails, drop_at).await {
                    return ended;
                }
            }
            panic!("it does not end")
        };
        let ended = ended.await;
        assert!(
            ended >= least,
            "at once {at_once}, fails {fails}: it ends at poll {ended}"
        );
    }
}
