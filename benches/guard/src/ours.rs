//! Annotated functions, and the same bare. What they have beside their shape is in `settings.toml`.

use std::cell::Cell;
use std::fmt;
use std::hint::black_box;

use resilience::{Error, Event, Listener, Problems, Runtime, Settings, fail_fast, resilient};

use crate::{Case, Yield, drive, finish};

/// The error of an application.
#[derive(Debug, resilience::Classify)]
pub enum Failed {
    /// The other side is down.
    #[classify(category = "network")]
    Down,
    /// An answer of the runtime.
    #[classify(transparent)]
    Refused(Error),
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Down => f.write_str("the other side is down"),
            Self::Refused(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Failed {}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// What all functions here do, bare.
pub async fn bare(x: u64) -> Result<u64, Failed> {
    Ok(black_box(x) + 1)
}

/// The same, pending once before.
pub async fn bare_waits(x: u64) -> Result<u64, Failed> {
    Yield::default().await;
    Ok(black_box(x) + 1)
}

#[resilient]
async fn defaults(x: u64) -> Result<u64, Failed> {
    Ok(black_box(x) + 1)
}

#[fail_fast]
async fn strict(x: u64) -> Result<u64, Failed> {
    Ok(black_box(x) + 1)
}

#[resilient(service = "timeout", retries = 0)]
async fn timeout(x: u64) -> Result<u64, Failed> {
    Ok(black_box(x) + 1)
}

#[resilient(service = "retry")]
async fn retry(x: u64) -> Result<u64, Failed> {
    Ok(black_box(x) + 1)
}

#[resilient(service = "budget")]
async fn budget(x: u64) -> Result<u64, Failed> {
    Ok(black_box(x) + 1)
}

#[resilient(service = "breaker-row", retries = 0)]
async fn breaker_row(x: u64) -> Result<u64, Failed> {
    Ok(black_box(x) + 1)
}

#[resilient(service = "breaker", retries = 0)]
async fn breaker(x: u64) -> Result<u64, Failed> {
    Ok(black_box(x) + 1)
}

#[resilient(service = "rate-limit", retries = 0)]
async fn rate_limit(x: u64) -> Result<u64, Failed> {
    Ok(black_box(x) + 1)
}

#[resilient(service = "bulkhead", retries = 0)]
async fn bulkhead(x: u64) -> Result<u64, Failed> {
    Ok(black_box(x) + 1)
}

#[resilient(service = "stack")]
async fn stack(x: u64) -> Result<u64, Failed> {
    Ok(black_box(x) + 1)
}

#[resilient(service = "stack-rate-limit")]
async fn stack_rate_limit(x: u64) -> Result<u64, Failed> {
    Ok(black_box(x) + 1)
}

#[resilient(service = "stack-bulkhead")]
async fn stack_bulkhead(x: u64) -> Result<u64, Failed> {
    Ok(black_box(x) + 1)
}

#[resilient(service = "stack", operation = "stack after a reload")]
async fn reloaded(x: u64) -> Result<u64, Failed> {
    Ok(black_box(x) + 1)
}

#[resilient(service = "stack", operation = "stack with other settings")]
async fn retuned(x: u64) -> Result<u64, Failed> {
    Ok(black_box(x) + 1)
}

#[resilient(service = "stack", operation = "stack that waits")]
async fn stack_waits(x: u64) -> Result<u64, Failed> {
    Yield::default().await;
    Ok(black_box(x) + 1)
}

#[resilient(service = "timeout", operation = "timeout that waits", retries = 0)]
async fn timeout_waits(x: u64) -> Result<u64, Failed> {
    Yield::default().await;
    Ok(black_box(x) + 1)
}

#[resilient(service = "keyed", key = tenant, retries = 0)]
async fn keyed(tenant: u64) -> Result<u64, Failed> {
    Ok(black_box(tenant) + 1)
}

#[resilient(service = "refused", retries = 0)]
async fn refused(x: u64) -> Result<u64, Failed> {
    RUNS.set(RUNS.get() + 1);
    if black_box(x) == u64::MAX {
        return Ok(x);
    }
    Err(Failed::Down)
}

#[resilient(service = "failing")]
async fn fails(x: u64) -> Result<u64, Failed> {
    RUNS.set(RUNS.get() + 1);
    if black_box(x) == u64::MAX {
        return Ok(x);
    }
    Err(Failed::Down)
}

#[resilient(service = "failing", operation = "recovers")]
async fn recovers(x: u64) -> Result<u64, Failed> {
    RUNS.set(RUNS.get() + 1);
    if RUNS.get().is_multiple_of(3) {
        Ok(black_box(x) + 1)
    } else {
        Err(Failed::Down)
    }
}

/// Every workload.
pub fn cases() -> Vec<Case> {
    vec![
        case!("bare", bare, succeeds),
        case!("bare-waits", bare_waits, succeeds),
        case!("defaults", defaults, succeeds),
        case!("fail-fast", strict, succeeds),
        case!("timeout", timeout, succeeds),
        case!("retry", retry, succeeds),
        case!("retry-budget", budget, succeeds),
        case!("breaker-row", breaker_row, succeeds),
        case!("breaker", breaker, succeeds),
        case!("rate-limit", rate_limit, succeeds),
        case!("bulkhead", bulkhead, succeeds),
        case!("stack", stack, succeeds),
        case!("stack-rate-limit", stack_rate_limit, succeeds),
        case!("stack-bulkhead", stack_bulkhead, succeeds),
        case!("keyed", keyed_by_hundred, succeeds),
        case!("refused", refused, is_refused),
        case!("fails", fails, fails_three_times),
        case!("recovers", recovers, succeeds_at_the_third),
        case!("timeout-waits", timeout_waits, succeeds),
        case!("stack-waits", stack_waits, succeeds),
        // The last: all sites have been reloaded then.
        case!("reloaded", reloaded, succeeds_after_a_reload),
        case!("retuned", retuned, succeeds_with_other_settings),
    ]
}

/// A hundred tenants in turn.
fn keyed_by_hundred(x: u64) -> impl Future<Output = Result<u64, Failed>> {
    keyed(x % 100)
}

macro_rules! case {
    ($name:literal, $call:path, $check:expr) => {
        Case {
            name: $name,
            run: |calls| drive(calls, $call),
            size: || size_of_val(&$call(0)),
            check: || $check(&mut |x| finish($call(x))),
        }
    };
}
use case;

type Call<'a> = &'a mut dyn FnMut(u64) -> Result<u64, Failed>;

fn succeeds(call: Call<'_>) -> Result<(), String> {
    match call(1) {
        Ok(2) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

/// As `stack`, after a reload that says the same.
fn succeeds_after_a_reload(call: Call<'_>) -> Result<(), String> {
    succeeds(call)?;
    load().map_err(|problems| problems.to_string())?;
    succeeds(call)
}

/// As `stack`, after one that says something else.
fn succeeds_with_other_settings(call: Call<'_>) -> Result<(), String> {
    succeeds(call)?;
    load_with("[sites.\"stack with other settings\"]\ntimeout = \"6s\"\n")
        .map_err(|problems| problems.to_string())?;
    succeeds(call)
}

fn is_refused(call: Call<'_>) -> Result<(), String> {
    while matches!(call(1), Err(Failed::Down)) {}
    let before = RUNS.get();
    match call(1) {
        Err(Failed::Refused(_)) if RUNS.get() == before => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

fn fails_three_times(call: Call<'_>) -> Result<(), String> {
    let before = RUNS.get();
    match (call(1), RUNS.get() - before) {
        (Err(Failed::Down), 3) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

fn succeeds_at_the_third(call: Call<'_>) -> Result<(), String> {
    RUNS.set(0);
    match (call(1), RUNS.get()) {
        (Ok(2), 3) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

/// Those of all workloads.
pub const SETTINGS: &str = include_str!("../settings.toml");

/// Loads the settings into the global runtime.
///
/// # Errors
///
/// What is wrong with them, or between the functions.
pub fn load() -> Result<(), Problems> {
    load_with("")
}

/// The same, and more.
fn load_with(more: &str) -> Result<(), Problems> {
    let settings = Settings::loader()
        .text("settings.toml", SETTINGS)
        .text("more.toml", more)
        .variables::<String, String>([])
        .load()?;
    resilience::apply(&settings);
    Ok(())
}

/// From now on somebody hears every event, and does nothing with it.
pub fn listen() {
    struct Deaf;
    impl Listener for Deaf {
        fn on_event(&self, event: &Event<'_>) {
            black_box(event);
        }
    }
    Runtime::global().add_listener(Deaf);
}

thread_local! {
    /// How often a body that fails has run.
    static RUNS: Cell<u64> = const { Cell::new(0) };
}
