use resilience::{Error, resilient};

#[resilient(weaviate)]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
