use resilience::resilient;

trait Store {
    #[resilient]
    async fn get(&self) -> Result<u32, MyError>;
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
