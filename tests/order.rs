//! Attributes of others on either side of ours.
#![allow(unreachable_pub)]

use std::io::Write;
use std::sync::{Arc, Mutex};

use resilience::{fail_fast, resilient};
use support::{Failure, Flaky};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

#[path = "ui/support.rs"]
mod support;

static BELOW: Flaky = Flaky::new(1);
static ABOVE: Flaky = Flaky::new(1);

#[resilient(retries = 1)]
#[tokio::test(start_paused = true)]
async fn a_test_attribute_stands_below() -> Result<(), Failure> {
    static RUNS: Flaky = Flaky::new(1);
    RUNS.run()?;
    Ok(())
}

#[fail_fast]
#[tokio::test]
async fn a_test_attribute_stands_below_fail_fast() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retries = 1)]
#[tracing::instrument(err)]
async fn instrument_below(text: String) -> Result<u32, Failure> {
    BELOW
        .run()
        .map(|run| run + u32::try_from(text.len()).unwrap())
}

#[tracing::instrument(skip_all)]
#[resilient(retries = 1)]
async fn instrument_above(text: String) -> Result<u32, Failure> {
    ABOVE
        .run()
        .map(|run| run + u32::try_from(text.len()).unwrap())
}

struct Client;

impl Client {
    #[resilient(retries = 1)]
    #[tracing::instrument(skip(self))]
    async fn below(&mut self, text: &str) -> Result<usize, Failure> {
        Ok(text.len())
    }

    #[tracing::instrument(skip(self))]
    #[resilient(retries = 1)]
    async fn above(&self, text: &str) -> Result<usize, Failure> {
        Ok(text.len())
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// How often a span of this name was opened.
fn spans(log: &Log, name: &str) -> usize {
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    text.lines()
        .filter(|line| line.contains(name) && line.contains("close"))
        .count()
}

#[test]
fn instrument_works_on_both_sides() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        support::block_on(async {
            assert_eq!(instrument_below("a".into()).await, Ok(3));
            assert_eq!(instrument_above("a".into()).await, Ok(3));
            assert_eq!(Client.below("ab").await, Ok(2));
            assert_eq!(Client.above("ab").await, Ok(2));
        });
    });
    // The attribute that stands above is expanded first and leaves the other one on the function,
    // whose body it then is.
    assert_eq!(
        (
            spans(&log, "instrument_below"),
            spans(&log, "instrument_above")
        ),
        (1, 2)
    );
}
