use resilience::resilient;

#[resilient(fallback(other, on("circut_open")))]
async fn f(prompt: &str) -> Result<usize, MyError> {
    Ok(prompt.len())
}

fn other(_: &str, error: MyError) -> Result<usize, MyError> {
    Err(error)
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
