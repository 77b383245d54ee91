use resilience::{Error, resilient};

#[resilient(timeout("5s"))]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
