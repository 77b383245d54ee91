use resilience::resilient;

struct Client;

#[resilient(retires = 3)]
impl Client {
    async fn get(&self) -> Result<u32, MyError> {
        Ok(1)
    }

    async fn put(&self) -> Result<u32, MyError> {
        Ok(1)
    }
}

enum MyError {
    Rejected(resilience::Error),
}

impl From<resilience::Error> for MyError {
    fn from(error: resilience::Error) -> Self {
        Self::Rejected(error)
    }
}

fn main() {}
