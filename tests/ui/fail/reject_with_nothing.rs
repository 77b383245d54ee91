use resilience::{Error, resilient};

#[resilient(reject_with = 5)]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
