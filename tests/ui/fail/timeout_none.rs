use resilience::{Error, resilient};

#[resilient(timeout = None)]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
