use resilience::resilient;

#[resilient]
async fn f(queue: std::sync::mpsc::Receiver<u32>) -> Result<u32, MyError> {
    Ok(queue.recv().unwrap_or(0))
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
