use resilience::{Error, fail_fast};

#[fail_fast(max_retries = 3)]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
