//! A borrow of `&mut self` can be returned where there is one attempt.

use crate::support::{Failure, block_on};
use resilience::{fail_fast, resilient};

struct Rows {
    row: String,
}

impl Rows {
    #[fail_fast]
    async fn next(&mut self) -> Result<&mut String, Failure> {
        self.row.push('a');
        Ok(&mut self.row)
    }

    #[resilient(retries = 0)]
    async fn named<'a>(&'a mut self, _: &str) -> Result<&'a str, Failure> {
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
        rows.next().await.unwrap().push('c');
        assert_eq!(rows.named("").await, Ok("ac"));
        assert_eq!(rows.other("xy").await, Ok("y"));
    });
}
