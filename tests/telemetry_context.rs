//! What a task is about reaches the events, the recent errors and the counts of its calls.

mod support;

use std::sync::{Arc, Mutex};

use resilience::{
    Category, Context, Event, Listener, Runtime, propagate, recent_errors, resilient, summary,
};
use support::{Failure, Script, polled};

#[resilient(operation = "index", category = "weaviate", retries = 0)]
async fn index(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[resilient(operation = "outer of index", retries = 0)]
async fn outer(script: &Script) -> Result<u32, Failure> {
    Context::new()
        .agent("inner")
        .line(7)
        .scope(index(script))
        .await
}

fn run_42() -> Context {
    Context::new()
        .session_id("run-42")
        .agent("outer")
        .user_id("u-1")
        .file("a/b.rs")
        .with("tier", 2)
}

#[tokio::test(start_paused = true)]
async fn calls_inherit_the_context_and_an_inner_one_adds_to_it() {
    let runtime = Runtime::new();
    let script = Script::always(Category::SERVICE);
    let calls = runtime.scope(async {
        let _ = index(&script).await;
        let _ = run_42().scope(outer(&script)).await;
        assert!(Context::current().is_empty());
    });
    calls.await;
    let contexts: Vec<_> = runtime
        .recent_errors(9)
        .iter()
        .map(|error| (error.operation, error.context.to_string()))
        .collect();
    let both = "session=\"run-42\" agent=\"inner\" user=\"u-1\" file=\"a/b.rs\" line=7 tier=2";
    let outer = "session=\"run-42\" agent=\"outer\" user=\"u-1\" file=\"a/b.rs\" tier=2";
    assert_eq!(
        contexts,
        [
            ("index", String::new()),
            ("index", both.to_owned()),
            ("outer of index", outer.to_owned()),
        ]
    );
    let agents: Vec<_> = runtime
        .summary()
        .errors_by_agent
        .into_iter()
        .map(|count| (count.name, count.count))
        .collect();
    assert_eq!(agents, [("inner".to_owned(), 1), ("outer".to_owned(), 1)]);
    let text = runtime.recent_errors(1)[0].to_string();
    assert!(text.ends_with(&format!("[{outer}]")), "{text}");
}

#[tokio::test]
async fn a_spawned_task_starts_without_one_and_propagate_carries_it() {
    let seen = run_42()
        .scope(async {
            let bare = tokio::spawn(async { Context::current() });
            let carried = tokio::spawn(propagate(async { Context::current() }));
            (bare.await.unwrap(), carried.await.unwrap())
        })
        .await;
    assert_eq!(seen, (Context::new(), run_42()));
}

#[tokio::test]
async fn contexts_of_joined_tasks_do_not_mix() {
    let about = |session: &'static str| {
        Context::new().session_id(session).scope(async move {
            for _ in 0..3 {
                assert_eq!(Context::current().session_id.as_deref(), Some(session));
                tokio::task::yield_now().await;
            }
        })
    };
    tokio::join!(about("a"), about("b"));
    assert!(Context::current().is_empty());
}

/// Keeps the session of every event.
#[derive(Clone, Default)]
struct Sessions(Arc<Mutex<Vec<String>>>);

impl Listener for Sessions {
    fn on_event(&self, event: &Event<'_>) {
        let context = match event {
            Event::AttemptFailed(failed) => failed.context,
            Event::RetryScheduled { context, .. }
            | Event::Rejected { context, .. }
            | Event::CallFinished { context, .. } => context,
            _ => return,
        };
        let session = context.session_id.clone().unwrap_or_default();
        self.0.lock().unwrap().push(format!("{session}: {event}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_listener_added_later_hears_cancelled_calls_with_their_context() {
    let runtime = Runtime::new();
    let sessions = Sessions::default();
    runtime.add_listener(sessions.clone());
    let script = Script::hanging();
    let mut call = polled(runtime.scope(run_42().scope(index(&script))));
    assert!(call.poll_once().is_pending());
    drop(call);
    assert_eq!(
        *sessions.0.lock().unwrap(),
        ["run-42: index: cancelled after 1 attempts"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_propagated_call_that_is_aborted_is_told_with_its_context() {
    let sessions = Sessions::default();
    let runtime = Runtime::builder().listener(sessions.clone()).build();
    let mut task = None;
    let spawns = run_42().scope(async {
        let hangs = async { index(&Script::hanging()).await };
        task = Some(tokio::spawn(propagate(hangs)));
    });
    runtime.scope(spawns).await;
    let task = task.unwrap();
    tokio::task::yield_now().await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert_eq!(
        *sessions.0.lock().unwrap(),
        ["run-42: index: cancelled after 1 attempts"]
    );
    assert!(Context::current().is_empty());
}

#[tokio::test]
async fn the_global_runtime_has_them_as_well() {
    let script = Script::always(Category::VALIDATION);
    let _ = Context::new().agent("global").scope(index(&script)).await;
    assert_eq!(recent_errors(1)[0].context.agent.as_deref(), Some("global"));
    assert_eq!(summary().errors_by_agent[0].name, "global");
}
