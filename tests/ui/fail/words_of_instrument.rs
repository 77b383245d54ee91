use resilience::{Error, resilient};

#[resilient(skip(prompt), level = "info", err)]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
