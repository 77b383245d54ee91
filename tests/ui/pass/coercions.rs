//! The body is coerced to the return type as in the plain function.

use std::error::Error;
use std::fmt::Debug;

use crate::support::{Failure, Flaky, block_on};
use resilience::{fail_fast, resilient};

static DEPENDENCY: Flaky = Flaky::new(1);

#[resilient]
async fn boxed(one: bool) -> Result<Box<dyn Debug>, Failure> {
    DEPENDENCY.run()?;
    if one {
        return Ok(Box::new(1));
    }
    Ok(Box::new("two"))
}

fn plain(n: u8) -> u8 {
    n
}

#[resilient]
async fn pointer(double: bool) -> Result<fn(u8) -> u8, Failure> {
    Ok(if double { |n| n * 2 } else { plain })
}

#[resilient]
async fn slice() -> Result<&'static [u8], Failure> {
    Ok(&[1, 2])
}

#[fail_fast]
async fn error(n: &str) -> Result<u8, Box<dyn Error + Send + Sync>> {
    if n.is_empty() {
        return Err("empty".into());
    }
    Ok(n.parse()?)
}

#[test]
fn runs() {
    block_on(async {
        assert_eq!(format!("{:?}", boxed(true).await.unwrap()), "1");
        assert_eq!(DEPENDENCY.runs(), 2);
        assert_eq!(pointer(true).await.unwrap()(2), 4);
        assert_eq!(slice().await.unwrap().len(), 2);
        assert!(
            error("x")
                .await
                .unwrap_err()
                .to_string()
                .contains("invalid digit")
        );
    });
}
