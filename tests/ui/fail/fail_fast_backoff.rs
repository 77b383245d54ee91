use resilience::{Error, fail_fast};

#[fail_fast(initial_delay = "1s")]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
