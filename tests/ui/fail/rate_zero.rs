use resilience::resilient;

#[resilient(breaker(slow_call_duration = "1s", slow_call_rate_threshold = 0.0))]
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
