use resilience::resilient;

#[resilient]
async fn f<T: Into<u32>>(n: T) -> Result<u32, MyError> {
    Ok(n.into())
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
