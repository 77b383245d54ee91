use resilience::{Error, resilient};

#[resilient(enabled = false)]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
