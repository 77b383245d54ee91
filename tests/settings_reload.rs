//! Settings that change while calls run.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use resilience::{BreakerState, Category, Event, Listener, Reload, Runtime, Settings, resilient};
use support::{Directory, Failure, Script, elapsed, polled};

#[resilient(operation = "tuned", service = "tuned")]
async fn tuned(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[resilient(operation = "quick", service = "quick")]
async fn quick(x: u64) -> Result<u64, Failure> {
    Ok(x)
}

fn settings(text: &str) -> Settings {
    Settings::loader()
        .text("test.toml", text)
        .variables::<String, String>([])
        .load()
        .unwrap()
}

fn runtime(text: &str) -> Runtime {
    Runtime::builder().settings(settings(text)).build()
}

const ONE_ATTEMPT: &str = "[services.tuned]\nretries = 0\n";

fn with_breaker(breaker: &str) -> String {
    format!("{ONE_ATTEMPT}[services.tuned.breaker]\n{breaker}\n")
}

async fn fail(runtime: &Runtime, times: u32) {
    let script = Script::always(Category::NETWORK);
    for _ in 0..times {
        runtime.scope(tuned(&script)).await.unwrap_err();
    }
}

fn state(runtime: &Runtime) -> BreakerState {
    runtime.breaker("tuned").unwrap().state()
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_stays_open_and_a_longer_wait_holds_for_the_present_one() {
    let runtime = runtime(&with_breaker("failure_threshold = 2"));
    fail(&runtime, 2).await;
    assert_eq!(state(&runtime), BreakerState::Open);
    tokio::time::advance(Duration::from_secs(20)).await;
    let left = || {
        runtime
            .breaker("tuned")
            .unwrap()
            .summary()
            .retry_in
            .unwrap()
    };
    assert_eq!(left(), Duration::from_secs(10));
    runtime.apply(&settings(&with_breaker(
        "failure_threshold = 2\nsuccess_threshold = 2",
    )));
    assert_eq!(left(), Duration::from_secs(10));
    runtime.apply(&settings(&with_breaker("wait_duration = \"45s\"")));
    assert_eq!(left(), Duration::from_secs(25));
}

#[tokio::test(start_paused = true)]
async fn counted_failures_stay_counted() {
    let runtime = runtime(&with_breaker("failure_threshold = 5"));
    fail(&runtime, 3).await;
    runtime.apply(&settings(&with_breaker("failure_threshold = 4")));
    assert_eq!(state(&runtime), BreakerState::Closed);
    fail(&runtime, 1).await;
    assert_eq!(state(&runtime), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_half_full_window_keeps_its_outcomes() {
    let rates = "failure_rate_threshold = 0.5\nminimum_calls = 10\n";
    let runtime = runtime(&with_breaker(&format!("{rates}window = 20")));
    fail(&runtime, 8).await;
    runtime.apply(&settings(&with_breaker(&format!("{rates}window = 15"))));
    assert_eq!(state(&runtime), BreakerState::Closed);
    fail(&runtime, 2).await;
    assert_eq!(state(&runtime), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_running_call_keeps_the_settings_that_it_began_with() {
    let text = |retries| {
        format!(
            "[services.tuned]\nretries = {retries}\nbackoff = {{ initial = \"1s\", jitter = \"none\" }}\n"
        )
    };
    let runtime = runtime(&text(3));
    let script = Script::always(Category::NETWORK);
    let mut call = polled(runtime.scope(tuned(&script)));
    assert!(call.poll_once().is_pending());
    runtime.apply(&settings(&text(0)));
    loop {
        tokio::time::advance(Duration::from_secs(1)).await;
        if call.poll_once().is_ready() {
            break;
        }
    }
    assert_eq!(script.runs(), 4);
    runtime.scope(tuned(&script)).await.unwrap_err();
    assert_eq!(script.runs(), 5);
}

#[tokio::test(start_paused = true)]
async fn new_limits_hold_from_the_next_call_on() {
    let runtime = runtime("");
    let script = Script::failing(Category::NETWORK, 0);
    let two = async {
        runtime.scope(tuned(&script)).await.unwrap();
        runtime.scope(tuned(&script)).await.unwrap();
    };
    assert_eq!(elapsed(two).await, Duration::ZERO);
    runtime.apply(&settings(
        "[services.tuned]\nrate_limit = { limit = \"1/4s\", max_wait = \"10s\" }\n",
    ));
    let two = async {
        runtime.scope(tuned(&script)).await.unwrap();
        runtime.scope(tuned(&script)).await.unwrap();
    };
    assert_eq!(elapsed(two).await, Duration::from_secs(4));
    runtime.apply(&settings(""));
    let two = async {
        runtime.scope(tuned(&script)).await.unwrap();
        runtime.scope(tuned(&script)).await.unwrap();
    };
    assert_eq!(elapsed(two).await, Duration::ZERO);
}

#[derive(Clone, Debug, Default)]
struct Reloads(Arc<(AtomicU64, AtomicU64)>);

impl Listener for Reloads {
    fn on_event(&self, event: &Event<'_>) {
        match event {
            Event::SettingsReloaded {
                result: Reload::Rejected,
                ..
            } => &self.0.1,
            Event::SettingsReloaded { .. } => &self.0.0,
            _ => return,
        }
        .fetch_add(1, Ordering::Relaxed);
    }
}

fn retries(runtime: &Runtime) -> String {
    let inspection = runtime.inspect();
    let site = inspection
        .sites
        .iter()
        .find(|site| site.operation == "tuned")
        .unwrap();
    let setting = site
        .settings
        .iter()
        .find(|setting| setting.key == "retries");
    setting.unwrap().value.clone()
}

fn text(retries: u32) -> String {
    format!("[services.tuned]\nretries = {retries}\n")
}

#[tokio::test]
async fn a_reload_that_fails_keeps_what_held_and_tells_of_it() {
    let directory = Directory::new("fails");
    let file = directory.file("app.toml");
    std::fs::write(&file, text(3)).unwrap();
    let told = Reloads::default();
    let loader = Settings::loader()
        .file(&file)
        .variables::<String, String>([]);
    let runtime = Runtime::builder()
        .listener(told.clone())
        .settings(loader.load().unwrap())
        .build();

    assert!(!runtime.reload().await.unwrap());
    std::fs::write(&file, text(4)).unwrap();
    assert!(runtime.reload().await.unwrap());
    assert_eq!(retries(&runtime), "4");

    for broken in [
        "",
        "  \n",
        "[services.tuned]\nretr",
        "[services.tuned]\nretries = -1\n",
    ] {
        std::fs::write(&file, broken).unwrap();
        runtime.reload().await.unwrap_err();
        assert_eq!(retries(&runtime), "4");
        let problems = runtime.inspect().problems;
        assert!(!problems.is_empty(), "{broken}");
        assert!(
            problems[0].to_string().contains("app.toml"),
            "{}",
            problems[0]
        );
    }
    std::fs::remove_file(&file).unwrap();
    runtime.reload().await.unwrap_err();
    assert_eq!(retries(&runtime), "4");

    std::fs::write(&file, text(4)).unwrap();
    assert!(!runtime.reload().await.unwrap());
    assert!(runtime.inspect().problems.is_empty());
    assert_eq!(told.0.0.load(Ordering::Relaxed), 2);
    // Two ways to be empty are one problem.
    assert_eq!(told.0.1.load(Ordering::Relaxed), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_reloads_under_traffic_fail_no_call_and_lose_no_state() {
    let directory = Directory::new("thousand");
    let file = directory.file("app.toml");
    std::fs::write(&file, with_breaker("failure_threshold = 4")).unwrap();
    let loader = Settings::loader().file(&file);
    let loader = loader.variables::<String, String>([]);
    let runtime = Runtime::builder().settings(loader.load().unwrap()).build();
    fail(&runtime, 3).await;
    let begun = Arc::new(AtomicU64::new(0));
    let calls = 100_000;
    let traffic: Vec<_> = (0..2)
        .map(|_| {
            let (runtime, begun) = (runtime.clone(), Arc::clone(&begun));
            tokio::spawn(async move {
                for x in 0..calls / 2 {
                    begun.fetch_add(1, Ordering::Relaxed);
                    assert_eq!(runtime.scope(quick(x)).await, Ok(x));
                }
            })
        })
        .collect();
    let reloads = {
        let (runtime, file) = (runtime.clone(), file.clone());
        let variants: Vec<_> = (1..=10)
            .map(|n| {
                format!(
                    "[services.quick]\nretries = {n}\nrate_limit = \"1000000000/1s\"\nbulkhead.concurrency = {n}\n\
                     [services.quick.breaker]\nfailure_rate_threshold = 0.5\nwindow = {}\nminimum_calls = 5\n\
                     [services.tuned]\nretries = 0\nbreaker.failure_threshold = 4\n",
                    10 * n
                )
            })
            .collect();
        tokio::task::spawn_blocking(move || {
            for n in 0..1_000 {
                // One for every hundred calls.
                while begun.load(Ordering::Relaxed) < 99 * n {
                    std::thread::yield_now();
                }
                std::fs::write(&file, &variants[n as usize % variants.len()]).unwrap();
                assert!(runtime.reload_blocking().unwrap());
            }
        })
    };
    for task in traffic {
        task.await.unwrap();
    }
    reloads.await.unwrap();
    let summary = runtime.summary();
    assert_eq!((summary.calls, summary.succeeded), (calls + 3, calls));
    assert_eq!(runtime.recent_errors(9).len(), 3);
    assert_eq!(runtime.inspect().generation, 1_001);
    let limits = runtime.limits().pop().unwrap();
    assert_eq!((limits.running, limits.queued), (Some(0), 0));
    // Three failures have been counted all the time.
    assert_eq!(state(&runtime), BreakerState::Closed);
    fail(&runtime, 1).await;
    assert_eq!(state(&runtime), BreakerState::Open);
}
