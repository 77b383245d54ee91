use resilience::{Error, fail_fast};

#[fail_fast(require(!prompt.is_empty(), "must not be empty", field = "prompt"))]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
