use resilience::{Error, fail_fast};

#[fail_fast(retires = 3)]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
