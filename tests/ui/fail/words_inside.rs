use resilience::{Error, resilient};

#[resilient(backoff(max_retries = 3), bulkhead(max_concurrent_calls = 5, maxWaitDuration = "1s"), breaker(slidingWindowSize = 10, failure_threshold_ms = 5))]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
