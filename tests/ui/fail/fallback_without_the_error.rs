use resilience::resilient;

#[resilient(fallback = other)]
async fn f(prompt: &str) -> Result<usize, MyError> {
    Ok(prompt.len())
}

fn other(_: &str) -> Result<usize, MyError> {
    Ok(0)
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
