use resilience::{Error, resilient};

struct Client;

#[resilient(retries = 0)]
impl Client {
    #[resilient(backoff(initial = "1s"))]
    async fn get(&self) -> Result<u32, Error> {
        Ok(1)
    }

    async fn put(&self) -> Result<u32, Error> {
        Ok(1)
    }
}

fn main() {}
