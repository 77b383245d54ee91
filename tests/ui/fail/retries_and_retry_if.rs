use resilience::{Error, resilient};

#[resilient(retries = 0, retry_if = |_| true)]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
