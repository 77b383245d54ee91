use resilience::{Error, resilient};

#[resilient(category = "")]
async fn f() -> Result<u8, Error> {
    Ok(1)
}

fn main() {}
