use resilience::{Error, resilient};

#[resilient(retries: 3, timeout = "5s")]
async fn f() -> Result<u8, Error> {
    Ok(1)
}

#[resilient(retries == 3)]
async fn g() -> Result<u8, Error> {
    Ok(1)
}

#[resilient(retries => 3)]
async fn h() -> Result<u8, Error> {
    Ok(1)
}

fn main() {}
