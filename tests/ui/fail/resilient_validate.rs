use resilience::{Error, resilient};

#[resilient(validate(!prompt.is_empty()))]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
