//! Summaries and recent errors as data.

mod support;

use resilience::{Category, Context, Runtime, resilient};
use support::{Failure, Script};

#[resilient(
    operation = "index",
    category = "weaviate",
    retries = 1,
    backoff(initial = "0s"),
    fields(size)
)]
async fn index(size: u64, script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[tokio::test(start_paused = true)]
async fn the_summary_and_the_recent_errors_serialize() {
    let runtime = Runtime::new();
    let about = Context::new()
        .session_id("s")
        .file("a.rs")
        .line(3)
        .with("tier", 2);
    let script = Script::failing(Category::SERVICE, 1);
    runtime.scope(about.scope(index(7, &script))).await.unwrap();
    let error = serde_json::to_value(runtime.recent_errors(1)).unwrap();
    let error = &error[0];
    assert_eq!(
        error["timestamp"].as_str().unwrap().len(),
        "2026-11-22T00:00:00.000Z".len()
    );
    for (pointer, value) in [
        ("/operation", "\"index\""),
        ("/file", "\"a.rs\""),
        ("/line", "3"),
        ("/attempt", "1"),
        ("/of", "2"),
        ("/category", "\"weaviate\""),
        ("/severity", "\"medium\""),
        ("/message", "\"service failure 0\""),
        ("/session_id", "\"s\""),
        ("/agent", "null"),
        ("/fields/size", "7"),
        ("/metadata/tier", "2"),
    ] {
        assert_eq!(
            error.pointer(pointer).unwrap().to_string(),
            value,
            "{pointer}"
        );
    }
    let summary = serde_json::to_value(runtime.summary()).unwrap();
    for (pointer, value) in [
        ("/calls", "1"),
        ("/recovery_rate", "100.0"),
        ("/errors_per_attempt", "0.5"),
        ("/errors/0/category", "\"weaviate\""),
        ("/errors_by_service/0/name", "\"weaviate\""),
        ("/latency/count", "1"),
        ("/services/0/retries", "1"),
        ("/breakers/0/state", "\"closed\""),
        ("/breakers/0/retry_in", "null"),
    ] {
        assert_eq!(
            summary.pointer(pointer).unwrap().to_string(),
            value,
            "{pointer}"
        );
    }
}
