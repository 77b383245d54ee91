use resilience::{Error, resilient};

struct Client;

#[resilient(backoff(initial = "1m", max = "30s"))]
impl Client {
    async fn get(&self) -> Result<u32, Error> {
        Ok(1)
    }

    async fn put(&self) -> Result<u32, Error> {
        Ok(1)
    }
}

fn main() {}
