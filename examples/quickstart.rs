//! To copy: one attribute, a flaky dependency, and what the runtime says about it.

use std::sync::atomic::{AtomicU32, Ordering};

use resilience::resilient;

static VISITS: AtomicU32 = AtomicU32::new(0);

/// Fails twice as a busy server does, then answers.
#[resilient(
    service = "greeter",
    retries = 3,
    backoff(initial = "10ms"),
    timeout = "2s"
)]
async fn greet(name: &str) -> anyhow::Result<String> {
    match VISITS.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => anyhow::bail!("503 Service Unavailable"),
        _ => Ok(format!("hello, {name}")),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    println!("{}", greet("world").await?);
    println!("{}", resilience::summary());
    for error in resilience::recent_errors(10) {
        println!("{error}");
    }
    Ok(())
}
