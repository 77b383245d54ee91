use resilience::resilient;

#[resilient(breaker(failure_threshold = 0))]
async fn f(prompt: &str) -> Result<u32, MyError> {
    Ok(1)
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
