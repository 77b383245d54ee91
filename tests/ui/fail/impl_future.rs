use resilience::resilient;

#[resilient]
fn f() -> impl Future<Output = Result<u32, MyError>> {
    async { Ok(1) }
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
