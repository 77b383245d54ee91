use resilience::{Error, resilient};

struct Client;

#[resilient(skip)]
impl Client {
    async fn get(&self) -> Result<u32, Error> {
        Ok(1)
    }

    async fn put(&self) -> Result<u32, Error> {
        Ok(1)
    }
}

fn main() {}
