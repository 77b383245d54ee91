use resilience::resilient;

#[resilient(breaker(failure_rate_threshold = 0.5, window = "1us"))]
async fn f(prompt: &str) -> Result<usize, MyError> {
    Ok(prompt.len())
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
