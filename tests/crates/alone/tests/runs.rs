//! Annotated functions run without a dependency of the crate's own.

use std::sync::atomic::AtomicU32;

use alone::{block_on, flaky, read, strict, Failure};

#[test]
fn a_crate_with_resilience_alone_compiles_and_runs() {
    let mut runs = AtomicU32::new(0);
    let text = block_on(flaky(2, &runs, "text".into()));
    assert!(matches!(text.as_deref(), Ok("text")), "{text:?}");
    assert_eq!(*runs.get_mut(), 3);
    assert!(matches!(block_on(strict(1)), Ok(1)));
    assert!(matches!(block_on(strict(0)), Err(Failure::Ours(_))));
    assert!(matches!(block_on(unsafe { read(&7) }), Ok(7)));
}
