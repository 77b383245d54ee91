//! `extern` functions, raw pointers and raw names.

use crate::support::{Failure, block_on};
use resilience::resilient;

#[resilient(retries = 1)]
async fn address(pointer: *const u8) -> Result<usize, Failure> {
    Ok(pointer.addr())
}

#[resilient]
#[allow(improper_ctypes_definitions)]
pub(crate) async extern "C" fn external(n: u8) -> Result<u8, Failure> {
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
    assert_eq!(block_on(r#match(9)), Ok(9));
}
