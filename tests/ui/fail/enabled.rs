use resilience::{Error, resilient};

#[resilient(disabled)]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
