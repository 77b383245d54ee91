use resilience::resilient;

#[resilient(timeout = LIMIT)]
async fn f(prompt: &str) -> Result<usize, MyError> {
    Ok(prompt.len())
}

const LIMIT: u64 = 3;

enum MyError {
    Rejected(resilience::Error),
}

impl From<resilience::Error> for MyError {
    fn from(error: resilience::Error) -> Self {
        Self::Rejected(error)
    }
}

fn main() {}
