use resilience::resilient;

#[resilient(skip)]
async fn f() -> Result<u32, MyError> {
    Ok(1)
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
