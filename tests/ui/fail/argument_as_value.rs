use resilience::resilient;

#[resilient(retries = n)]
async fn f(n: u32) -> Result<u32, MyError> {
    Ok(n)
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
