use resilience::{Error, fail_fast};

struct Rows {
    last: String,
}

impl Rows {
    #[fail_fast(fallback = Self::none)]
    async fn next(&mut self) -> Result<&str, Error> {
        Ok(&self.last)
    }

    fn none(&mut self, error: Error) -> Result<&str, Error> {
        Err(error)
    }
}

fn main() {}
