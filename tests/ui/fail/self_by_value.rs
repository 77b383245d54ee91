use resilience::resilient;

struct Client(u32);

impl Client {
    #[resilient]
    async fn f(self) -> Result<u32, MyError> {
        Ok(self.0)
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
