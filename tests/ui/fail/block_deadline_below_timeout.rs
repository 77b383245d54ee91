use resilience::{Error, resilient};

struct Client;

#[resilient(deadline = "10s")]
impl Client {
    #[resilient(timeout = "30s")]
    async fn get(&self) -> Result<u32, Error> {
        Ok(1)
    }

    // These have their own way out.
    #[resilient(timeout = "30s", deadline = "1m")]
    async fn put(&self) -> Result<u32, Error> {
        Ok(1)
    }

    #[resilience::fail_fast(timeout = "30s")]
    async fn ask(&self) -> Result<u32, Error> {
        Ok(1)
    }
}

fn main() {}
