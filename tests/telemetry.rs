//! What is told of calls: events, counts, recent errors, sites.

mod support;

use std::io::Write;
use std::sync::{Arc, Mutex};

use resilience::{Category, Runtime, Severity, resilient};
use support::{Failure, Script};

#[resilient(
    operation = "sync_add",
    category = "weaviate",
    retries = 1,
    backoff(initial = "0s"),
    fields(path, length = content.len(), shout = %path.to_uppercase(), debug = ?content)
)]
async fn sync_add(path: &str, content: String, script: &Script) -> Result<u32, Failure> {
    drop(content);
    script.next().await
}

#[resilient(operation = "silent about arguments", retries = 0)]
async fn secretive(token: &str, script: &Script) -> Result<u32, Failure> {
    let _ = token;
    script.next().await
}

#[tokio::test(start_paused = true)]
async fn recent_errors_tell_everything_about_a_failed_attempt() {
    let runtime = Runtime::new();
    let script = Script::always(Category::SERVICE);
    let _ = runtime
        .scope(sync_add("a/b.rs", "text".to_owned(), &script))
        .await;
    let errors = runtime.recent_errors(10);
    let [first, second] = &errors[..] else {
        panic!("{errors:?}")
    };
    assert_eq!((first.attempt, first.of, first.last), (1, 2, false));
    assert_eq!((second.attempt, second.of, second.last), (2, 2, true));
    assert_eq!(
        (second.operation, second.service.as_str()),
        ("sync_add", "weaviate")
    );
    assert_eq!(
        (second.category, second.severity),
        (Category::WEAVIATE, Severity::Medium)
    );
    assert_eq!(second.message, "service failure 1");
    assert_eq!(
        second.fields.to_string(),
        "path=\"a/b.rs\" length=4 shout=\"A/B.RS\" debug=\"\\\"text\\\"\""
    );
    assert_eq!((second.place.file, second.place.line > 0), (file!(), true));
    assert!(second.timestamp().ends_with('Z'), "{}", second.timestamp());
}

#[tokio::test(start_paused = true)]
async fn the_ring_keeps_the_newest_and_reset_clears_counts_and_ring() {
    let runtime = Runtime::builder().error_history_limit(3).build();
    let script = Script::always(Category::VALIDATION);
    for _ in 0..5 {
        let _ = runtime.scope(secretive("t", &script)).await;
    }
    let messages: Vec<_> = runtime
        .recent_errors(10)
        .into_iter()
        .map(|error| error.message)
        .collect();
    assert_eq!(
        messages,
        [
            "validation failure 2",
            "validation failure 3",
            "validation failure 4"
        ]
    );
    let summary = runtime.summary();
    assert_eq!(
        (summary.calls, summary.failed, summary.total_errors()),
        (5, 5, 5)
    );
    assert_eq!(
        summary
            .errors
            .iter()
            .map(|e| (e.category, e.severity, e.count))
            .collect::<Vec<_>>(),
        [(Category::VALIDATION, Severity::Low, 5)]
    );
    runtime.reset();
    assert_eq!(runtime.summary().calls, 0);
    assert!(runtime.recent_errors(10).is_empty());
}

#[tokio::test(start_paused = true)]
async fn tracing_hears_of_attempts_calls_and_breakers_at_their_levels_and_never_of_arguments() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer({
            let log = log.clone();
            move || log.clone()
        })
        .finish();
    // Of two, tracing asks both whether they listen; of one, only the thread that comes first, which
    // may be that of another test.
    let second = tracing::Dispatch::new(tracing_subscriber::registry());
    let guard = tracing::subscriber::set_default(subscriber);
    let runtime = Runtime::new();
    runtime
        .scope(async {
            let down = Script::always(Category::SERVICE);
            for _ in 0..3 {
                let _ = sync_add("p", "hidden content".to_owned(), &down).await;
            }
            let _ = secretive("xaat-secret", &Script::always(Category::MEMORY)).await;
        })
        .await;
    drop((guard, second));
    let log = log.text();
    let count = |level: &str, text: &str| {
        log.lines()
            .filter(|line| line.contains(level) && line.contains(text))
            .count()
    };
    assert_eq!(count("DEBUG", "attempt failed"), 2);
    assert_eq!(count("DEBUG", "retry scheduled"), 2);
    assert_eq!(count(" WARN", "call failed"), 3);
    assert_eq!(
        count("ERROR", "call failed"),
        1,
        "memory is of high severity"
    );
    assert_eq!(count(" WARN", "circuit opened"), 1);
    assert!(
        !log.contains("xaat-secret"),
        "an argument that nobody named:\n{log}"
    );
}

#[test]
fn every_annotated_function_is_listed_before_its_first_call() {
    let sites = resilience::sites();
    let site = sites
        .iter()
        .find(|site| site.operation == "sync_add")
        .expect("listed");
    assert_eq!(site.path, "telemetry::sync_add");
    assert_eq!(site.service, "weaviate");
    assert_eq!(site.place.file, file!());
    assert_eq!(
        site.options.to_string(),
        "category = \"weaviate\", operation = \"sync_add\", retries = 1, backoff(initial = \"0ns\")"
    );
    assert!(
        resilience::problems().is_empty(),
        "{:?}",
        resilience::problems()
    );
}

/// What the subscriber writes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
