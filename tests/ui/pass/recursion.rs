//! A function may call itself, in a task as well.

use crate::support::{Failure, Flaky, spawn};
use resilience::resilient;

static DEPENDENCY: Flaky = Flaky::new(1);

#[resilient(retries = 1)]
async fn count(n: u32) -> Result<u32, Failure> {
    if n == 0 {
        return DEPENDENCY.run().map(|_| 0);
    }
    Ok(Box::pin(count(n - 1)).await? + 1)
}

#[test]
fn runs() {
    assert_eq!(spawn(count(20)), Ok(20));
    // The innermost call has tried again, and no other.
    assert_eq!(DEPENDENCY.runs(), 2);
}
