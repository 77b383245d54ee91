use resilience::resilient;

#[resilient(category = NAME)]
async fn f(prompt: &str) -> Result<usize, MyError> {
    Ok(prompt.len())
}

const NAME: &str = "network";

enum MyError {
    Rejected(resilience::Error),
}

impl From<resilience::Error> for MyError {
    fn from(error: resilience::Error) -> Self {
        Self::Rejected(error)
    }
}

fn main() {}
