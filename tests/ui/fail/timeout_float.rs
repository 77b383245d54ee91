use resilience::{Error, resilient};

#[resilient(timeout = 1.5)]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
