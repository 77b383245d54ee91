use resilience::{Error, resilient};

#[resilient(fallback = || Ok(1))]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
