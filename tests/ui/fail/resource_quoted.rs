use resilience::fail_fast;

#[fail_fast(resource(llm_tokens = "100"))]
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
