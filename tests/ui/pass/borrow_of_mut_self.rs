//! A borrow of `&mut self` can be returned where there is one attempt.

use crate::support::{Failure, Flaky, block_on};
use resilience::{fail_fast, resilient};

static DEPENDENCY: Flaky = Flaky::new(2);

struct Rows {
    row: String,
}

impl Rows {
    #[fail_fast]
    async fn next(&mut self) -> Result<&mut String, Failure> {
        self.row.push('a');
        DEPENDENCY.run()?;
        Ok(&mut self.row)
    }

    #[resilient(retries = 0)]
    async fn named<'a>(&'a mut self, _: &str) -> Result<&'a str, Failure> {
        DEPENDENCY.run()?;
        Ok(&self.row)
    }

    #[resilient(retries = 1)]
    async fn other<'a>(&mut self, name: &'a str) -> Result<&'a str, Failure> {
        self.row.push('b');
        Ok(&name[1..])
    }
}

#[test]
fn runs() {
    let mut rows = Rows { row: String::new() };
    block_on(async {
        assert!(rows.next().await.is_err());
        assert!(rows.named("").await.is_err());
        assert_eq!(DEPENDENCY.runs(), 2);
        rows.next().await.unwrap().push('c');
        assert_eq!(rows.named("").await, Ok("aac"));
        assert_eq!(rows.other("xy").await, Ok("y"));
    });
}
