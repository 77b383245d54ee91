//! Borrows of `&self` and of arguments can be returned from a retried function.

use crate::support::{Failure, Flaky, block_on};
use resilience::resilient;

static DEPENDENCY: Flaky = Flaky::new(1);

struct Store {
    value: String,
}

impl Store {
    #[resilient(retries = 1)]
    async fn get(&self) -> Result<&str, Failure> {
        DEPENDENCY.run()?;
        Ok(&self.value)
    }

    #[resilient]
    async fn either<'a>(&'a self, other: &'a str, mine: bool) -> Result<&'a str, Failure> {
        Ok(if mine { &self.value } else { other.trim() })
    }
}

#[resilient]
async fn first<'a>(list: &'a [String], _: &str) -> Result<Option<&'a String>, Failure> {
    Ok(list.first())
}

#[test]
fn runs() {
    let store = Store { value: "v".into() };
    block_on(async {
        assert_eq!(store.get().await, Ok("v"));
        assert_eq!(store.either(" o ", false).await, Ok("o"));
        assert_eq!(first(&["x".into()], "").await.unwrap().unwrap(), "x");
    });
    assert_eq!(DEPENDENCY.runs(), 2);
}
