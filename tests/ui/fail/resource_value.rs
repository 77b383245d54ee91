use resilience::{Error, fail_fast};

#[fail_fast(resource = 5)]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
