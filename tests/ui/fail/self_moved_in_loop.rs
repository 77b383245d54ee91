use resilience::resilient;

struct Client(u32);

impl Client {
    #[resilient]
    async fn f(&mut self) -> Result<u32, MyError> {
        let me = self;
        me.0 += 1;
        Ok(me.0)
    }
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
