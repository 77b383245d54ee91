use resilience::{Error, fail_fast};

#[fail_fast(require(!prompt.is_empty(), field = prompt, "must not be empty"))]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
