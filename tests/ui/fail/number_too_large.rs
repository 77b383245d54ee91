use resilience::{Error, resilient};

#[resilient(retries = 99999999999, backoff(factor = 1e400), timeout = "99999999999999999999s")]
async fn f() -> Result<u8, Error> {
    Ok(1)
}

fn main() {}
