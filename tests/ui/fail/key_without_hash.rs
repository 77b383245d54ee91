use resilience::resilient;

#[resilient(key = weight)]
async fn f(weight: f64) -> Result<usize, MyError> {
    Ok(weight as usize)
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
