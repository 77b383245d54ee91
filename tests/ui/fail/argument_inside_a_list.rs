use resilience::{Error, resilient};

#[resilient(backoff(initial = pause), retries = n + 1)]
async fn f(pause: std::time::Duration, n: u32) -> Result<u32, Error> {
    Ok(n + pause.subsec_nanos())
}

struct Client {
    places: u32,
}

impl Client {
    #[resilient(bulkhead(concurrency = self.places))]
    async fn get(&self, limit: u32) -> Result<u32, Error> {
        Ok(limit)
    }

    // A name of an option is no argument.
    #[resilient(rate_limit(limit = "9/1s"), breaker(ignore("auth")))]
    async fn put(&self, limit: u32, ignore: u32) -> Result<u32, Error> {
        Ok(limit + ignore)
    }
}

fn main() {}
