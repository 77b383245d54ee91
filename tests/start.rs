//! What the global runtime reports when a program begins to call. One test, since there is one
//! global runtime in a process.

mod support;

use std::io::{self, Write};
use std::sync::Mutex;

use resilience::{Policy, Runtime, fail_fast};
use support::Failure;

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn told(what: &str) -> usize {
    let log = LOG.lock().unwrap();
    String::from_utf8_lossy(&log).matches(what).count()
}

#[fail_fast(resource(start_tokens = 1_u32, start_rows = 1_u32))]
async fn never_called() -> Result<u32, Failure> {
    Ok(1)
}

#[tokio::test]
async fn a_resource_without_a_limit_is_logged_when_something_is_first_called() {
    tracing_subscriber::fmt().with_writer(|| Log).init();
    let runtime = Runtime::global();
    assert_eq!(told("start_tokens"), 0, "it may still be configured");
    runtime.set_resource("start_rows", Some(10));
    // Whatever is called first.
    let policy = Policy::builder("start").build().unwrap();
    for _ in 0..2 {
        let other = policy.run(|| async { Ok::<_, Failure>(1) });
        assert_eq!(other.await, Ok(1));
    }
    assert_eq!(told("`resources.start_tokens`: nobody has set a limit"), 1);
    assert_eq!((told("start_rows"), told("tests/start.rs")), (0, 1));
    let problems = resilience::problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(never_called().await, Ok(1), "it is a warning");
}
