//! Settings that nobody in his right mind writes: no panic, and a problem that says what and where.

mod support;

use std::time::Duration;

use resilience::{Category, Problems, Runtime, Settings, resilient};
use support::{Failure, Script, polled};

#[resilient(operation = "hostile", service = "hostile")]
async fn hostile(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

fn load(text: &str) -> Result<Settings, Problems> {
    let loader = Settings::loader().text("test.toml", text);
    loader.variables::<String, String>([]).load()
}

fn load_variables(variables: &[(&str, &str)]) -> Result<Settings, Problems> {
    let loader = Settings::loader().variables(variables.iter().copied());
    loader.prefix("APP_").env().load()
}

const KEYS: &[&str] = &[
    "enabled",
    "retries",
    "backoff",
    "backoff.initial",
    "backoff.max",
    "backoff.factor",
    "backoff.jitter",
    "timeout",
    "deadline",
    "nested",
    "idempotent",
    "breaker",
    "breaker.failure_threshold",
    "breaker.distinct_calls",
    "breaker.failure_rate_threshold",
    "breaker.slow_call_duration",
    "breaker.slow_call_rate_threshold",
    "breaker.window",
    "breaker.minimum_calls",
    "breaker.success_threshold",
    "breaker.wait_duration",
    "breaker.ignore",
    "breaker.record",
    "rate_limit",
    "rate_limit.limit",
    "rate_limit.burst",
    "rate_limit.max_wait",
    "rate_limit.exact",
    "bulkhead",
    "bulkhead.concurrency",
    "bulkhead.queue",
    "budget",
    "budget.ratio",
    "budget.min_per_second",
];

const VALUES: &[&str] = &[
    "0",
    "-1",
    "-0.0",
    "1",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "99999999999999999999999999999999999999999999",
    "1e308",
    "1e400",
    "5e-324",
    "nan",
    "-nan",
    "inf",
    "-inf",
    "true",
    "''",
    "' '",
    "'off'",
    "'OFF'",
    "'-5s'",
    "'0s'",
    "'1ns'",
    "'1000000000000y'",
    "'500y'",
    "'18446744073709551615s'",
    "'99999999999999999999999s'",
    "'1/0s'",
    "'0/1s'",
    "'4294967295/1ns'",
    "'1/500y'",
    "'/'",
    "'..'",
    "'1ns..500y'",
    "'5s..1s'",
    "'\u{1F600}'",
    "1979-05-27T07:32:00Z",
    "[]",
    "[[1, 2], {}]",
    "{}",
    "{ a = { b = [ { c = 1 } ] } }",
];

#[tokio::test(start_paused = true)]
async fn every_value_for_every_key_holds_or_is_a_problem_of_that_key() {
    let sound = Script::failing(Category::NETWORK, 0);
    let broken = Script::always(Category::NETWORK);
    for key in KEYS {
        for value in VALUES {
            let text = format!("[services.hostile]\n{key} = {value}\n");
            let settings = match load(&text) {
                Ok(settings) => settings,
                Err(problems) => {
                    let told = problems.to_string();
                    // Numbers of a part that contradict each other are a problem of the part.
                    let part = key.split('.').next().unwrap();
                    let place = format!("`services.hostile.{part}");
                    assert!(told.contains(&place), "{text}{told}");
                    assert!(told.contains("test.toml:2:"), "{text}{told}");
                    continue;
                }
            };
            // What was taken does not break anything later.
            let runtime = Runtime::builder().settings(settings).build();
            drop(runtime.inspect().to_string());
            drop(runtime.scope(hostile(&sound)).await);
            let mut failing = polled(runtime.scope(hostile(&broken)));
            for _ in 0..10 {
                if failing.poll_once().is_ready() {
                    break;
                }
                tokio::time::advance(Duration::from_secs(100)).await;
            }
            drop(runtime.inspect().to_string());
        }
    }
}

#[test]
fn everything_else_takes_any_value_or_tells_of_it() {
    for key in [
        "telemetry.error_history_limit",
        "telemetry.log_level",
        "resources.tokens",
        "classify",
        "default_timeout_secs",
        "default_max_retries",
        "circuit_breaker_threshold",
        "service_specific.x.timeout_secs",
        "service_specific.x.rate_limit_requests",
        "service_specific.x.rate_limit_window_secs",
        "service_specific.x.wait_duration_secs",
        "services",
        "services.x",
        "sites.hostile",
        "categories.network",
        "defaults",
    ] {
        for value in VALUES {
            if let Err(problems) = load(&format!("{key} = {value}\n")) {
                let told = problems.to_string();
                let named = told.contains(&format!("`{key}"));
                assert!(
                    named && told.contains("test.toml:1:"),
                    "{key} = {value}: {told}"
                );
            }
        }
    }
}

#[test]
fn a_text_of_any_shape_is_read_or_told() {
    let deep = [
        format!("x = {}", "[".repeat(200_000)),
        format!("x = {}{}", "[".repeat(50_000), "]".repeat(50_000)),
        format!("x = {}", "{a=".repeat(100_000)),
        format!("{}x = 1", "a.".repeat(50_000)),
        format!("[{}x]", "services.".repeat(50_000)),
        "[[classify]]\n".repeat(20_000),
        "[services.a]\n".repeat(1_000),
        "\"\"\"".repeat(1_001),
        "a".repeat(900_000),
        "\r".repeat(1_000),
        "[\n".repeat(10_000),
    ];
    for text in &deep {
        let problems = load(text).unwrap_err();
        let first = problems.iter().next().unwrap().to_string();
        assert!(first.starts_with("test.toml:"), "{}", &first[..80]);
    }
    // What editors of other systems leave.
    load("\u{feff}[defaults]\r\nretries = 1\r\n").unwrap();
    for (text, place) in [
        (
            "[defaults]\nretries = 1\n[defaults]\ntimeout = '1s'\n",
            "test.toml:3:",
        ),
        ("[defaults]\nretries = 1\nretries = 2\n", "test.toml:3:1"),
        (
            "defaults.retries = 1\n[services.x]\n[services.x]\n",
            "test.toml:3:",
        ),
        (
            "[defaults]\nbreaker = 'off'\nbreaker.failure_threshold = 1\n",
            "test.toml:3:",
        ),
    ] {
        let told = load(text).unwrap_err().to_string();
        assert!(told.contains(place), "{text}{told}");
    }
}

#[test]
fn ten_thousand_rules_are_read_at_once() {
    let rule = |i| format!("[[classify]]\npattern = \"ledger {i}\"\ncategory = \"conflict\"\n");
    let text: String = (0..10_000).map(rule).collect();
    let begun = std::time::Instant::now();
    load(&text).unwrap();
    // Each by itself takes minutes where all those before it are looked at again.
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_file_that_is_none_is_told_by_its_name() {
    let directory = std::env::temp_dir().join(format!("resilience-hostile-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("app.toml");
    let told = |file: &std::path::Path| {
        let loader = Settings::loader().file(file);
        let problems = loader.variables::<String, String>([]).load().unwrap_err();
        assert_eq!(problems.len(), 1, "{problems}");
        let told = problems.to_string();
        assert!(
            told.starts_with(&format!("{}:1:1: ", file.display())),
            "{told}"
        );
        told
    };
    assert!(told(&file).contains("cannot be read: "));
    assert!(told(&directory).contains("cannot be read: "));
    std::fs::write(&file, b"[defaults]\nretries = 1 # \xff\xfe\n").unwrap();
    assert!(told(&file).contains("is no text in UTF-8"));
    std::fs::write(&file, "# comment\n".repeat(1_000_000)).unwrap();
    assert!(told(&file).contains("is larger than 1 MiB"));
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn variables_with_strange_names_and_values_are_read_or_told() {
    for name in [
        "RESILIENCE__",
        "RESILIENCE____",
        "RESILIENCE______",
        "RESILIENCE__DEFAULTS",
        "RESILIENCE__DEFAULTS__",
        "RESILIENCE__DEFAULTS__BACKOFF",
        "RESILIENCE__SERVICES",
        "RESILIENCE__SERVICES__",
        "RESILIENCE__SERVICES__X",
        "RESILIENCE__SERVICES____RETRIES",
        "RESILIENCE__SITES__HOSTILE",
        "RESILIENCE__SITES__NOBODY__RETRIES",
        "RESILIENCE__CLASSIFY",
        "RESILIENCE__CLASSIFY__0__PATTERN",
        "RESILIENCE__RESOURCES",
        "RESILIENCE__\u{c4}\u{1F600}__RETRIES",
        "RESILIENCE__DEFAULTS__RETR\u{130}ES",
        "resilience__defaults__retries__more",
        "RESILIENCE_SET",
        "APP_MAX_RETRY_ATTEMPTS",
        "APP_RETRY_BASE_DELAY",
        "APP_RETRY_MAX_DELAY",
        "APP_CB_FAILURE_THRESHOLD",
        "APP_CB_RECOVERY_TIMEOUT",
        "APP_ERROR_HISTORY_LIMIT",
        "APP_LOG_LEVEL",
    ] {
        for value in [
            "",
            " ",
            "?",
            "nan",
            "-1",
            "1e400",
            "\u{1F600}",
            "a=b=c;'",
            "\0",
        ] {
            match load_variables(&[(name, value)]) {
                Err(problems) => {
                    let told = problems.to_string();
                    assert!(told.contains(name), "{name}={value:?}: {told}");
                }
                // Nothing is set there, or blanks set nothing.
                Ok(_) => assert!(
                    name == "RESILIENCE_SET" && value.trim().is_empty(),
                    "{name}={value:?} was taken"
                ),
            }
        }
    }
    for set in [
        "=",
        ";;=;",
        "'",
        "a.=1",
        ".=",
        "\"=",
        "defaults.=1",
        "sites.'a;b'.retries='",
    ] {
        let told = load_variables(&[("RESILIENCE_SET", set)]).unwrap_err();
        assert!(told.to_string().starts_with("RESILIENCE_SET: "), "{told}");
    }
    // A tree so deep would take all of the stack.
    let deep = "a.".repeat(60_000);
    for set in [format!("{deep}a=1"), format!("services.hostile.{deep}a=1")] {
        let told = load_variables(&[("RESILIENCE_SET", &set)]).unwrap_err();
        assert!(
            told.to_string()
                .starts_with("RESILIENCE_SET: names a path of 6000")
        );
    }
    for section in ["DEFAULTS", "SERVICES", "SITES", "CATEGORIES", "RESOURCES"] {
        let name = format!("RESILIENCE__{section}__{}A", "A__".repeat(40_000));
        load_variables(&[(&name, "1")])
            .map(drop)
            .unwrap_or_default();
    }
    // Names that only look like ours say nothing.
    for name in [
        "RESILIENCE",
        "RESILIENCE_\u{ff}",
        "RESILIENCEX__DEFAULTS__RETRIES",
        "\u{ff}",
    ] {
        load_variables(&[(name, "?")]).unwrap();
    }
}
