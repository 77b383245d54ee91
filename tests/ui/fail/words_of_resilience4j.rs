use resilience::{Error, resilient};

#[resilient(maxAttempts = 3, waitDurationInOpenState = "30s", slidingWindowSize = 10, fallbackMethod = other)]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
