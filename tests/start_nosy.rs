//! A subscriber that asks the global runtime while that tells what is wrong with it. One test, since
//! there is one global runtime in a process.

mod support;

use std::sync::Mutex;
use std::sync::mpsc;
use std::time::Duration;

use resilience::resilient;
use support::Failure;
use tracing::field::{Field, Visit};
use tracing::{Metadata, Subscriber, span};

static HEARD: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Keeps what it hears, with what the runtime says meanwhile.
struct Nosy;

impl Subscriber for Nosy {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        let calls = resilience::summary().calls;
        event.record(&mut Message(calls));
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

struct Message(u64);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            HEARD.lock().unwrap().push(format!("{}: {value:?}", self.0));
        }
    }
}

#[resilient(operation = "namesake")]
async fn first() -> Result<u32, Failure> {
    Ok(1)
}

#[resilient(operation = "namesake")]
async fn second() -> Result<u32, Failure> {
    Ok(1)
}

#[test]
fn a_subscriber_may_ask_the_runtime_that_is_being_made() {
    tracing::subscriber::set_global_default(Nosy).unwrap();
    let (done, is_done) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let call = async { (first().await, second().await) };
        done.send(runtime.unwrap().block_on(call)).unwrap();
    });
    let ended = is_done.recv_timeout(Duration::from_secs(20));
    assert_eq!(ended.expect("it does not wait for itself"), (Ok(1), Ok(1)));
    let heard = HEARD.lock().unwrap();
    let named = |text: &&String| text.contains("are called `namesake`");
    assert_eq!(heard.iter().filter(named).count(), 1, "{heard:?}");
}
