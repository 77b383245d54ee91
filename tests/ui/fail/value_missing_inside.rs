use resilience::{Error, fail_fast, resilient};

#[resilient(fields(a = ))]
async fn f(a: u32) -> Result<u32, Error> {
    Ok(a)
}

#[fail_fast(require(a > , field = "a", "must be above 0"))]
async fn g(a: u32) -> Result<u32, Error> {
    Ok(a)
}

#[resilient(backoff(initial = "1s" + ))]
async fn h(a: u32) -> Result<u32, Error> {
    Ok(a)
}

fn main() {}
