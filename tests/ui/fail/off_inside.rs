use resilience::{Error, resilient};

#[resilient(breaker(off), timeout(off), backoff(exponential))]
async fn f() -> Result<u32, Error> {
    Ok(1)
}

fn main() {}
