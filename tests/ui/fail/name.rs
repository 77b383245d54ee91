use resilience::{Error, resilient};

#[resilient(name = "fetch")]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
