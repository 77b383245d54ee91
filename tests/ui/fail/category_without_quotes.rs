use resilience::{Error, resilient};

#[resilient(category = network)]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
