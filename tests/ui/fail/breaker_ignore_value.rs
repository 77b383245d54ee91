use resilience::{Error, resilient};

#[resilient(breaker(ignore = ["rate_limit"]))]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
