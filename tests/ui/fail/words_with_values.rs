use resilience::{Error, resilient};

const ALL: u32 = 4;

#[resilient(
    max_attempts = ALL,
    enable = true,
    when = is_busy,
    budget(percent = 50),
    breaker(failure_rate = 0.25)
)]
async fn f() -> Result<u32, Error> {
    Ok(ALL)
}

#[resilient(enable, disabled = false, idempotent = yes)]
async fn g() -> Result<u32, Error> {
    Ok(1)
}

#[resilient(key = 3)]
async fn h() -> Result<u32, Error> {
    Ok(1)
}

fn is_busy(_: &Error) -> bool {
    true
}

fn main() {}
