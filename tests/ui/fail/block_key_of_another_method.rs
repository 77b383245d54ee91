use resilience::{Error, resilient};

struct Client;

#[resilient(key = tenant)]
impl Client {
    async fn get(&self, tenant: u32) -> Result<u32, Error> {
        Ok(1)
    }

    async fn put(&self) -> Result<u32, Error> {
        Ok(1)
    }
}

fn main() {}
