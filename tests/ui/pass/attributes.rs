//! Attributes of the function and of its body stay.

#![deny(deprecated, unused_must_use)]

use crate::support::{Failure, Flaky, block_on};
use resilience::resilient;

static DEPENDENCY: Flaky = Flaky::new(1);

/// Documented.
#[resilient(retries = 1)]
#[must_use = "look at it"]
#[inline]
#[cfg_attr(all(), doc = "More.")]
pub async fn documented() -> Result<u8, Failure> {
    #![allow(unused_variables, clippy::all)]
    let unused = 1;
    DEPENDENCY.run()?;
    Ok(1)
}

#[deprecated]
#[resilient]
async fn old() -> Result<u8, Failure> {
    Ok(2)
}

#[test]
fn runs() {
    assert_eq!(block_on(documented()), Ok(1));
    assert_eq!(DEPENDENCY.runs(), 2);
    #[allow(deprecated)]
    let old = old();
    assert_eq!(block_on(old), Ok(2));
}
