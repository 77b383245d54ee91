use resilience::{Error, resilient};

#[resilient(backoff(jitter = true), nested = retry)]
async fn f() -> Result<u8, Error> {
    Ok(1)
}

fn main() {}
