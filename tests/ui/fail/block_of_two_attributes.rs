use resilience::{Error, resilient};

struct Client;

#[resilient(retries = 3)]
#[resilience::fail_fast(timeout = "3s")]
impl Client {
    async fn get(&self) -> Result<u32, Error> {
        Ok(1)
    }
}

fn main() {}
