use resilience::{Error, resilient};

#[tokio::main(flavor = "current_thread")]
#[resilient]
async fn main() -> Result<(), Error> {
    Ok(())
}
