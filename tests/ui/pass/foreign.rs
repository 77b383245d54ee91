//! `extern` functions, raw pointers and raw names.

use crate::support::{Failure, Flaky, block_on};
use resilience::resilient;

static DEPENDENCY: Flaky = Flaky::new(1);
static EXTERNAL: Flaky = Flaky::new(1);

#[resilient(retries = 1)]
async fn address(pointer: *const u8) -> Result<usize, Failure> {
    DEPENDENCY.run()?;
    Ok(pointer.addr())
}

#[resilient]
#[allow(improper_ctypes_definitions)]
pub(crate) async extern "C" fn external(n: u8) -> Result<u8, Failure> {
    EXTERNAL.run()?;
    Ok(n)
}

#[resilient]
async fn r#match(r#type: u8) -> Result<u8, Failure> {
    Ok(r#type)
}

#[test]
fn runs() {
    let n = 7;
    assert_eq!(block_on(address(&n)), Ok((&raw const n).addr()));
    assert_eq!(block_on(external(8)), Ok(8));
    assert_eq!((DEPENDENCY.runs(), EXTERNAL.runs()), (2, 2));
    assert_eq!(block_on(r#match(9)), Ok(9));
}
