use resilience::{Error, fail_fast};

struct Rows(usize);

impl Rows {
    #[fail_fast(fallback = Self::none)]
    async fn count(self) -> Result<usize, Error> {
        Ok(self.0)
    }

    fn none(self, error: Error) -> Result<usize, Error> {
        Err(error)
    }
}

fn main() {}
