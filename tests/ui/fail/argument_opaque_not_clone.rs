use resilience::{Error, resilient};

#[resilient]
async fn f(hook: impl FnOnce() -> u32) -> Result<u32, Error> {
    Ok(hook())
}

fn main() {}
