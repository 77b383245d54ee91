use resilience::{Error, resilient};

#[resilient(retries = 3u64)]
async fn f() -> Result<u8, Error> {
    Ok(1)
}

fn main() {}
