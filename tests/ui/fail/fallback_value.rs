use resilience::{Error, resilient};

#[resilient(fallback = Ok(1))]
async fn f() -> Result<u32, Error> {
    Ok(1)
}

#[resilient(fallback(other, "network"))]
async fn g() -> Result<u32, Error> {
    Ok(1)
}

#[resilient(fallback = [other, on("network")])]
async fn h() -> Result<u32, Error> {
    Ok(1)
}

fn other(error: Error) -> Result<u32, Error> {
    Err(error)
}

fn main() {}
