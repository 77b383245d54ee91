use resilience::{Error, resilient};

#[resilient(retry_if = |error: Error| true)]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
