//! `impl Trait` in arguments and in the return type.

use std::fmt::Display;

use crate::support::{Failure, Flaky, block_on, spawn};
use resilience::{fail_fast, resilient};

static DEPENDENCY: Flaky = Flaky::new(1);

#[resilient(retries = 1)]
async fn argument(
    text: impl Into<String> + Clone,
    map: impl Fn(u8) -> u8 + Copy,
) -> Result<String, Failure> {
    DEPENDENCY.run()?;
    Ok(text.into() + &map(1).to_string())
}

#[resilient(retries = 1)]
async fn returned(list: Vec<u8>) -> Result<impl Iterator<Item = u8> + Send, Failure> {
    Ok(list.into_iter().map(|n| n + 1))
}

#[resilient]
async fn nested(n: u8) -> Result<Option<(u8, Box<impl Display>)>, Failure> {
    if n == 0 {
        return Ok(None);
    }
    Ok(Some((n, Box::new("text"))))
}

#[fail_fast]
async fn once(list: &[u8]) -> Result<impl Iterator<Item = &u8>, Failure> {
    Ok(list.iter())
}

#[test]
fn runs() {
    block_on(async {
        assert_eq!(argument("a", |n| n + 1).await.unwrap(), "a2");
        assert_eq!(nested(1).await.unwrap().unwrap().1.to_string(), "text");
        assert_eq!(once(&[1]).await.unwrap().count(), 1);
    });
    assert_eq!(DEPENDENCY.runs(), 2);
    assert_eq!(
        spawn(async { returned(vec![1]).await.unwrap().next() }),
        Some(2)
    );
}
