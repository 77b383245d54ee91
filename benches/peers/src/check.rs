//! Whether a case does what it says. What it does otherwise becomes a footnote.

use std::fmt::Debug;
use std::panic::{self, AssertUnwindSafe};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::body::{FAIL, HANG, runs};

/// The numbers of a case. Those of retries, breakers and delays are the same in all.
#[derive(Clone, Copy, Debug)]
pub struct Numbers {
    pub timeout: Duration,
    /// So many calls in [`per`](Self::per).
    pub limit: u32,
    pub per: Duration,
    /// So many at once.
    pub concurrency: usize,
}

/// Nobody is ever refused: what counts is the way through.
pub const MEASURED: Numbers = Numbers {
    timeout: Duration::from_secs(5),
    limit: 1_000_000_000,
    per: Duration::from_secs(1),
    concurrency: 100,
};

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Ok,
    Down,
    TimedOut,
    Refused,
    Waits,
}

/// Told by the text of the result, since every library wraps errors in types of its own.
fn told<T: Debug>(result: &T) -> Told {
    let text = format!("{result:?}");
    if !text.contains("Err(") {
        Told::Ok
    } else if text.contains("Down") {
        Told::Down
    } else if ["Elapsed", "TimedOut", "Timeout"]
        .iter()
        .any(|word| text.contains(word))
    {
        Told::TimedOut
    } else {
        Told::Refused
    }
}

/// Polls once.
fn poll<F: Future<Output: Debug>>(future: F) -> Told {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => told(&result),
        Poll::Pending => Told::Waits,
    }
}

/// Waits until it is ready, for two seconds at most.
fn wait<F: Future<Output: Debug>>(future: impl FnOnce() -> F) -> Result<Told, String> {
    let tokio = guard::tokio().map_err(|error| error.to_string())?;
    let waited =
        tokio.block_on(async { tokio::time::timeout(Duration::from_secs(2), future()).await });
    waited
        .map(|result| told(&result))
        .map_err(|_| "is not over after 2 s".to_owned())
}

/// Makes what is to be checked, with these numbers: a call of [`crate::body::tested`].
pub trait Make<C>: FnOnce(Numbers) -> C {}
impl<C, M: FnOnce(Numbers) -> C> Make<C> for M {}

/// The timeout ends what hangs. Time is real: the case is made with 10 ms here, not with 5 s.
pub fn timeout<F: Future<Output: Debug>, C: FnMut(u64) -> F>(make: impl Make<C>) -> Vec<String> {
    // Made inside: clocks belong to the runtime in which they are made.
    let told = wait(|| async move {
        let mut call = make(Numbers {
            timeout: Duration::from_millis(10),
            ..MEASURED
        });
        call(HANG).await
    });
    expect(told == Ok(Told::TimedOut), || {
        format!("does not time out: {told:?}")
    })
}

/// Three attempts.
pub fn retry<F: Future<Output: Debug>, C: FnMut(u64) -> F>(make: impl Make<C>) -> Vec<String> {
    let before = runs();
    let told = wait(|| async move { make(MEASURED)(FAIL).await });
    let runs = runs() - before;
    expect(told == Ok(Told::Down) && runs == 3, || {
        format!("{runs} attempts, not 3, and {told:?}")
    })
}

/// A breaker over the last 100 calls at a rate of one half: what fails opens it, also after a
/// thousand successes, and then nothing runs.
pub fn breaker<F: Future<Output: Debug>, C: FnMut(u64) -> F>(make: impl Make<C>) -> Vec<String> {
    let mut call = make(MEASURED);
    for x in 0..1_000 {
        if poll(call(x)) != Told::Ok {
            return vec!["refuses although nothing fails".into()];
        }
    }
    let before = runs();
    let mut refused = false;
    for _ in 0..3_000 {
        refused = poll(call(FAIL)) == Told::Refused;
        if refused {
            break;
        }
    }
    let runs_to_open = runs() - before;
    let mut notes = expect(refused, || "never opens after 1,000 successes".into());
    notes.extend(expect(!refused || runs_to_open <= 100, || {
        format!("after 1,000 successes it opens at the {runs_to_open}th failure: its window of 100 does not slide")
    }));
    let before = runs();
    let told = poll(call(1));
    notes.extend(expect(
        !refused || (told == Told::Refused && runs() == before),
        || format!("open, it runs the body: {told:?}"),
    ));
    notes
}

/// A breaker that opens at failures in a row.
pub fn breaker_row<F: Future<Output: Debug>, C: FnMut(u64) -> F>(
    make: impl Make<C>,
) -> Vec<String> {
    let mut call = make(MEASURED);
    let before = runs();
    let refused = (0..100).any(|_| poll(call(FAIL)) == Told::Refused);
    let failures = runs() - before;
    expect(refused && failures == 5, || {
        format!("opens after {failures} failures in a row, not 5")
    })
}

/// Refused by an open breaker, without a run of the body.
pub fn refused<F: Future<Output: Debug>, C: FnMut(u64) -> F>(make: impl Make<C>) -> Vec<String> {
    let mut call = make(MEASURED);
    for _ in 0..200 {
        poll(call(FAIL));
    }
    let before = runs();
    let told = poll(call(1));
    expect(told == Told::Refused && runs() == before, || {
        format!("is not refused: {told:?}")
    })
}

/// A limit of five an hour. The sixth call does not run.
pub fn limit<F: Future<Output: Debug>, C: FnMut(u64) -> F>(make: impl Make<C>) -> Vec<String> {
    let mut call = make(Numbers {
        limit: 5,
        per: Duration::from_hours(1),
        ..MEASURED
    });
    let before = runs();
    for x in 0..6 {
        poll(call(x));
    }
    let runs = runs() - before;
    expect(runs == 5, || {
        format!("lets {runs} of 6 calls through where 5 are allowed")
    })
}

/// One at a time. A second call does not run while the first waits.
pub fn one_at_a_time<F: Future<Output: Debug>, C: FnMut(u64) -> F>(
    make: impl Make<C>,
) -> Vec<String> {
    let mut call = make(Numbers {
        concurrency: 1,
        ..MEASURED
    });
    let mut first = Box::pin(call(HANG));
    let mut context = Context::from_waker(Waker::noop());
    let waits = first.as_mut().poll(&mut context).is_pending();
    let before = runs();
    // A tower service that is called although it is not ready says so with a panic.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let told = panic::catch_unwind(AssertUnwindSafe(|| poll(call(1)))).unwrap_or(Told::Refused);
    panic::set_hook(hook);
    expect(waits && told != Told::Ok && runs() == before, || {
        format!("two run at a time where one is allowed: {told:?}")
    })
}

fn expect(holds: bool, otherwise: impl FnOnce() -> String) -> Vec<String> {
    if holds { Vec::new() } else { vec![otherwise()] }
}
