use resilience::{Error, resilient};

#[resilient(breaker(record("auth", "auth")))]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
