use resilience::{Error, resilient};

#[resilient(rate_limit = none)]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
