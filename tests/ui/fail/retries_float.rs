use resilience::{Error, resilient};

#[resilient(retries = 3.0)]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
