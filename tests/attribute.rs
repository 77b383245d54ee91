//! What the attributes promise, named after the pitfalls (M), and every option: each test fails
//! when the option is taken out of the attribute.

#![allow(
    clippy::large_types_passed_by_value,
    clippy::too_many_arguments,
    reason = "shapes"
)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use resilience::{
    Category, Classification, Error, ErrorKind, Retry, Runtime, fail_fast, resilient,
};
use support::{Failure, Script};

mod support;

const BILLING: Category = Category::custom("billing");
const RETRIES: u32 = 2;
const LIMIT: Duration = Duration::from_secs(3);

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(future)
}

fn elapsed<T>(future: impl Future<Output = T>) -> (T, Duration) {
    block_on(async {
        let start = tokio::time::Instant::now();
        (future.await, start.elapsed())
    })
}

fn network(failures: u32) -> Script {
    Script::failing(Category::NETWORK, failures)
}

#[resilient(retries = 4, breaker(failure_threshold = 2, distinct_calls = 1))]
async fn open_at_the_second(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[test]
fn m1_a_breaker_that_opens_ends_the_retries() {
    let script = Script::always(Category::NETWORK);
    let (first, second) = block_on(async {
        (
            open_at_the_second(&script).await,
            open_at_the_second(&script).await,
        )
    });
    assert_eq!(first, Err(Failure::of(Category::NETWORK).number(1)));
    assert!(second.unwrap_err().is_circuit_open());
    assert_eq!(script.runs(), 2);
}

#[resilient(retries = 2)]
async fn by_question_mark(script: &Script) -> Result<u32, Failure> {
    let run = script.next().await?;
    Ok(run)
}

#[test]
fn m3_a_question_mark_is_retried_as_often_as_a_returned_error() {
    let script = Script::always(Category::NETWORK);
    assert!(block_on(by_question_mark(&script)).is_err());
    assert_eq!(script.runs(), 3);
}

#[resilient(retries = 1)]
async fn generated_names(
    result: u8,
    key: u8,
    cache: u8,
    attempt: u8,
    err: u8,
    call: u8,
    out: u8,
    how: u8,
) -> Result<u8, Failure> {
    Ok(result + key + cache + attempt + err + call + out + how)
}

#[test]
fn m8_parameters_do_not_collide_with_generated_names() {
    assert_eq!(block_on(generated_names(1, 1, 1, 1, 1, 1, 1, 1)), Ok(8));
}

#[resilient(retries = 1)]
async fn alias_of_one_argument(n: &str) -> anyhow::Result<u32> {
    Ok(n.parse()?)
}

#[fail_fast]
async fn alias_of_io(path: &str) -> std::io::Result<usize> {
    Ok(path.len())
}

/// The error comes first.
type Reversed<E, T> = Result<T, E>;
/// None of its arguments is the error.
type Pair<A, B> = Result<(A, B), Failure>;

#[resilient(retries = 1)]
async fn alias_in_another_order(n: u8) -> Reversed<Failure, u8> {
    Ok(n)
}

#[resilient(retries = 1)]
async fn alias_without_its_error(n: u8) -> Pair<u8, u16> {
    Ok((n, u16::from(n)))
}

#[test]
fn m11_type_aliases_are_accepted() {
    assert!(block_on(alias_of_one_argument("x")).is_err());
    assert_eq!(block_on(alias_of_io("abc")).unwrap(), 3);
    assert_eq!(block_on(alias_in_another_order(1)), Ok(1));
    assert_eq!(block_on(alias_without_its_error(1)), Ok((1, 1)));
}

#[resilient(category = "network", retries = 0)]
async fn of_category(error: Failure) -> Result<(), Failure> {
    Err(error)
}

#[resilient(category = BILLING, retries = 0)]
async fn of_own_category(error: Failure) -> Result<(), Failure> {
    Err(error)
}

#[test]
fn category_is_what_unknown_errors_are() {
    let runtime = Runtime::new();
    block_on(runtime.scope(async {
        assert!(of_category(Failure::of(Category::UNKNOWN)).await.is_err());
        assert!(
            of_own_category(Failure::of(Category::SERVICE))
                .await
                .is_err()
        );
    }));
    let categories: Vec<_> = runtime
        .recent_errors(2)
        .iter()
        .map(|error| error.category.as_str())
        .collect();
    assert_eq!(categories, ["network", "billing"]);
}

#[resilient(
    service = "shared",
    retries = 0,
    breaker(failure_threshold = 1, distinct_calls = 1)
)]
async fn breaks_shared(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[fail_fast(service = "shared")]
async fn uses_shared() -> Result<(), Failure> {
    Ok(())
}

#[test]
fn service_is_what_breakers_are_shared_by() {
    let rejected = block_on(async {
        assert!(breaks_shared(&network(1)).await.is_err());
        uses_shared().await
    });
    assert!(rejected.unwrap_err().is_circuit_open());
}

#[resilient(operation = "a name that stays")]
async fn with_operation() -> Result<(), Failure> {
    Ok(())
}

#[test]
fn operation_names_the_site() {
    assert_eq!(block_on(with_operation()), Ok(()));
    assert!(
        resilience::sites()
            .iter()
            .any(|site| site.operation == "a name that stays")
    );
}

#[resilient(retries = RETRIES + 1)]
async fn with_constant_retries(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[test]
fn retries_may_be_a_constant_expression() {
    let script = network(9);
    assert!(block_on(with_constant_retries(&script)).is_err());
    assert_eq!(script.runs(), 4);
}

#[resilient(
    retries = 3,
    backoff(initial = "10s", factor = 3, max = "20s", jitter = "none"),
    breaker = off
)]
async fn with_backoff(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[resilient(retries = 1, backoff(initial = LIMIT, jitter = "none"))]
async fn with_constant_backoff(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[test]
fn backoff_says_how_long_to_wait() {
    let (result, waited) = elapsed(with_backoff(&network(3)));
    assert_eq!((result, waited), (Ok(3), Duration::from_secs(10 + 20 + 20)));
    let (result, waited) = elapsed(with_constant_backoff(&network(1)));
    assert_eq!((result, waited), (Ok(1), LIMIT));
}

#[resilient(retries = 0, timeout = LIMIT)]
async fn with_timeout(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[resilient(retries = 0, timeout = off, deadline = "50s")]
async fn without_timeout(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

fn time_limit(result: Result<u32, Failure>) -> Option<Duration> {
    match result {
        Err(Failure::Ours(error)) => match error.kind() {
            ErrorKind::TimedOut(timed_out) => Some(timed_out.limit),
            _ => None,
        },
        _ => None,
    }
}

#[test]
fn timeout_and_deadline_bound_an_attempt_and_the_call() {
    let (result, waited) = elapsed(with_timeout(&Script::hanging()));
    assert_eq!((time_limit(result), waited), (Some(LIMIT), LIMIT));
    let (result, waited) = elapsed(without_timeout(&Script::hanging()));
    let limit = Duration::from_secs(50);
    assert_eq!((time_limit(result), waited), (Some(limit), limit));
}

#[resilient(retries = 9, breaker = off, backoff(initial = "1ms"))]
async fn without_breaker(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[test]
fn breaker_off_keeps_nobody_out() {
    let script = network(18);
    block_on(async {
        assert!(without_breaker(&script).await.is_err());
        assert_eq!(without_breaker(&script).await, Ok(18));
    });
}

/// An error type that knows nothing of `resilience`.
#[derive(Debug, PartialEq)]
struct Foreign(String);

impl Foreign {
    #[allow(
        clippy::needless_pass_by_value,
        reason = "the form that `reject_with` wants"
    )]
    fn rejected(error: Error) -> Self {
        Self(error.to_string())
    }
}

#[fail_fast(reject_with = Foreign::rejected, timeout = "1s")]
async fn with_reject_with() -> Result<(), Foreign> {
    std::future::pending().await
}

#[fail_fast(reject_with = |error| error.kind_name().len(), timeout = "1s")]
async fn with_reject_closure() -> Result<(), usize> {
    std::future::pending().await
}

#[test]
fn reject_with_makes_our_answers_errors_of_the_function() {
    let error = block_on(with_reject_with()).unwrap_err();
    assert!(error.0.contains("timed out"), "{error:?}");
    assert_eq!(block_on(with_reject_closure()), Err("timed_out".len()));
}

#[derive(Clone)]
struct Request {
    id: String,
}

#[resilient(
    retries = 1,
    fields(number, id = request.id, "the.size" = %number, debug = ?request.id, length = path.len())
)]
async fn with_fields(number: u32, request: Request, path: &str) -> Result<(), Failure> {
    drop(request);
    Err(Failure::of(Category::VALIDATION))
}

#[fail_fast(fields(path, dry_run = true))]
async fn with_fields_once(path: String) -> Result<(), Failure> {
    drop(path);
    Err(Failure::of(Category::VALIDATION))
}

struct Client {
    name: String,
}

impl Client {
    #[resilient(retries = 1, fields(self.name, text))]
    async fn send(&mut self, text: String) -> Result<(), Failure> {
        self.name.push('!');
        drop(text);
        Err(Failure::of(Category::VALIDATION))
    }
}

#[test]
fn fields_are_kept_with_the_error() {
    let runtime = Runtime::new();
    block_on(runtime.scope(async {
        let request = Request { id: "r".into() };
        assert!(with_fields(7, request, "abc").await.is_err());
        let mut client = Client { name: "c".into() };
        assert!(client.send("t".into()).await.is_err());
        assert!(with_fields_once("p".into()).await.is_err());
    }));
    let fields: Vec<_> = runtime
        .recent_errors(3)
        .iter()
        .map(|error| error.fields.to_string())
        .collect();
    assert_eq!(
        fields,
        [
            r#"number=7 id="r" the.size="7" debug="\"r\"" length=3"#,
            r#"self.name="c!" text="t""#,
            r#"path="p" dry_run=true"#
        ]
    );
}

#[fail_fast(
    require(!prompt.is_empty(), field = "prompt", "must not be empty"),
    require(tokens <= LIMIT.as_secs(), field = "tokens", "must be at most {}, got {tokens}", 3)
)]
async fn with_requirements(prompt: String, tokens: u64) -> Result<usize, Failure> {
    Ok(prompt.len())
}

#[test]
fn all_failed_requirements_are_told_at_once() {
    let error = block_on(with_requirements(String::new(), 4)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "requirements not met: `prompt` must not be empty, `tokens` must be at most 3, got 4"
    );
    assert_eq!(block_on(with_requirements("a".into(), 3)), Ok(1));
}

fn never_again(_: &Failure) -> Classification {
    Classification::new(Category::NETWORK).with_retry(Retry::No)
}

#[resilient(retries = 3, classify = never_again)]
async fn with_classify(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[test]
fn classify_replaces_what_the_type_says() {
    let script = network(9);
    assert!(block_on(with_classify(&script)).is_err());
    assert_eq!(script.runs(), 1);
}

#[resilient(retries = 3, retry_if = |error| matches!(error, Failure::Theirs(_, n) if *n < limit))]
async fn with_retry_if(script: &Script, limit: u32) -> Result<u32, Failure> {
    script.next().await
}

fn is_ours(error: &Failure) -> bool {
    matches!(error, Failure::Ours(_))
}

fn always(_: &Failure) -> bool {
    true
}

#[resilient(retries = 2, retry_if = always, timeout = "1s", backoff(initial = "1ms"))]
async fn with_retry_if_path(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[resilient(retries = 2, retry_if = |error| !is_ours(error), timeout = "1s")]
async fn not_after_a_timeout(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[test]
fn retry_if_has_the_last_word() {
    let script = network(9);
    assert!(block_on(with_retry_if(&script, 2)).is_err());
    assert_eq!(script.runs(), 3);
    let script = Script::always(Category::VALIDATION);
    assert!(block_on(with_retry_if_path(&script)).is_err());
    assert_eq!(script.runs(), 3);
    let script = Script::hanging();
    assert!(block_on(not_after_a_timeout(&script)).is_err());
    assert_eq!(script.runs(), 1);
}

#[resilient(retries = 2, retry_if_ok = |value| *value < 1, breaker(failure_threshold = 2))]
async fn with_retry_if_ok(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[resilient(retries = 2, retry_if_ok = |_| true)]
async fn never_satisfied(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[test]
fn retry_if_ok_makes_a_success_a_failed_attempt() {
    let script = network(0);
    assert_eq!(block_on(with_retry_if_ok(&script)), Ok(1));
    let script = network(0);
    assert_eq!(block_on(never_satisfied(&script)), Ok(2));
    assert_eq!(script.runs(), 3);
}

static HOOKED: AtomicU32 = AtomicU32::new(0);

#[resilient(retries = 2, before_retry = |error| {
    assert!(matches!(error, Failure::Theirs(..)));
    HOOKED.fetch_add(step, Ordering::Relaxed);
})]
async fn with_before_retry(script: &Script, step: u32) -> Result<u32, Failure> {
    script.next().await
}

#[test]
fn before_retry_runs_between_attempts_and_not_after_the_last() {
    assert!(block_on(with_before_retry(&network(9), 10)).is_err());
    assert_eq!(HOOKED.load(Ordering::Relaxed), 20);
}

#[resilient(retries = 1, boxed)]
async fn with_boxed(script: &Script, large: [u8; 4096]) -> Result<u32, Failure> {
    let large = std::hint::black_box(large);
    let run = script.next().await?;
    Ok(run + u32::from(large[0]))
}

#[resilient(retries = 1)]
async fn without_boxed(script: &Script, large: [u8; 4096]) -> Result<u32, Failure> {
    let large = std::hint::black_box(large);
    let run = script.next().await?;
    Ok(run + u32::from(large[0]))
}

#[test]
fn boxed_keeps_the_body_out_of_the_future() {
    let script = network(1);
    assert_eq!(block_on(with_boxed(&script, [1; 4096])), Ok(2));
    let sizes = (
        size_of_val(&with_boxed(&script, [0; 4096])),
        size_of_val(&without_boxed(&script, [0; 4096])),
    );
    assert!(sizes.0 + 4096 < sizes.1, "{sizes:?}");
}

const WINDOW: resilience::Window = resilience::Window::Time(LIMIT);

#[resilient(
    operation = "all breaker options by rate",
    breaker(
        failure_rate_threshold = 0.5,
        slow_call_duration = "2s",
        slow_call_rate_threshold = 1,
        window = 50,
        minimum_calls = 20,
        success_threshold = 3,
        wait_duration = "30s..5m",
    )
)]
async fn by_rate() -> Result<(), Failure> {
    Ok(())
}

#[resilient(
    operation = "all breaker options in a row",
    breaker(failure_threshold = 4, distinct_calls = 3, slow_call_duration = LIMIT, window = WINDOW)
)]
async fn in_a_row() -> Result<(), Failure> {
    Ok(())
}

#[test]
fn every_breaker_option_reaches_the_site() {
    let _ = (by_rate(), in_a_row());
    let breaker = |operation: &str| {
        let sites = resilience::sites();
        let site = sites
            .into_iter()
            .find(|site| site.operation == operation)
            .unwrap();
        match site.options.breaker {
            Some(resilience::Switch::On(breaker)) => breaker,
            _ => panic!("no breaker"),
        }
    };
    let rate = breaker("all breaker options by rate");
    assert_eq!(rate.failure_rate_threshold, Some(0.5));
    assert_eq!(rate.slow_call_duration, Some(Duration::from_secs(2)));
    assert_eq!(rate.slow_call_rate_threshold, Some(1.0));
    assert_eq!(rate.window, Some(resilience::Window::Count(50)));
    assert_eq!(
        (rate.minimum_calls, rate.success_threshold),
        (Some(20), Some(3))
    );
    assert_eq!(rate.wait_duration, Some(Duration::from_secs(30)));
    assert_eq!(rate.wait_duration_max, Some(Duration::from_secs(300)));
    let row = breaker("all breaker options in a row");
    assert_eq!(
        (row.failure_threshold, row.distinct_calls),
        (Some(4), Some(3))
    );
    assert_eq!(
        (row.slow_call_duration, row.window),
        (Some(LIMIT), Some(WINDOW))
    );
}
