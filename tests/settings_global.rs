//! Reloads of the global runtime, where what settings make is kept and found again. The tests of this
//! file share it, so each reload is told to them all.

mod support;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use resilience::{Error, Runtime, Settings, current, resilient};
use support::polled;
use tokio::task::yield_now;

#[resilient(service = "global reloads", breaker = off)]
async fn seconds() -> Result<u64, Error> {
    Ok(remaining())
}

#[resilient(service = "global reloads", breaker = off)]
async fn seconds_twice() -> Result<[u64; 2], Error> {
    let before = remaining();
    yield_now().await;
    Ok([before, remaining()])
}

/// Of the timeout, which begins with this question.
fn remaining() -> u64 {
    current().unwrap().remaining.unwrap().as_secs()
}

/// All timeouts that have been in force, in that order.
static TIMEOUTS: Mutex<Vec<u64>> = Mutex::new(Vec::new());

/// So many reloads there were, and what they said since that one.
fn since(reload: usize) -> (usize, Vec<u64>) {
    let timeouts = TIMEOUTS.lock().unwrap_or_else(PoisonError::into_inner);
    (timeouts.len(), timeouts[reload..].to_vec())
}

fn reload(timeout: u64) {
    let settings = Settings::loader()
        .text(
            "test.toml",
            &format!("[services.\"global reloads\"]\ntimeout = \"{timeout}s\"\n"),
        )
        .variables::<String, String>([])
        .load()
        .unwrap();
    let mut timeouts = TIMEOUTS.lock().unwrap_or_else(PoisonError::into_inner);
    Runtime::global().apply(&settings);
    timeouts.push(timeout);
}

/// Calls, and looks at what has been in force since the call began.
async fn call() {
    let (reloads, _) = since(0);
    let seen = seconds().await.unwrap();
    let (_, timeouts) = since(reloads.saturating_sub(1));
    assert!(timeouts.contains(&seen), "{seen} of {timeouts:?}");
}

#[tokio::test(start_paused = true)]
async fn threads_that_reload_and_call_at_the_same_time_see_what_is_in_force() {
    reload(100);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_time()
                    .start_paused(true)
                    .build()
                    .unwrap();
                for turn in 0..400_u64 {
                    if turn % 4 == thread {
                        // More than are kept, again and again, and some twice in a row.
                        reload(100 + (turn / 8 * 7) % 24);
                    }
                    runtime.block_on(call());
                }
            });
        }
    });
    call().await;
}

#[tokio::test(start_paused = true)]
async fn a_running_call_keeps_its_settings_while_they_go_back_and_forth() {
    reload(30);
    seconds_twice().await.unwrap();
    for [before, after] in [[30, 60], [60, 30], [30, 30], [30, 60]] {
        // Whatever the other test does meanwhile: what holds is what the first poll saw.
        reload(before);
        let mut running = polled(seconds_twice());
        assert!(running.poll_once().is_pending());
        reload(after);
        tokio::time::advance(Duration::from_secs(1)).await;
        let std::task::Poll::Ready(Ok([first, second])) = running.poll_once() else {
            panic!("it is pending once");
        };
        assert_eq!(second, first - 1);
        call().await;
    }
}
