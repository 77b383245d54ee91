use resilience::resilient;

#[resilient]
async fn f(list: Option<&mut Vec<u32>>) -> Result<u32, MyError> {
    list.map(|list| list.push(1));
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
