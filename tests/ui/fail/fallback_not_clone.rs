use resilience::resilient;

#[resilient(retries = 0, fallback = other)]
async fn f(queue: std::sync::mpsc::Receiver<u8>) -> Result<usize, MyError> {
    Ok(queue.iter().count())
}

fn other(_: std::sync::mpsc::Receiver<u8>, _: MyError) -> Result<usize, MyError> {
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
