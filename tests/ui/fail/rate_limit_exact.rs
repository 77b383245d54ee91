use resilience::resilient;

#[resilient(rate_limit(limit = "100/60s", exact = "yes"))]
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
