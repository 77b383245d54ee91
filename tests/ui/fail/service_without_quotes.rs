use resilience::{Error, resilient};

#[resilient(service = llm_provider)]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
