use resilience::fail_fast;

#[fail_fast(resource(llm_tokens = tokens))]
async fn f(tokens: i64) -> Result<usize, MyError> {
    Ok(usize::try_from(tokens).unwrap_or(0))
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
