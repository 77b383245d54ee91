use resilience::resilient;

#[resilient(fallback = other)]
async fn f((a, b): (usize, usize)) -> Result<usize, MyError> {
    Ok(a + b)
}

fn other(_: (usize, usize), _: MyError) -> Result<usize, MyError> {
    Ok(0)
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
