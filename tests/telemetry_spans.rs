//! The spans of calls and attempts, what is in them, and that no secret is.

mod support;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use resilience::{Category, Context, Runtime, fail_fast, resilient};
use support::{Failure, Script};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context as LayerContext, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

#[resilient(
    operation = "store",
    category = "weaviate",
    retries = 2,
    backoff(initial = "1s")
)]
async fn store(script: &Script) -> Result<u32, Failure> {
    tokio::task::yield_now().await;
    tracing::info!("in the body");
    script.next().await
}

#[resilient(operation = "outer of store", service = "top", retries = 0)]
async fn outer(script: &Script) -> Result<u32, Failure> {
    store(script).await
}

#[fail_fast(
    service = "checked",
    require(!url.is_empty(), field = "url", "must be set, see https://h.io/?key=s3cr3t")
)]
async fn checked(url: &str) -> anyhow::Result<()> {
    anyhow::bail!("GET {url} failed: Authorization: Bearer xaat-s3cr3t")
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_a_child_of_its_call_and_holds_what_happens_inside() {
    let seen = Seen::default();
    let guard = seen.listen();
    let runtime = Runtime::new();
    let script = Script::failing(Category::SERVICE, 1);
    let call = Context::new()
        .session_id("s-1")
        .user_id("u-1")
        .scope(outer(&script));
    runtime.scope(call).await.unwrap();
    drop(guard);
    let spans = seen.spans();
    let paths: Vec<_> = spans.iter().map(|span| span.path.as_str()).collect();
    // In the order in which they end.
    let outer = "/resilience.call/resilience.attempt";
    assert_eq!(
        paths,
        [
            format!("{outer}/resilience.call/resilience.attempt"),
            format!("{outer}/resilience.call/resilience.attempt"),
            format!("{outer}/resilience.call"),
            outer.to_owned(),
            "/resilience.call".to_owned(),
        ]
    );
    let [failed, second, store, attempt, call] = &spans[..] else {
        panic!("{spans:#?}")
    };
    for (span, field, value) in [
        (failed, "resilience.attempt", "1"),
        (failed, "resilience.category", "weaviate"),
        (failed, "otel.status_code", "ERROR"),
        (failed, "resilience.retry", "true"),
        (second, "resilience.attempt", "2"),
        (store, "resilience.operation", "store"),
        (store, "resilience.service", "weaviate"),
        (store, "resilience.outcome", "recovered"),
        (store, "resilience.attempts", "2"),
        (store, "session.id", "s-1"),
        (attempt, "resilience.attempt", "1"),
        (call, "resilience.outcome", "succeeded"),
        (call, "user.id", "u-1"),
        (call, "code.file.path", file!()),
    ] {
        assert_eq!(
            span.fields.get(field).map(String::as_str),
            Some(value),
            "{field} of {span:?}"
        );
    }
    // An error that was retried and passed is none of the call's.
    for (span, field) in [
        (second, "error.type"),
        (store, "error.type"),
        (store, "otel.status_code"),
    ] {
        assert_eq!(span.fields.get(field), None);
    }
    let events = seen.events();
    let path = format!("{outer}/resilience.call/resilience.attempt");
    assert_eq!(
        events
            .iter()
            .map(|event| (event.name.as_str(), event.path.as_str()))
            .filter(|(name, _)| !name.ends_with("finished"))
            .collect::<Vec<_>>(),
        [
            ("in the body", path.as_str()),
            ("resilience.attempt.failed", &path),
            ("resilience.retry", &format!("{outer}/resilience.call")),
            ("in the body", &path),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_failed_call_says_why_and_a_plain_log_at_info_makes_no_spans() {
    let seen = Seen::default();
    let guard = seen.listen();
    let runtime = Runtime::new();
    runtime
        .scope(store(&Script::always(Category::VALIDATION)))
        .await
        .unwrap_err();
    drop(guard);
    let call = seen.spans().pop().unwrap();
    let error_type = call.fields["error.type"].clone();
    assert!(error_type.ends_with("Failure"), "{error_type}");
    assert_eq!(call.fields["resilience.outcome"], "failed");
    assert_eq!(call.fields["otel.status_code"], "ERROR");
    let failed = seen
        .events()
        .into_iter()
        .find(|event| event.name == "resilience.call.failed")
        .unwrap();
    assert_eq!(failed.fields["exception.message"], "validation failure 0");
    assert_eq!(failed.fields["error.type"], error_type);
    assert_eq!(failed.fields["resilience.severity"], "low");

    let seen = Seen::default();
    let guard = tracing::subscriber::set_default(
        Registry::default()
            .with(tracing_subscriber::filter::LevelFilter::INFO)
            .with(seen.clone()),
    );
    runtime
        .scope(store(&Script::failing(Category::NETWORK, 0)))
        .await
        .unwrap();
    drop(guard);
    assert!(seen.spans().is_empty());
}

#[tokio::test(start_paused = true)]
async fn no_secret_reaches_an_event_a_span_or_a_recent_error() {
    let seen = Seen::default();
    let guard = seen.listen();
    let lines = Lines::default();
    let runtime = Runtime::builder().listener(lines.clone()).build();
    let url = "https://me:s3cr3t@h.io/x?token=s3cr3t";
    let about = Context::new().session_id("Bearer s3cr3t").with("url", url);
    runtime
        .scope(about.scope(async {
            let _ = checked(url).await;
            let _ = checked("").await;
            // Cut in the midst of it.
            let _ = checked(&format!(
                "{} {{\"password\": \"the s3cr3t {url}",
                "x".repeat(990)
            ))
            .await;
        }))
        .await;
    drop(guard);
    let errors = runtime.recent_errors(9);
    assert_eq!(errors.len(), 3);
    assert_eq!(
        errors[0].message,
        "GET https://***@h.io/x?*** failed: Authorization: Bearer ***"
    );
    assert!(errors[2].message.ends_with("x {\"password\": \"***"));
    let lines = lines.0.lock().unwrap();
    assert!(
        lines
            .iter()
            .any(|line| line.contains("see https://h.io/?***"))
    );
    let all = format!(
        "{:?} {errors:?} {:?} {lines:?}",
        seen.spans(),
        seen.events()
    );
    assert!(all.contains("h.io") && !all.contains("s3cr3t"), "{all}");
}

/// What a listener writes down of every event.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl resilience::Listener for Lines {
    fn on_event(&self, event: &resilience::Event<'_>) {
        self.0.lock().unwrap().push(event.to_string());
    }
}

/// A span or an event.
#[derive(Clone, Debug)]
struct Item {
    name: String,
    path: String,
    fields: BTreeMap<String, String>,
}

/// What a subscriber saw.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<(Vec<Item>, Vec<Item>)>>);

impl Seen {
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        tracing::subscriber::set_default(Registry::default().with(self.clone()))
    }

    fn spans(&self) -> Vec<Item> {
        self.0.lock().unwrap().0.clone()
    }

    fn events(&self) -> Vec<Item> {
        self.0.lock().unwrap().1.clone()
    }
}

#[derive(Default)]
struct Values(BTreeMap<String, String>);

impl Visit for Values {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Seen {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: LayerContext<'_, S>) {
        let mut values = Values::default();
        attributes.record(&mut values);
        context.span(id).unwrap().extensions_mut().insert(values);
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: LayerContext<'_, S>) {
        let span = context.span(id).unwrap();
        record.record(span.extensions_mut().get_mut::<Values>().unwrap());
    }

    fn on_event(&self, event: &Event<'_>, context: LayerContext<'_, S>) {
        let mut values = Values::default();
        event.record(&mut values);
        let name = event.metadata().name();
        let name = if name.starts_with("event ") {
            values.0["message"].clone()
        } else {
            name.to_owned()
        };
        let path = context
            .event_span(event)
            .map_or_else(String::new, |span| path(&span));
        self.0.lock().unwrap().1.push(Item {
            name,
            path,
            fields: values.0,
        });
    }

    fn on_close(&self, id: Id, context: LayerContext<'_, S>) {
        let span = context.span(&id).unwrap();
        let fields = std::mem::take(&mut span.extensions_mut().get_mut::<Values>().unwrap().0);
        self.0.lock().unwrap().0.push(Item {
            name: span.name().to_owned(),
            path: path(&span),
            fields,
        });
    }
}

fn path<S: for<'a> LookupSpan<'a>>(span: &tracing_subscriber::registry::SpanRef<'_, S>) -> String {
    span.scope()
        .from_root()
        .fold(String::new(), |path, span| path + "/" + span.name())
}
