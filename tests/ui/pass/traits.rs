//! Methods of trait impls and default methods of traits.

use crate::support::{Failure, Flaky, block_on};
use resilience::{fail_fast, resilient};

static IMPL: Flaky = Flaky::new(1);
static DEFAULT: Flaky = Flaky::new(1);

#[allow(async_fn_in_trait)]
trait Store {
    async fn get(&self, key: String) -> Result<String, Failure>;

    #[resilient(retries = 1)]
    async fn get_twice(&self, key: &str) -> Result<String, Failure> {
        DEFAULT.run()?;
        Ok(self.get(key.into()).await? + &self.get(key.into()).await?)
    }

    #[fail_fast]
    async fn take(self) -> Result<Self, Failure>
    where
        Self: Sized,
    {
        Ok(self)
    }
}

struct Memory;

impl Store for Memory {
    #[resilient(retries = 1)]
    async fn get(&self, key: String) -> Result<String, Failure> {
        IMPL.run()?;
        Ok(key)
    }
}

#[test]
fn runs() {
    block_on(async {
        assert_eq!(Memory.get_twice("k").await.unwrap(), "kk");
        assert!(Memory.take().await.is_ok());
    });
    assert_eq!((IMPL.runs(), DEFAULT.runs()), (3, 2));
}
