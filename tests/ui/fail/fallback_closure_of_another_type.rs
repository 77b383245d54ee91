use resilience::{Error, resilient};

#[resilient(fallback = |prompt: u32, _| Ok(1))]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
