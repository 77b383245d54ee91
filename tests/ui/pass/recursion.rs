//! A function may call itself, in a task as well.

use crate::support::{Failure, spawn};
use resilience::resilient;

#[resilient(retries = 1)]
async fn count(n: u32) -> Result<u32, Failure> {
    if n == 0 {
        return Ok(0);
    }
    Ok(Box::pin(count(n - 1)).await? + 1)
}

#[test]
fn runs() {
    assert_eq!(spawn(count(20)), Ok(20));
}
