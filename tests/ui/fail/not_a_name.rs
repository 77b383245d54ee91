use resilience::resilient;

#[resilient("weaviate", 3, |_| true)]
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
