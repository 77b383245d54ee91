use resilience::{Error, resilient};

#[resilient(breaker(ignore("timeout", "auth"), record("network", "timeout")))]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
