//! Every case. Each is written as its library's documentation says, and made twice: for measuring,
//! and smaller for [`check`].

use std::hint::black_box;
use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use backon::{ConstantBuilder, Retryable};
use failsafe::futures::CircuitBreaker as _;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use guard::drive;
use layered::{Execute, Service as _, Stack};
use recloser::{AsyncRecloser, Recloser};
use seatbelt::breaker::Breaker;
use seatbelt::retry::Retry;
use seatbelt::timeout::Timeout;
use seatbelt::{RecoveryInfo, ResilienceContext};
use tick::Clock;
use tower::limit::rate::Rate;
use tower::limit::{ConcurrencyLimit, RateLimit};
use tower::{Layer, Service, service_fn};
use tower_resilience::bulkhead::BulkheadLayer;
use tower_resilience::circuitbreaker::CircuitBreakerLayer;
use tower_resilience::ratelimiter::RateLimiterLayer;
use tower_resilience::retry::RetryLayer;
use tower_resilience::timelimiter::TimeLimiterLayer;

use crate::Case;
use crate::body::{self, Failure};
use crate::check::{self, MEASURED, Numbers};
use crate::ours::{self, tested};

/// Makes a case: `call` is a closure that makes the call, written with the body and the numbers. Each
/// check makes one of its own, with the number that it checks smaller.
macro_rules! case {
    ($cases:ident, $workload:literal, $library:literal, $measured:path, [$($check:ident),+],
     |$body:ident, $numbers:ident| $call:expr) => {{
        let call = {
            let ($body, $numbers) = ($measured, MEASURED);
            let _ = $numbers;
            $call
        };
        let check = || {
            let mut notes = Vec::new();
            $(notes.extend(check::$check(|$numbers: Numbers| {
                let $body = body::tested;
                let _ = $numbers;
                $call
            }));)+
            notes
        };
        $cases.push(made($workload, $library, call, check));
    }};
}

fn made<F: Future>(
    workload: &'static str,
    library: &'static str,
    call: impl FnMut(u64) -> F + Clone + Send + 'static,
    check: fn() -> Vec<String>,
) -> Case {
    // With a delay of zero, who is not ready after three attempts sleeps until the next millisecond,
    // and needs somebody to wake it.
    let sleeps = workload == "fails" && is_pending(call.clone()(0));
    let note = "sleeps until the next millisecond before each retry, although its delay is zero";
    let future = size_of_val(&call.clone()(0));
    let call = Mutex::new(call);
    Case {
        workload,
        library,
        run: Box::new(move |calls| {
            let mut call = call.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if !sleeps {
                drive(calls, call);
            } else if let Ok(tokio) = guard::tokio() {
                tokio.block_on(async {
                    for x in 0..calls {
                        black_box(call(black_box(x)).await);
                    }
                });
            }
        }),
        shared: true,
        future,
        check: Box::new(check),
        notes: sleeps.then(|| note.to_owned()).into_iter().collect(),
        sleeps,
    }
}

fn is_pending(future: impl Future) -> bool {
    pin!(future)
        .poll(&mut Context::from_waker(Waker::noop()))
        .is_pending()
}

/// Every case: those of a workload behind each other, ours first.
#[must_use]
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    bare(&mut cases);
    timeout(&mut cases);
    retry(&mut cases);
    breaker(&mut cases);
    rate_limit(&mut cases);
    bulkhead(&mut cases);
    stack(&mut cases);
    stack_rate_limit(&mut cases);
    stack_bulkhead(&mut cases);
    refused(&mut cases);
    fails(&mut cases);
    waits(&mut cases);
    cases
}

/// One of ours, from `benches/guard`; in the checks, with a body of which they tell what it does.
macro_rules! ours {
    ($cases:ident, $workload:literal, $call:ident, [$($check:ident),+]) => {
        named($cases, $workload, "resilience", || {
            let mut notes = Vec::new();
            $(notes.extend(check::$check(|numbers| ours::call(tested::$call, numbers)));)+
            notes
        })
    };
}

fn named(
    cases: &mut Vec<Case>,
    workload: &'static str,
    library: &'static str,
    check: fn() -> Vec<String>,
) {
    let Some(case) = guard::ours::cases()
        .into_iter()
        .find(|case| case.name == workload)
    else {
        unreachable!("every name here is one of benches/guard/src/ours.rs")
    };
    cases.push(Case {
        workload,
        library,
        run: Box::new(case.run),
        shared: true,
        future: (case.size)(),
        check: Box::new(check),
        notes: Vec::new(),
        sleeps: false,
    });
}

fn bare(cases: &mut Vec<Case>) {
    named(cases, "bare", "bare", Vec::new);
    named(cases, "bare-waits", "bare", Vec::new);
}

fn timeout(cases: &mut Vec<Case>) {
    ours!(cases, "timeout", timeout, [timeout]);
    case!(
        cases,
        "timeout",
        "tokio",
        body::ready,
        [timeout],
        |body, n| move |x| { tokio::time::timeout(n.timeout, body(x)) }
    );
    case!(
        cases,
        "timeout",
        "tower",
        body::ready,
        [timeout],
        |body, n| { calls(tower::timeout::Timeout::new(service_fn(body), n.timeout)) }
    );
    case!(
        cases,
        "timeout",
        "seatbelt",
        body::ready,
        [timeout],
        |body, n| {
            let context = context();
            let service = leak((timeout_layer(&context, n), Execute::new(body)).into_service());
            |x| service.execute(x)
        }
    );
    case!(
        cases,
        "timeout",
        "tower-resilience",
        body::ready,
        [timeout],
        |body, n| {
            let layer = TimeLimiterLayer::builder()
                .timeout_duration(n.timeout)
                .build();
            calls(layer.layer(service_fn(body)))
        }
    );
}

fn retry(cases: &mut Vec<Case>) {
    ours!(cases, "retry", retry, [retry]);
    case!(
        cases,
        "retry",
        "backon",
        body::ready,
        [retry],
        |body, _n| move |x| {
            (move || body(x)).retry(
                ConstantBuilder::default()
                    .with_delay(Duration::ZERO)
                    .with_max_times(2),
            )
        }
    );
    case!(cases, "retry", "tower", body::ready, [retry], |body, _n| {
        calls(tower::retry::Retry::new(Attempts(2), service_fn(body)))
    });
    case!(
        cases,
        "retry",
        "seatbelt",
        body::ready,
        [retry],
        |body, _n| {
            let context = context();
            let service = leak((retry_layer(&context), Execute::new(body)).into_service());
            |x| service.execute(x)
        }
    );
    case!(
        cases,
        "retry",
        "tower-resilience",
        body::ready,
        [retry],
        |body, _n| { calls(retries::<Failure>().layer(service_fn(body))) }
    );
}

fn breaker(cases: &mut Vec<Case>) {
    ours!(cases, "breaker", breaker, [breaker]);
    case!(
        cases,
        "breaker",
        "recloser",
        body::ready,
        [breaker],
        |body, _n| {
            let breaker = recloser();
            move |x| breaker.call(body(x))
        }
    );
    case!(
        cases,
        "breaker",
        "failsafe",
        body::ready,
        [breaker_row],
        |body, _n| {
            let breaker = failsafe_row();
            move |x| breaker.call(body(x))
        }
    );
    note(cases, "counts 5 failures in a row, not a rate");
    case!(
        cases,
        "breaker",
        "seatbelt",
        body::ready,
        [refused],
        |body, _n| {
            let context = context();
            let service = leak((breaker_layer(&context), Execute::new(body)).into_service());
            |x| service.execute(x)
        }
    );
    note(cases, OF_TIME);
    case!(
        cases,
        "breaker",
        "tower-resilience",
        body::ready,
        [breaker],
        |body, _n| { calls(circuit().layer(service_fn(body))) }
    );
}

fn rate_limit(cases: &mut Vec<Case>) {
    ours!(cases, "rate-limit", rate_limit, [limit]);
    case!(
        cases,
        "rate-limit",
        "governor",
        body::ready,
        [limit],
        |body, n| {
            let limiter = governor(n);
            move |x| async move {
                limiter.check().map_err(|_| Failure::Refused)?;
                body(x).await
            }
        }
    );
    tower_rate_limit(cases);
    case!(
        cases,
        "rate-limit",
        "tower-resilience",
        body::ready,
        [limit],
        |body, n| { calls(permits(n).layer(service_fn(body))) }
    );
}

/// It cannot be cloned, so nobody shares it.
fn tower_rate_limit(cases: &mut Vec<Case>) {
    let limited =
        |body, n: Numbers| RateLimit::new(service_fn(body), Rate::new(n.limit.into(), n.per));
    let call = Mutex::new(limited(body::ready, MEASURED));
    let check = || {
        check::limit(|n| {
            let rate = Rate::new(n.limit.into(), n.per);
            let mut service = RateLimit::new(service_fn(body::tested), rate);
            move |x| called(&mut service, x)
        })
    };
    cases.push(Case {
        workload: "rate-limit",
        library: "tower",
        run: Box::new(move |calls| {
            let mut service = call.lock().unwrap_or_else(PoisonError::into_inner);
            drive(calls, |x| {
                ready(&mut *service);
                service.call(x)
            });
        }),
        shared: false,
        future: size_of_val(&limited(body::ready, MEASURED).call(0)),
        check: Box::new(check),
        notes: Vec::new(),
        sleeps: false,
    });
    note(
        cases,
        "cannot be shared: every clone of a service needs a buffer task before it",
    );
}

fn bulkhead(cases: &mut Vec<Case>) {
    ours!(cases, "bulkhead", bulkhead, [one_at_a_time]);
    case!(
        cases,
        "bulkhead",
        "tower",
        body::ready,
        [one_at_a_time],
        |body, n| { calls(ConcurrencyLimit::new(service_fn(body), n.concurrency)) }
    );
    case!(
        cases,
        "bulkhead",
        "tower-resilience",
        body::ready,
        [one_at_a_time],
        |body, n| { calls(slots(n).layer(service_fn(body))) }
    );
}

fn stack(cases: &mut Vec<Case>) {
    ours!(cases, "stack", stack, [timeout, retry, breaker]);
    case!(
        cases,
        "stack",
        "tower + recloser",
        body::ready,
        [timeout, retry, breaker],
        |body, n| {
            let breaker = recloser();
            calls(tower::retry::Retry::new(
                Attempts(2),
                service_fn(move |x| breaker.call(limited(n, body(x)))),
            ))
        }
    );
    case!(
        cases,
        "stack",
        "backon + failsafe",
        body::ready,
        [timeout, retry, breaker_row],
        |body, n| {
            let breaker = failsafe_row();
            move |x| {
                (move || breaker.call(limited(n, body(x))))
                    .retry(
                        ConstantBuilder::default()
                            .with_delay(Duration::ZERO)
                            .with_max_times(2),
                    )
                    .when(|error| matches!(error, failsafe::Error::Inner(_)))
            }
        }
    );
    note(cases, "counts 5 failures in a row, not a rate");
    case!(
        cases,
        "stack",
        "seatbelt",
        body::ready,
        [timeout, retry, refused],
        |body, n| {
            let context = context();
            let service = leak(
                (
                    retry_layer(&context),
                    breaker_layer(&context),
                    timeout_layer(&context, n),
                    Execute::new(body),
                )
                    .into_service(),
            );
            |x| service.execute(x)
        }
    );
    note(cases, OF_TIME);
    case!(
        cases,
        "stack",
        "tower-resilience",
        body::ready,
        [timeout, retry, breaker],
        |body, n| {
            let timed = TimeLimiterLayer::builder()
                .timeout_duration(n.timeout)
                .build()
                .layer(service_fn(body));
            calls(retries().layer(circuit().layer(timed)))
        }
    );
}

fn stack_rate_limit(cases: &mut Vec<Case>) {
    ours!(
        cases,
        "stack-rate-limit",
        stack_rate_limit,
        [timeout, retry, breaker, limit]
    );
    case!(
        cases,
        "stack-rate-limit",
        "tower + recloser + governor",
        body::ready,
        [timeout, retry, breaker, limit],
        |body, n| {
            let (breaker, limiter) = (recloser(), governor(n));
            calls(tower::retry::Retry::new(
                Attempts(2),
                service_fn(move |x| {
                    breaker.call_with(is_down, async move {
                        limiter.check().map_err(|_| Failure::Refused)?;
                        limited(n, body(x)).await
                    })
                }),
            ))
        }
    );
    case!(
        cases,
        "stack-rate-limit",
        "seatbelt + governor",
        body::ready,
        [timeout, retry, refused, limit],
        |body, n| {
            let (context, limiter) = (context(), governor(n));
            let body = move |x| async move {
                limiter.check().map_err(|_| Failure::Refused)?;
                body(x).await
            };
            let service = leak(
                (
                    retry_layer(&context),
                    breaker_layer(&context),
                    timeout_layer(&context, n),
                    Execute::new(body),
                )
                    .into_service(),
            );
            |x| service.execute(x)
        }
    );
    note(cases, OF_TIME);
    case!(
        cases,
        "stack-rate-limit",
        "tower-resilience",
        body::ready,
        [timeout, retry, breaker, limit],
        |body, n| {
            let timed = TimeLimiterLayer::builder()
                .timeout_duration(n.timeout)
                .build()
                .layer(service_fn(body));
            calls(retries().layer(circuit().layer(permits(n).layer(timed))))
        }
    );
}

fn stack_bulkhead(cases: &mut Vec<Case>) {
    ours!(
        cases,
        "stack-bulkhead",
        stack_bulkhead,
        [timeout, retry, breaker, limit, one_at_a_time]
    );
    case!(
        cases,
        "stack-bulkhead",
        "tower + recloser + governor",
        body::ready,
        [timeout, retry, breaker, limit, one_at_a_time],
        |body, n| {
            let (breaker, limiter) = (recloser(), governor(n));
            let held = ConcurrencyLimit::new(
                service_fn(move |x| {
                    breaker.call_with(is_down, async move {
                        limiter.check().map_err(|_| Failure::Refused)?;
                        limited(n, body(x)).await
                    })
                }),
                n.concurrency,
            );
            calls(tower::retry::Retry::new(Attempts(2), held))
        }
    );
    case!(
        cases,
        "stack-bulkhead",
        "tower-resilience",
        body::ready,
        [timeout, retry, breaker, limit, one_at_a_time],
        |body, n| {
            let held = slots(n).layer(service_fn(body));
            let timed = TimeLimiterLayer::builder()
                .timeout_duration(n.timeout)
                .build()
                .layer(held);
            calls(retries().layer(circuit().layer(permits(n).layer(timed))))
        }
    );
}

fn refused(cases: &mut Vec<Case>) {
    ours!(cases, "refused", refused, [refused]);
    case!(
        cases,
        "refused",
        "recloser",
        body::fails,
        [refused],
        |body, _n| {
            let breaker = recloser();
            move |x| breaker.call(body(x))
        }
    );
    case!(
        cases,
        "refused",
        "failsafe",
        body::fails,
        [refused],
        |body, _n| {
            let breaker = failsafe_row();
            move |x| breaker.call(body(x))
        }
    );
    case!(
        cases,
        "refused",
        "seatbelt",
        body::fails,
        [refused],
        |body, _n| {
            let context = context();
            let service = leak((breaker_layer(&context), Execute::new(body)).into_service());
            |x| service.execute(x)
        }
    );
    case!(
        cases,
        "refused",
        "tower-resilience",
        body::fails,
        [refused],
        |body, _n| { calls(circuit().layer(service_fn(body))) }
    );
}

fn fails(cases: &mut Vec<Case>) {
    ours!(cases, "fails", failing, [retry]);
    case!(
        cases,
        "fails",
        "backon",
        body::fails,
        [retry],
        |body, _n| move |x| {
            (move || body(x)).retry(
                ConstantBuilder::default()
                    .with_delay(Duration::ZERO)
                    .with_max_times(2),
            )
        }
    );
    case!(cases, "fails", "tower", body::fails, [retry], |body, _n| {
        calls(tower::retry::Retry::new(Attempts(2), service_fn(body)))
    });
    case!(
        cases,
        "fails",
        "seatbelt",
        body::fails,
        [retry],
        |body, _n| {
            let context = context();
            let service = leak((retry_layer(&context), Execute::new(body)).into_service());
            |x| service.execute(x)
        }
    );
    case!(
        cases,
        "fails",
        "tower-resilience",
        body::fails,
        [retry],
        |body, _n| { calls(retries::<Failure>().layer(service_fn(body))) }
    );
}

fn waits(cases: &mut Vec<Case>) {
    ours!(cases, "timeout-waits", timeout, [timeout]);
    case!(
        cases,
        "timeout-waits",
        "tokio",
        body::waits,
        [timeout],
        |body, n| move |x| { tokio::time::timeout(n.timeout, body(x)) }
    );
    ours!(cases, "stack-waits", stack, [timeout, retry, breaker]);
    case!(
        cases,
        "stack-waits",
        "tower + recloser",
        body::waits,
        [timeout, retry, breaker],
        |body, n| {
            let breaker = recloser();
            calls(tower::retry::Retry::new(
                Attempts(2),
                service_fn(move |x| breaker.call(limited(n, body(x)))),
            ))
        }
    );
    case!(
        cases,
        "stack-waits",
        "seatbelt",
        body::waits,
        [timeout, retry, refused],
        |body, n| {
            let context = context();
            let service = leak(
                (
                    retry_layer(&context),
                    breaker_layer(&context),
                    timeout_layer(&context, n),
                    Execute::new(body),
                )
                    .into_service(),
            );
            |x| service.execute(x)
        }
    );
    case!(
        cases,
        "stack-waits",
        "tower-resilience",
        body::waits,
        [timeout, retry, breaker],
        |body, n| {
            let timed = TimeLimiterLayer::builder()
                .timeout_duration(n.timeout)
                .build()
                .layer(service_fn(body));
            calls(retries().layer(circuit().layer(timed)))
        }
    );
}

/// What the last case does otherwise.
fn note(cases: &mut [Case], note: &str) {
    if let Some(case) = cases.last_mut() {
        case.notes.push(note.to_owned());
    }
}

const OF_TIME: &str = "its window is one of time (30 s), not of the last 100 outcomes";

/// Calls a service as soon as it is ready, which all services here are at once.
fn calls<S>(mut service: S) -> impl FnMut(u64) -> S::Future + Clone + Send + 'static
where
    S: Service<u64> + Clone + Send + 'static,
{
    move |x| {
        ready(&mut service);
        service.call(x)
    }
}

#[inline]
fn ready<S: Service<u64>>(service: &mut S) {
    let polled = service.poll_ready(&mut Context::from_waker(Waker::noop()));
    debug_assert!(matches!(polled, Poll::Ready(_)));
}

/// Calls a service that may not become ready: then it waits for ever.
fn called<S: Service<u64, Error = Failure>>(
    service: &mut S,
    x: u64,
) -> impl Future<Output = Result<S::Response, Failure>> + use<S> {
    let polled = service.poll_ready(&mut Context::from_waker(Waker::noop()));
    let future = polled.is_ready().then(|| service.call(x));
    async move {
        match future {
            Some(future) => future.await,
            None => std::future::pending().await,
        }
    }
}

async fn limited(
    n: Numbers,
    body: impl Future<Output = Result<u64, Failure>>,
) -> Result<u64, Failure> {
    match tokio::time::timeout(n.timeout, body).await {
        Ok(result) => result,
        Err(_) => Err(Failure::TimedOut),
    }
}

/// The policy of `tower::retry`: so many further attempts, at once.
#[derive(Clone)]
struct Attempts(u32);

impl<E: Retried> tower::retry::Policy<u64, u64, E> for Attempts {
    type Future = std::future::Ready<()>;

    fn retry(&mut self, _: &mut u64, result: &mut Result<u64, E>) -> Option<Self::Future> {
        match result {
            Err(error) if error.is_down() && self.0 > 0 => {
                self.0 -= 1;
                Some(std::future::ready(()))
            }
            _ => None,
        }
    }

    fn clone_request(&mut self, request: &u64) -> Option<u64> {
        Some(*request)
    }
}

/// An error that may pass: what the other side said, not what a pattern says.
trait Retried {
    fn is_down(&self) -> bool;
}

impl Retried for Failure {
    fn is_down(&self) -> bool {
        *self == Self::Down
    }
}

impl<E: Retried> Retried for recloser::Error<E> {
    fn is_down(&self) -> bool {
        matches!(self, Self::Inner(error) if error.is_down())
    }
}

impl<E: Retried> Retried for tower_resilience::circuitbreaker::CircuitBreakerError<E> {
    fn is_down(&self) -> bool {
        matches!(self, Self::Inner(error) if error.is_down())
    }
}

impl<E: Retried> Retried for tower_resilience::timelimiter::TimeLimiterError<E> {
    fn is_down(&self) -> bool {
        matches!(self, Self::Inner(error) if error.is_down())
    }
}

impl<E: Retried> Retried for tower_resilience::ratelimiter::RateLimiterServiceError<E> {
    fn is_down(&self) -> bool {
        matches!(self, Self::Inner(error) if error.is_down())
    }
}

impl<E: Retried> Retried for tower_resilience::bulkhead::BulkheadServiceError<E> {
    fn is_down(&self) -> bool {
        matches!(self, Self::Inner(error) if error.is_down())
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "a predicate of recloser")]
fn is_down(error: &Failure) -> bool {
    *error == Failure::Down
}

fn recloser() -> &'static AsyncRecloser {
    leak(AsyncRecloser::from(
        Recloser::custom()
            .error_rate(0.5)
            .closed_len(100)
            .half_open_len(1)
            .open_wait(AN_HOUR)
            .build(),
    ))
}

fn failsafe_row() -> &'static (impl failsafe::futures::CircuitBreaker + Sync + 'static) {
    let backoff = failsafe::backoff::constant(AN_HOUR);
    let policy = failsafe::failure_policy::consecutive_failures(5, backoff);
    leak(failsafe::Config::new().failure_policy(policy).build())
}

fn governor(n: Numbers) -> &'static DefaultDirectRateLimiter {
    let Some(limit) = NonZeroU32::new(n.limit) else {
        unreachable!("no limit here is zero")
    };
    let Some(quota) = Quota::with_period(n.per / n.limit) else {
        unreachable!("no period here is zero")
    };
    leak(RateLimiter::direct(quota.allow_burst(limit)))
}

fn context() -> ResilienceContext<u64, Result<u64, Failure>> {
    ResilienceContext::new(Clock::new_tokio()).name("bench")
}

type Out = Result<u64, Failure>;

fn recovery(out: &Out) -> RecoveryInfo {
    match out {
        Err(Failure::Down | Failure::TimedOut) => RecoveryInfo::retry(),
        _ => RecoveryInfo::never(),
    }
}

fn timeout_layer(
    context: &ResilienceContext<u64, Out>,
    n: Numbers,
) -> seatbelt::timeout::TimeoutLayer<u64, Out, seatbelt::typestates::Set, seatbelt::typestates::Set>
{
    Timeout::layer("timeout", context)
        .timeout_error(|_| Failure::TimedOut)
        .timeout(n.timeout)
}

fn retry_layer(
    context: &ResilienceContext<u64, Out>,
) -> seatbelt::retry::RetryLayer<u64, Out, seatbelt::typestates::Set, seatbelt::typestates::Set> {
    Retry::layer("retry", context)
        .clone_input()
        .recovery_with(|out, _| recovery(out))
        .max_retry_attempts(2)
        .base_delay(Duration::ZERO)
}

fn breaker_layer(
    context: &ResilienceContext<u64, Out>,
) -> seatbelt::breaker::BreakerLayer<u64, Out, seatbelt::typestates::Set, seatbelt::typestates::Set>
{
    Breaker::layer("breaker", context)
        .recovery_with(|out, _| recovery(out))
        .rejected_input_error(|_, _| Failure::Refused)
        .failure_threshold(0.5)
        .min_throughput(20)
        .sampling_duration(Duration::from_secs(30))
        .break_duration(AN_HOUR)
}

fn retries<E: Retried + Send + Sync + 'static>() -> RetryLayer<u64, u64, E> {
    RetryLayer::builder()
        .max_attempts(3)
        .fixed_backoff(Duration::ZERO)
        .retry_on(Retried::is_down)
        .build()
}

fn circuit() -> CircuitBreakerLayer {
    let layer = CircuitBreakerLayer::builder()
        .failure_rate_threshold(0.5)
        .sliding_window_size(100)
        .minimum_number_of_calls(20)
        .wait_duration_in_open(AN_HOUR)
        .build();
    layer.unwrap_or_else(|error| unreachable!("the numbers are right: {error:?}"))
}

fn permits(n: Numbers) -> RateLimiterLayer {
    let layer = RateLimiterLayer::builder()
        .limit_for_period(n.limit as usize)
        .refresh_period(n.per)
        .timeout_duration(Duration::ZERO)
        .build();
    layer.unwrap_or_else(|error| unreachable!("the numbers are right: {error:?}"))
}

fn slots(n: Numbers) -> BulkheadLayer {
    let layer = BulkheadLayer::builder()
        .max_concurrent_calls(n.concurrency)
        .reject_when_full()
        .build();
    layer.unwrap_or_else(|error| unreachable!("the numbers are right: {error:?}"))
}

/// Cases live as long as the process.
fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

const AN_HOUR: Duration = Duration::from_hours(1);
