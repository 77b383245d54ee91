use resilience::{Error, resilient};

#[resilient(breaker(wait_duration = off, failure_threshold = off))]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
