//! Every key changes what calls do: one row for each.

mod support;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use resilience::{BreakerState, Category, Error, Runtime, Settings, resilient};
use support::{Failure, Script, elapsed, polled};

#[resilient(operation = "subject", service = "subject")]
async fn subject(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[resilient(operation = "around", service = "around", backoff(jitter = "none"))]
async fn around(script: &Script) -> Result<u32, Failure> {
    subject(script).await
}

type Observed = Pin<Box<dyn Future<Output = u128>>>;

/// Attempts of one call that always fails.
fn attempts(runtime: Runtime) -> Observed {
    Box::pin(async move {
        let script = Script::always(Category::NETWORK);
        runtime.scope(subject(&script)).await.unwrap_err();
        script.runs().into()
    })
}

/// Attempts of one call around a call, both of which always fail.
fn nested_attempts(runtime: Runtime) -> Observed {
    Box::pin(async move {
        let script = Script::always(Category::NETWORK);
        runtime.scope(around(&script)).await.unwrap_err();
        script.runs().into()
    })
}

/// Milliseconds of one call that always fails.
fn time_of_failures(runtime: Runtime) -> Observed {
    Box::pin(async move {
        let script = Script::always(Category::NETWORK);
        elapsed(runtime.scope(subject(&script))).await.as_millis()
    })
}

/// Milliseconds of one call that never ends by itself.
fn time_of_hanging(runtime: Runtime) -> Observed {
    Box::pin(async move {
        let script = Script::hanging();
        elapsed(runtime.scope(subject(&script))).await.as_millis()
    })
}

/// The bodies that run in 60 calls which fail, but for every third, before one is refused.
fn until_open(runtime: Runtime) -> Observed {
    Box::pin(async move {
        let failing = Script::always(Category::NETWORK);
        let sound = Script::failing(Category::NETWORK, 0);
        for call in 1..=60 {
            let script = if call % 3 == 0 { &sound } else { &failing };
            drop(runtime.scope(subject(script)).await);
        }
        (failing.runs() + sound.runs()).into()
    })
}

/// The same with calls that all fail.
fn until_open_in_a_row(runtime: Runtime) -> Observed {
    Box::pin(async move {
        let failing = Script::always(Category::NETWORK);
        for _ in 0..60 {
            drop(runtime.scope(subject(&failing)).await);
        }
        failing.runs().into()
    })
}

/// The same with calls that all fail but for the first ten.
fn until_open_after_successes(runtime: Runtime) -> Observed {
    Box::pin(async move {
        let failing = Script::always(Category::NETWORK);
        let sound = Script::failing(Category::NETWORK, 0);
        for call in 1..=60 {
            let script = if call <= 10 { &sound } else { &failing };
            drop(runtime.scope(subject(script)).await);
        }
        (failing.runs() + sound.runs()).into()
    })
}

/// The bodies that run in 60 calls, of which every other takes a second, before one is refused.
fn until_slow(runtime: Runtime) -> Observed {
    Box::pin(async move {
        // It is slow whether it fails or not, and no row of failures opens the breaker here.
        let slow = Script::slow(Duration::from_secs(1), Category::NETWORK);
        let sound = Script::failing(Category::NETWORK, 0);
        for call in 1..=60 {
            let script = if call % 2 == 0 { &sound } else { &slow };
            drop(runtime.scope(subject(script)).await);
        }
        (slow.runs() + sound.runs()).into()
    })
}

/// The bodies that run in 20 calls whose credentials are wrong, before one is refused.
fn until_open_by_auth(runtime: Runtime) -> Observed {
    Box::pin(async move {
        let failing = Script::always(Category::AUTH);
        for _ in 0..20 {
            drop(runtime.scope(subject(&failing)).await);
        }
        failing.runs().into()
    })
}

/// Milliseconds from an open breaker to a closed one, with a call a second that succeeds.
fn time_to_close(runtime: Runtime) -> Observed {
    Box::pin(async move {
        let failing = Script::always(Category::NETWORK);
        let sound = Script::failing(Category::NETWORK, 0);
        let breaker = runtime.breaker("subject").unwrap();
        while breaker.state() != BreakerState::Open {
            drop(runtime.scope(subject(&failing)).await);
        }
        let start = tokio::time::Instant::now();
        while breaker.state() != BreakerState::Closed {
            drop(runtime.scope(subject(&sound)).await);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        start.elapsed().as_millis()
    })
}

/// Milliseconds of five calls that succeed, and a thousand for each that is refused.
fn time_of_five(runtime: Runtime) -> Observed {
    Box::pin(async move {
        let script = Script::failing(Category::NETWORK, 0);
        let mut refused = 0;
        let five = async {
            for _ in 0..5 {
                refused += u128::from(runtime.scope(subject(&script)).await.is_err());
            }
        };
        elapsed(five).await.as_millis() + 1_000 * refused
    })
}

/// After two calls and a long pause, the calls that are not refused.
fn after_a_pause(runtime: Runtime) -> Observed {
    Box::pin(async move {
        let script = Script::failing(Category::NETWORK, 0);
        for _ in 0..2 {
            runtime.scope(subject(&script)).await.unwrap();
        }
        tokio::time::advance(Duration::from_secs(3_600)).await;
        let mut more = 0;
        while runtime.scope(subject(&script)).await.is_ok() {
            more += 1;
        }
        more
    })
}

/// Of twenty calls at a time those whose bodies run, and a hundred for each that is refused.
fn at_a_time(runtime: Runtime) -> Observed {
    Box::pin(async move {
        let script = Script::hanging();
        let mut calls: Vec<_> = (0..20)
            .map(|_| polled(runtime.scope(subject(&script))))
            .collect();
        let refused = calls
            .iter_mut()
            .filter_map(|call| match call.poll_once() {
                std::task::Poll::Ready(answer) => Some(answer.unwrap_err()),
                std::task::Poll::Pending => None,
            })
            .count();
        u128::from(script.runs()) + 100 * refused as u128
    })
}

/// The attempts of two hundred calls that fail.
fn attempts_of_many(runtime: Runtime) -> Observed {
    Box::pin(async move {
        let script = Script::always(Category::NETWORK);
        for _ in 0..200 {
            runtime.scope(subject(&script)).await.unwrap_err();
        }
        script.runs().into()
    })
}

/// A key, what is observed, what else is written, and two values with what each leads to.
type Row = (
    &'static str,
    fn(Runtime) -> Observed,
    &'static str,
    [(&'static str, u128); 2],
);

const ONE: &str = "retries = 0\n";
const NO_BREAKER: &str = "breaker = \"off\"\n";
const SLOW: &str = "retries = 0\nbreaker.failure_threshold = 100\nbreaker.minimum_calls = 10\n\
                    breaker.slow_call_duration = \"500ms\"\n";
const CLOSING: &str = "retries = 0\nbreaker.failure_threshold = 2\n";
const BUDGET: &str = "breaker = \"off\"\nretries = 1\nbackoff = { initial = \"0s\" }\n";

const ROWS: &[Row] = &[
    ("enabled", attempts, NO_BREAKER, [("true", 5), ("false", 1)]),
    ("retries", attempts, NO_BREAKER, [("2", 3), ("6", 7)]),
    (
        "backoff.initial",
        time_of_failures,
        "retries = 1\nbackoff.jitter = \"none\"\n",
        [("\"20ms\"", 20), ("\"3s\"", 3_000)],
    ),
    (
        "backoff.max",
        time_of_failures,
        "breaker = \"off\"\nretries = 3\nbackoff.jitter = \"none\"\n",
        [("\"2s\"", 5_000), ("\"9s\"", 7_000)],
    ),
    (
        "backoff.factor",
        time_of_failures,
        "breaker = \"off\"\nretries = 2\nbackoff.jitter = \"none\"\n",
        [("1", 2_000), ("3.0", 4_000)],
    ),
    (
        "backoff.jitter",
        time_of_failures,
        "retries = 1\n",
        [("\"none\"", 1_000), ("\"decorrelated\"", 3_000)],
    ),
    (
        "timeout",
        time_of_hanging,
        ONE,
        [("\"2s\"", 2_000), ("\"3s\"", 3_000)],
    ),
    (
        "deadline",
        time_of_hanging,
        ONE,
        [("\"4s\"", 4_000), ("\"5s\"", 5_000)],
    ),
    (
        "idempotent",
        attempts,
        NO_BREAKER,
        [("true", 5), ("false", 1)],
    ),
    (
        "breaker",
        until_open_in_a_row,
        ONE,
        [("\"off\"", 60), ("{}", 5)],
    ),
    (
        "breaker.failure_threshold",
        until_open_in_a_row,
        ONE,
        [("2", 2), ("9", 9)],
    ),
    (
        "breaker.distinct_calls",
        until_open_in_a_row,
        "retries = 3\nbackoff.initial = \"0s\"\n",
        [("1", 5), ("3", 9)],
    ),
    (
        "breaker.failure_rate_threshold",
        until_open,
        "retries = 0\nbreaker.minimum_calls = 10\n",
        [("0.6", 10), ("0.9", 60)],
    ),
    (
        "breaker.minimum_calls",
        until_open,
        "retries = 0\nbreaker.failure_rate_threshold = 0.5\n",
        [("10", 10), ("25", 25)],
    ),
    (
        "breaker.window",
        until_open_after_successes,
        "retries = 0\nbreaker.failure_rate_threshold = 0.5\nbreaker.minimum_calls = 10\n",
        [("10", 15), ("20", 20)],
    ),
    (
        "breaker.slow_call_duration",
        until_slow,
        "retries = 0\nbreaker.failure_threshold = 100\nbreaker.minimum_calls = 10\nbreaker.slow_call_rate_threshold = 0.3\n",
        [("\"500ms\"", 10), ("\"2s\"", 60)],
    ),
    (
        "breaker.slow_call_rate_threshold",
        until_slow,
        SLOW,
        [("0.4", 10), ("0.9", 60)],
    ),
    (
        "breaker.success_threshold",
        time_to_close,
        CLOSING,
        [("1", 31_000), ("3", 33_000)],
    ),
    (
        "breaker.wait_duration",
        time_to_close,
        CLOSING,
        [("\"10s\"", 11_000), ("\"20s..60s\"", 21_000)],
    ),
    (
        "breaker.ignore",
        until_open_in_a_row,
        ONE,
        [("[\"auth\"]", 5), ("[\"timeout\", \"network\"]", 60)],
    ),
    (
        "breaker.record",
        until_open_by_auth,
        ONE,
        [("[\"not_found\"]", 20), ("[\"auth\"]", 5)],
    ),
    (
        "rate_limit",
        time_of_five,
        "",
        [("\"off\"", 0), ("\"1/1s\"", 4_000)],
    ),
    (
        "rate_limit.limit",
        time_of_five,
        "",
        [("\"1/1s\"", 4_000), ("\"1/2s\"", 8_000)],
    ),
    (
        "rate_limit.burst",
        time_of_five,
        "rate_limit.limit = \"1/1s\"\n",
        [("2", 3_000), ("5", 0)],
    ),
    (
        "rate_limit.max_wait",
        time_of_five,
        "rate_limit.limit = \"1/4s\"\n",
        [("\"3s\"", 4_000), ("\"4s\"", 16_000)],
    ),
    (
        "rate_limit.exact",
        after_a_pause,
        "rate_limit.limit = \"1024/1h\"\nrate_limit.max_wait = \"0s\"\n",
        [("true", 1_024), ("false", 1_023)],
    ),
    ("bulkhead", at_a_time, "", [("\"off\"", 20), ("{}", 10)]),
    ("bulkhead.concurrency", at_a_time, "", [("3", 3), ("7", 7)]),
    (
        "bulkhead.queue",
        at_a_time,
        "bulkhead.concurrency = 4\n",
        [("0", 1_604), ("6", 1_004)],
    ),
    (
        "budget",
        attempts_of_many,
        BUDGET,
        [("\"off\"", 400), ("{ min_per_second = 0 }", 240)],
    ),
    (
        "budget.ratio",
        attempts_of_many,
        "breaker = \"off\"\nretries = 1\nbackoff = { initial = \"0s\" }\nbudget.min_per_second = 0\n",
        [("0", 200), ("0.5", 300)],
    ),
    (
        "budget.min_per_second",
        attempts_of_many,
        "breaker = \"off\"\nretries = 1\nbackoff = { initial = \"0s\" }\nbudget.ratio = 0\n",
        [("1", 210), ("5", 250)],
    ),
];

async fn observe(text: &str, observe: fn(Runtime) -> Observed) -> u128 {
    let loader = Settings::loader().text("test.toml", text);
    let settings = loader.variables::<String, String>([]).load();
    let settings = settings.unwrap_or_else(|problems| panic!("{text}: {problems}"));
    let runtime = Runtime::builder()
        .settings(settings)
        .fixed_jitter(1.0)
        .build();
    observe(runtime).await
}

#[tokio::test(start_paused = true)]
async fn every_key_changes_what_calls_do() {
    let mut wrong = Vec::new();
    for (key, what, besides, values) in ROWS {
        for (value, expected) in values {
            let text = format!("[services.subject]\n{besides}{key} = {value}\n");
            let observed = observe(&text, *what).await;
            if observed != *expected {
                wrong.push(format!("{key} = {value}: {observed}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The paths of all keys that the schema has below a table, `prefix` before them.
fn keys_of(table: &serde_json::Value, prefix: &str, keys: &mut Vec<String>) {
    let tables = [table]
        .into_iter()
        .chain(table["anyOf"].as_array().into_iter().flatten());
    for properties in tables.filter_map(|table| table["properties"].as_object()) {
        for (name, value) in properties {
            let path = format!("{prefix}{name}");
            keys_of(value, &format!("{path}."), keys);
            keys.push(path);
        }
    }
}

#[test]
fn no_key_of_the_schema_is_missing_here() {
    let schema = include_str!("../resilience-core/settings.schema.json");
    let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    let mut keys = Vec::new();
    let table = &schema["properties"]["services"]["additionalProperties"];
    keys_of(table, "", &mut keys);
    assert!(keys.len() >= ROWS.len(), "{keys:?}");
    // The one has a test of its own, the other is only a table.
    let elsewhere = ["nested", "backoff"];
    keys.retain(|key| !elsewhere.contains(&&**key) && !ROWS.iter().any(|(row, ..)| row == key));
    assert!(keys.is_empty(), "{keys:?}");
    let tables = schema["properties"].as_object().unwrap().keys();
    let tables: Vec<_> = tables.map(|table| &**table).collect();
    let known = [
        "categories",
        "circuit_breaker_threshold",
        "classify",
        "default_max_retries",
        "default_timeout_secs",
        "defaults",
        "max_retries",
        "resources",
        "service_specific",
        "services",
        "sites",
        "telemetry",
    ];
    assert_eq!(tables, known);
}

#[tokio::test(start_paused = true)]
async fn nested_changes_what_an_enclosing_call_does() {
    for (value, expected) in [("stop", 3), ("retry", 6)] {
        let text = format!(
            "[services.subject]\nretries = 2\nbreaker = \"off\"\n\
             [services.around]\nretries = 1\nbreaker = \"off\"\nnested = \"{value}\"\n"
        );
        assert_eq!(observe(&text, nested_attempts).await, expected, "{value}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_history_of_errors_and_the_resources_follow_the_settings() {
    let load = |text: &str| {
        let loader = Settings::loader().text("test.toml", text);
        loader.variables::<String, String>([]).load().unwrap()
    };
    let text = "[telemetry]\nerror_history_limit = 2\n[resources]\ntokens = 7\n[services.subject]\nretries = 4\nbreaker = \"off\"\n";
    let runtime = Runtime::builder().settings(load(text)).build();
    assert_eq!(attempts(runtime.clone()).await, 5);
    assert_eq!(runtime.recent_errors(9).len(), 2);
    let limit = |runtime: &Runtime| runtime.resources().pop().and_then(|tokens| tokens.limit);
    assert_eq!(limit(&runtime), Some(7));
    runtime.apply(&load("[resources]\ntokens = 9\n"));
    assert_eq!(limit(&runtime), Some(9));
    runtime.apply(&load("[defaults]\nretries = 4\nbreaker = \"off\"\n"));
    assert_eq!(limit(&runtime), None);
    assert_eq!(attempts(runtime.clone()).await, 5);
    assert_eq!(runtime.recent_errors(9).len(), 7);
}

#[allow(dead_code, reason = "errors of the runtime come as this")]
fn of(error: Error) -> Failure {
    error.into()
}

#[tokio::test(start_paused = true)]
async fn a_rule_for_a_text_decides_what_the_error_is() {
    #[resilient(operation = "texts", service = "texts")]
    async fn texts(script: &Script) -> Result<u32, String> {
        let _ = script.next().await;
        Err("ledger closed for 2026-03".to_owned())
    }

    for (rule, expected) in [
        ("", 2),
        (
            "[[classify]]\npattern = \"ledger closed\"\ncategory = \"conflict\"\n",
            1,
        ),
        (
            "[[classify]]\npattern = \"ledger closed\"\ncategory = \"network\"\n",
            5,
        ),
        (
            "[[classify]]\npattern = \"ledger closed\"\ncategory = \"network\"\nretryable = false\n",
            1,
        ),
    ] {
        let text = format!("[services.texts]\nbreaker = \"off\"\n{rule}");
        let loader = Settings::loader().text("test.toml", &text);
        let settings = loader.variables::<String, String>([]).load().unwrap();
        let runtime = Runtime::builder().settings(settings).build();
        let script = Script::always(Category::NETWORK);
        runtime.scope(texts(&script)).await.unwrap_err();
        assert_eq!(script.runs(), expected, "{rule}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_log_level_decides_what_is_logged() {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::format::FmtSpan;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    // With one subscriber alone, `tracing` remembers that another test's thread has nobody listening.
    let _other = tracing::Dispatch::new(
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(std::io::sink)
            .finish(),
    );
    for (level, logged) in [("debug", true), ("info", false), ("off", false)] {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(FmtSpan::CLOSE)
            .with_writer(move || writer.clone())
            .finish();
        let guard = tracing::subscriber::set_default(subscriber);
        let text =
            format!("[telemetry]\nlog_level = \"{level}\"\n[services.subject]\nretries = 1\n");
        assert_eq!(observe(&text, attempts).await, 2);
        drop(guard);
        let lines = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert_eq!(
            lines.contains("retry scheduled"),
            logged,
            "{level}: {lines}"
        );
        assert_eq!(
            lines.contains("call failed"),
            level != "off",
            "{level}: {lines}"
        );
        // Spans are the subscriber's matter.
        assert!(lines.contains("resilience.call"), "{level}: {lines}");
    }
}
