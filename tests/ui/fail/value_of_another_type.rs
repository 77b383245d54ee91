use resilience::resilient;

#[resilient(retries = MAX)]
async fn f(prompt: &str) -> Result<usize, MyError> {
    Ok(prompt.len())
}

const MAX: &str = "3";

enum MyError {
    Rejected(resilience::Error),
}

impl From<resilience::Error> for MyError {
    fn from(error: resilience::Error) -> Self {
        Self::Rejected(error)
    }
}

fn main() {}
