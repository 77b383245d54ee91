use resilience::{Error, resilient};

#[resilient(key = "prompt")]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
