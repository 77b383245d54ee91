use resilience::resilient;

#[tokio::test]
#[resilient]
async fn f() -> Result<(), MyError> {
    Ok(())
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
