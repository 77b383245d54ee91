//! Settings: what is read, what is wrong, what holds, and why.

mod support;

use std::time::Duration;

use resilience::{
    Category, Error, Inspection, Level, Problems, Runtime, Settings, SiteInspection, fail_fast,
    resilient,
};
use support::{Failure, Script};

#[resilient(operation = "plain", service = "plain_service")]
async fn plain(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[resilient(operation = "beside", service = "plain_service")]
async fn beside(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[resilient(
    operation = "written",
    service = "written_service",
    retries = 1,
    timeout = "7s",
    backoff(initial = "10ms"),
    breaker(failure_threshold = 7)
)]
async fn written(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[resilient(operation = "llm", service = "llm_provider")]
async fn llm(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[resilient(operation = "agent", service = "agent_communication")]
async fn agent(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[resilient(operation = "off_here", service = "plain_service", timeout = off, breaker = off)]
async fn off_here(script: &Script) -> Result<u32, String> {
    script.next().await.map_err(|error| error.to_string())
}

#[fail_fast(operation = "strict", service = "strict_service")]
async fn strict(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[resilient(operation = "mute", service = "mute_service", timeout = off, breaker = off)]
async fn mute(script: &Script) -> Result<u32, Mute> {
    script.next().await.map_err(|_| Mute)
}

#[derive(Debug)]
struct Mute;

fn load(text: &str) -> Result<Settings, Problems> {
    Settings::loader()
        .text("test.toml", text)
        .variables::<String, String>([])
        .load()
}

fn inspect(text: &str) -> Inspection {
    inspect_settings(load(text).unwrap())
}

fn inspect_settings(settings: Settings) -> Inspection {
    Runtime::builder().settings(settings).build().inspect()
}

fn site<'a>(inspection: &'a Inspection, operation: &str) -> &'a SiteInspection {
    let found = inspection
        .sites
        .iter()
        .find(|site| site.operation == operation);
    found.unwrap_or_else(|| panic!("no site {operation}"))
}

/// The value of a key at a site, and the level it comes from.
fn value(inspection: &Inspection, operation: &str, key: &str) -> (String, Level) {
    let site = site(inspection, operation);
    let mut found = site.settings.iter().filter(|setting| {
        setting.key == key && matches!(setting.category.as_deref(), None | Some("network"))
    });
    let setting = found
        .next()
        .unwrap_or_else(|| panic!("{operation} has no {key}: {site}"));
    (setting.value.clone(), setting.origin.level)
}

#[allow(dead_code, reason = "settings are about it, and nobody calls it")]
#[resilient(
    operation = "choosy",
    service = "choosy",
    breaker(ignore("timeout", "network"), record("auth"))
)]
async fn choosy(script: &Script) -> Result<u32, Failure> {
    script.next().await
}

#[test]
fn the_categories_that_count_come_from_the_nearest_level() {
    let of = |inspection: &Inspection| {
        ["breaker.ignore", "breaker.record"].map(|key| value(inspection, "choosy", key))
    };
    let list = |names: &str, level| (names.to_owned(), level);
    let found = of(&inspect(""));
    let expected = [
        list(r#"["network", "timeout"]"#, Level::Attribute),
        list(r#"["auth"]"#, Level::Attribute),
    ];
    assert_eq!(found, expected);
    let text = "[services.choosy]\nbreaker = { record = [\"timeout\", \"invoices\"] }\n\
                [defaults]\nbreaker = { ignore = [\"memory\"] }\n";
    let expected = [
        list(r#"["network"]"#, Level::Attribute),
        list(r#"["invoices", "timeout"]"#, Level::Services),
    ];
    assert_eq!(of(&inspect(text)), expected);
    let variables = [
        (
            "RESILIENCE__SERVICES__CHOOSY__BREAKER__IGNORE",
            "auth, memory",
        ),
        ("RESILIENCE_SET", "services.choosy.breaker.record="),
    ];
    let settings = Settings::loader().variables(variables).env().load();
    let expected = [
        list(r#"["auth", "memory"]"#, Level::Services),
        list("[]", Level::Services),
    ];
    assert_eq!(of(&inspect_settings(settings.unwrap())), expected);
}

#[fail_fast(
    operation = "dormant",
    service = "dormant",
    enabled = false,
    breaker(failure_threshold = 1, distinct_calls = 1),
    require(*wanted > 0, field = "wanted", "must be wanted")
)]
async fn dormant(script: &Script, wanted: &u32) -> Result<u32, Failure> {
    script.next().await
}

#[tokio::test(start_paused = true)]
async fn a_function_that_is_not_enabled_is_until_a_setting_says_so() {
    let script = Script::always(Category::NETWORK);
    let new = |text: &str| Runtime::builder().settings(load(text).unwrap()).build();
    let asleep = new("");
    let written = ("false".to_owned(), Level::Attribute);
    assert_eq!(value(&asleep.inspect(), "dormant", "enabled"), written);
    for _ in 0..3 {
        let _ = asleep.scope(dormant(&script, &1)).await;
    }
    assert_eq!(script.runs(), 3);
    let unwanted = asleep.scope(dormant(&script, &0)).await;
    assert!(matches!(unwanted, Err(Failure::Ours(_))), "{unwanted:?}");
    assert_eq!(script.runs(), 3);
    assert_eq!(asleep.summary().calls, 4);

    for table in ["services", "sites"] {
        let awake = new(&format!("[{table}.dormant]\nenabled = true\n"));
        let before = script.runs();
        for _ in 0..3 {
            let _ = awake.scope(dormant(&script, &1)).await;
        }
        assert_eq!(script.runs(), before + 1, "{table}");
    }
}

#[test]
fn a_wrong_list_of_categories_is_told() {
    for (lists, parts) in [
        (
            r#"ignore = ["netwrok"]"#,
            [
                "breaker.ignore",
                "no category `netwrok`",
                "did you mean `network`?",
            ],
        ),
        (
            r#"record = ["Auth Failure"]"#,
            [
                "breaker.record",
                "no category `Auth Failure`",
                "small letters",
            ],
        ),
        (
            r#"ignore = "auth""#,
            [
                "breaker.ignore",
                "the names of categories",
                r#"did you mean `["auth"]`?"#,
            ],
        ),
        (
            r#"ignore = ["auth", 1]"#,
            ["breaker.ignore", "an array", "the names of categories"],
        ),
        (
            r#"ignore = ["auth", "memory"], record = ["memory"]"#,
            [
                "breaker.record",
                "`memory` is also in `ignore`",
                "test.toml:2:",
            ],
        ),
    ] {
        let told = load(&format!("[services.choosy]\nbreaker = {{ {lists} }}\n"));
        let told = told.unwrap_err().to_string();
        for part in parts {
            assert!(told.contains(part), "{lists}: {part}: {told}");
        }
    }
}

#[test]
fn the_file_of_the_seed_loads_unchanged() {
    let inspection = inspect(include_str!("settings/error_handling.toml"));
    let expected = [
        ("llm", "deadline", "30s", Level::Services),
        ("llm", "retries", "3", Level::Services),
        ("llm", "breaker.failure_threshold", "5", Level::Services),
        ("llm", "breaker.success_threshold", "3", Level::Profile),
        ("llm", "breaker.wait_duration", "60s", Level::Services),
        ("llm", "rate_limit.limit", "100/60s", Level::Services),
        ("agent", "deadline", "5s", Level::Services),
        ("agent", "retries", "2", Level::Services),
        ("agent", "breaker.failure_threshold", "10", Level::Services),
        ("agent", "rate_limit.limit", "1000/60s", Level::Services),
        // Its defaults apply to services that it does not list.
        ("plain", "deadline", "30s", Level::Defaults),
        ("plain", "retries", "3", Level::Defaults),
        ("plain", "breaker.failure_threshold", "5", Level::Defaults),
        ("written", "retries", "1", Level::Attribute),
        (
            "written",
            "breaker.failure_threshold",
            "7",
            Level::Attribute,
        ),
    ];
    for (operation, key, expected, level) in expected {
        let found = value(&inspection, operation, key);
        assert_eq!(found, (expected.to_owned(), level), "{operation} {key}");
    }
    assert_eq!(inspection.unused_services, ["storage_backend"]);
    // A partial table, and both names of the retries.
    for name in ["default_max_retries", "max_retries"] {
        let partial = inspect(&format!(
            "{name} = 9\n[service_specific.llm_provider]\nmax_retries = 1\n"
        ));
        assert_eq!(value(&partial, "llm", "retries").0, "1");
        assert_eq!(value(&partial, "plain", "retries").0, "9");
    }
}

#[test]
fn the_files_that_are_shown_load() {
    #[resilient(operation = "app::index::index_file", service = "weaviate")]
    #[allow(dead_code, reason = "it is looked at through its settings")]
    async fn index_file() -> Result<(), Error> {
        Ok(())
    }

    #[resilient(operation = "index_document", service = "weaviate")]
    #[allow(dead_code, reason = "it is known")]
    async fn index_document() -> Result<(), Error> {
        Ok(())
    }

    let page = include_str!("../docs/settings.md");
    let (_, file) = page.split_once("```toml\n").unwrap();
    let (file, _) = file.split_once("```").unwrap();
    let inspection = inspect(file);
    for (key, expected, level) in [
        ("retries", "5", Level::Sites),
        ("backoff.jitter", "full", Level::Sites),
        ("deadline", "60s", Level::Services),
        ("breaker.wait_duration", "30s..300s", Level::Services),
        ("timeout", "10s", Level::Defaults),
    ] {
        let found = value(&inspection, "app::index::index_file", key);
        assert_eq!(found, (expected.to_owned(), level), "{key}");
    }
    inspect(include_str!("../examples/settings.toml"));
}

#[test]
fn what_belongs_to_the_attribute_alone_is_a_problem() {
    for name in [
        "category",
        "service",
        "operation",
        "key",
        "classify",
        "retry_if",
        "retry_if_ok",
        "before_retry",
        "fallback",
        "reject_with",
        "fields",
        "require",
        "resource",
        "boxed",
        "crate",
    ] {
        for table in ["defaults", "services.plain_service", "sites.plain"] {
            let problems = load(&format!("[{table}]\n{name} = \"x\"\n")).unwrap_err();
            let expected =
                format!("test.toml:2:1: `{table}.{name}`: it belongs to the attribute alone");
            assert_eq!(problems.to_string(), expected);
        }
    }
}

/// The nearest right name helps, or else all of them.
#[test]
fn a_name_that_is_near_none_is_told_with_those_that_there_are() {
    for (text, expected) in [
        (
            "[colours]\n",
            "unknown key, expected `defaults`, `categories`, `services`, `sites`, ",
        ),
        (
            "[defaults]\ncolour = 1\n",
            "unknown key, expected `retries`, `backoff`, `timeout`, `deadline`, `nested`, \
             `idempotent`, `breaker`, `rate_limit`, `bulkhead` or `budget`",
        ),
        (
            "[services.plain_service.bulkhead]\nsize = 1\n",
            "unknown key, expected `concurrency` or `queue`",
        ),
        (
            "[services.plain_service]\nbulkhead = 10\n",
            "found `10`, expected a table, as in `{ concurrency = 10 }`, or \"off\"",
        ),
        (
            "[categories.network]\ntimeout = \"1s\"\n",
            "it is no matter of a category, expected `retries` or `backoff`",
        ),
        (
            "[categories.Billing]\nretries = 1\n",
            "there is no such category, expected a name of small letters, digits and `_`",
        ),
        (
            "[service_specific.llm_provider]\nmax_retires = 1\n",
            "unknown key (did you mean `max_retries`?)",
        ),
        (
            "default_max_retires = 1\n",
            "unknown key (did you mean `default_max_retries`?)",
        ),
        (
            "[telemetry]\ncolour = 1\n",
            "unknown key, expected `error_history_limit` or `log_level`",
        ),
        (
            "[[classify]]\ncolour = 1\n",
            "unknown key, expected `pattern`, `category` or `retryable`",
        ),
    ] {
        let problems = load(text).unwrap_err();
        assert!(problems.to_string().contains(expected), "{text}{problems}");
    }
}

#[test]
fn twelve_mistakes_are_told_at_once_each_with_its_place_and_the_nearest_name() {
    let text = include_str!("settings/twelve_mistakes.toml");
    let problems = load(text).unwrap_err();
    let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
    let expected = [
        (
            "test.toml:2:1",
            "`defaults.retires`",
            "did you mean `retries`?",
        ),
        (
            "test.toml:3:11",
            "`defaults.timeout`",
            "did you mean `\"30s\"`?",
        ),
        (
            "test.toml:4:11",
            "`defaults.breaker`",
            "did you mean `\"off\"`?",
        ),
        ("test.toml:6:2", "`defalts`", "did you mean `defaults`?"),
        (
            "test.toml:9:13",
            "`categories.netwrok`",
            "did you mean `network`?",
        ),
        (
            "test.toml:13:1",
            "`services.plain_service.max_attempts`",
            "did you mean `retries = 3`?",
        ),
        (
            "test.toml:14:1",
            "`services.plain_service.category`",
            "belongs to the attribute alone",
        ),
        (
            "test.toml:18:26",
            "`services.plain_service.breaker.failure_rate_threshold`",
            "did you mean `0.5`?",
        ),
        (
            "test.toml:21:1",
            "`sites.written.breaker.wait_duration`",
            "write it under `[services.written_service]`",
        ),
        (
            "test.toml:24:1",
            "`sites.strict.retries`",
            "written with one attempt",
        ),
        (
            "test.toml:26:8",
            "`sites.writen`",
            "did you mean `written`?",
        ),
        (
            "test.toml:30:13",
            "`telemetry.log_level`",
            "did you mean `debug`?",
        ),
    ];
    for (place, key, hint) in expected {
        assert!(
            told.iter()
                .any(|line| line.starts_with(place) && line.contains(key) && line.contains(hint)),
            "{place} {key} {hint} is not in:\n{problems}"
        );
    }
    assert_eq!(told.len(), expected.len(), "{problems}");
}

#[test]
fn text_that_is_no_toml_is_told_with_its_places() {
    let problems = load("[defaults]\nretries = = 3\n[services\n").unwrap_err();
    assert!(
        problems.to_string().starts_with("test.toml:2:11: "),
        "{problems}"
    );
    for hostile in [
        "\u{feff}",
        "\0",
        "a = \u{1F600}",
        "[[[[",
        "x = {{{{",
        "= 1",
        "[sites.\"\"]\nretries = 1",
    ] {
        // Whatever it says, it says it as a problem.
        drop(load(hostile));
    }
}

#[test]
fn every_level_beats_those_below_it() {
    // From the nearest to the farthest: what is written, and what it makes of the retries.
    let levels = [
        ("[sites.plain]\nretries = 21\n", "21", Level::Sites),
        (
            "[services.plain_service]\nretries = 22\n",
            "22",
            Level::Services,
        ),
        (
            "[categories.network]\nretries = 23\n",
            "23",
            Level::Categories,
        ),
        ("[defaults]\nretries = 24\n", "24", Level::Defaults),
        ("", "4", Level::Table),
    ];
    for (i, (upper, value_of, level)) in levels.iter().enumerate() {
        for (lower, ..) in &levels[i + 1..] {
            // In either order: it is not the order in the file that counts.
            for text in [format!("{upper}{lower}"), format!("{lower}{upper}")] {
                let found = value(&inspect(&text), "plain", "retries");
                assert_eq!(found, ((*value_of).to_owned(), *level), "{text}");
            }
        }
    }
    // With an attribute that says something in the middle.
    let around = [
        ("[sites.written]\nretries = 21\n", "21", Level::Sites),
        (
            "[services.written_service]\nretries = 22\n",
            "22",
            Level::Services,
        ),
        (
            "[categories.network]\nretries = 23\n",
            "1",
            Level::Attribute,
        ),
        ("[defaults]\nretries = 24\n", "1", Level::Attribute),
        ("", "1", Level::Attribute),
    ];
    for (text, expected, level) in around {
        let found = value(&inspect(text), "written", "retries");
        assert_eq!(found, (expected.to_owned(), level), "{text}");
    }
    // And a profile.
    let profiled = [
        (
            "[services.llm_provider]\nretries = 22\n",
            "22",
            Level::Services,
        ),
        (
            "[categories.network]\nretries = 23\n",
            "23",
            Level::Categories,
        ),
        ("[defaults]\nretries = 24\n", "24", Level::Defaults),
        ("", "3", Level::Profile),
    ];
    for (text, expected, level) in profiled {
        let found = value(&inspect(text), "llm", "retries");
        assert_eq!(found, (expected.to_owned(), level), "{text}");
    }
    let none = value(&inspect("[defaults]\nretries = 0\n"), "plain", "retries");
    assert_eq!(none, ("0".to_owned(), Level::Defaults));
    let library = value(&inspect(""), "plain", "timeout");
    assert_eq!(library, ("30s".to_owned(), Level::Library));
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn a_variable_replaces_the_key_it_names_and_keeps_its_level() {
    let with = |variables: &[(&str, &str)]| {
        let loader = Settings::loader()
            .text(
                "test.toml",
                "[defaults]\nretries = 7\n[services.plain_service]\nretries = 8\n",
            )
            .variables(variables.iter().copied())
            .prefix("App_")
            .env();
        loader.load()
    };
    let origin = |variables: &[(&str, &str)], operation, key| {
        let inspection = inspect_settings(with(variables).unwrap());
        let site = site(&inspection, operation);
        let setting = site.settings.iter().find(|setting| setting.key == key);
        let setting = setting.unwrap();
        (setting.value.clone(), setting.origin.to_string())
    };
    let expected = [
        (
            ("RESILIENCE__DEFAULTS__RETRIES", "3"),
            "agent",
            "retries",
            "3",
            "defaults (RESILIENCE__DEFAULTS__RETRIES)",
        ),
        (
            ("resilience__services__Plain-Service__retries", "4"),
            "plain",
            "retries",
            "4",
            "services (resilience__services__Plain-Service__retries)",
        ),
        (
            (
                "RESILIENCE__SERVICES__PLAIN_SERVICE__BREAKER__WAIT_DURATION",
                "5s..50s",
            ),
            "plain",
            "breaker.wait_duration",
            "5s..50s",
            "services (RESILIENCE__SERVICES__PLAIN_SERVICE__BREAKER__WAIT_DURATION)",
        ),
        (
            ("RESILIENCE__SITES__PLAIN__TIMEOUT", "off"),
            "plain",
            "timeout",
            "off",
            "sites (RESILIENCE__SITES__PLAIN__TIMEOUT)",
        ),
        (
            (
                "RESILIENCE_SET",
                "sites.\"plain\".retries=2; defaults.nested = 'retry'",
            ),
            "plain",
            "retries",
            "2",
            "sites (RESILIENCE_SET)",
        ),
        (
            (
                "RESILIENCE_SET",
                "services.plain_service.rate_limit = \"9/1s\"",
            ),
            "plain",
            "rate_limit.limit",
            "9/1s",
            "services (RESILIENCE_SET)",
        ),
        (
            ("App_MAX_RETRY_ATTEMPTS", "3"),
            "agent",
            "retries",
            "2",
            "defaults (App_MAX_RETRY_ATTEMPTS)",
        ),
        (
            ("App_RETRY_BASE_DELAY", "1.5"),
            "agent",
            "backoff.initial",
            "1.5s",
            "defaults (App_RETRY_BASE_DELAY)",
        ),
        (
            ("App_RETRY_MAX_DELAY", "60.0"),
            "plain",
            "backoff.max",
            "60s",
            "defaults (App_RETRY_MAX_DELAY)",
        ),
        (
            ("App_CB_FAILURE_THRESHOLD", "9"),
            "agent",
            "breaker.failure_threshold",
            "9",
            "defaults (App_CB_FAILURE_THRESHOLD)",
        ),
        (
            ("App_CB_RECOVERY_TIMEOUT", "45"),
            "agent",
            "breaker.wait_duration",
            "45s",
            "defaults (App_CB_RECOVERY_TIMEOUT)",
        ),
    ];
    for (variable, operation, key, value, place) in expected {
        let found = origin(&[variable], operation, key);
        assert_eq!(found, (value.to_owned(), place.to_owned()), "{variable:?}");
    }
    let telemetry = inspect_settings(
        with(&[
            ("App_ERROR_HISTORY_LIMIT", "5"),
            ("App_LOG_LEVEL", "WARNING"),
        ])
        .unwrap(),
    )
    .telemetry;
    let values: Vec<_> = telemetry.iter().map(|setting| &*setting.value).collect();
    assert_eq!(values, ["5", "warn"]);
    // The prefix is matched exactly as given.
    assert_eq!(
        origin(&[("APP_MAX_RETRY_ATTEMPTS", "3")], "agent", "retries").0,
        "7"
    );
}

/// With the prefix and the defaults of the application that they come from.
#[test]
fn the_seven_variables_hold_together() {
    let variables = [
        ("elysiactl_MAX_RETRY_ATTEMPTS", "3"),
        ("elysiactl_RETRY_BASE_DELAY", "1.0"),
        ("elysiactl_RETRY_MAX_DELAY", "60.0"),
        ("elysiactl_CB_FAILURE_THRESHOLD", "5"),
        ("elysiactl_CB_RECOVERY_TIMEOUT", "30.0"),
        ("elysiactl_ERROR_HISTORY_LIMIT", "100"),
        ("elysiactl_LOG_LEVEL", "INFO"),
        ("elysiactl_SOMETHING_ELSE", "?"),
    ];
    let loader = Settings::loader().variables(variables);
    let inspection = inspect_settings(loader.prefix("elysiactl_").load().unwrap());
    for (key, expected) in [
        ("retries", "2"),
        ("backoff.initial", "1s"),
        ("backoff.max", "60s"),
        ("breaker.failure_threshold", "5"),
        ("breaker.wait_duration", "30s"),
    ] {
        let found = value(&inspection, "plain", key);
        assert_eq!(found, (expected.to_owned(), Level::Defaults), "{key}");
    }
    let telemetry: Vec<_> = inspection
        .telemetry
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(telemetry[0].ends_with("100            defaults (elysiactl_ERROR_HISTORY_LIMIT)"));
    assert!(telemetry[1].ends_with("info           defaults (elysiactl_LOG_LEVEL)"));
}

#[test]
fn every_variable_that_is_wrong_is_named() {
    let wrong = [
        ("RESILIENCE__DEFAULTS__RETIRES", "3"),
        ("RESILIENCE__SERVICES__PLAIN_SERVICE__RETRIES", "many"),
        ("RESILIENCE__SERVICE__X__RETRIES", "1"),
        ("RESILIENCE_SET", "defaults.retries"),
        ("App_MAX_RETRY_ATTEMPTS", "0"),
        ("App_RETRY_BASE_DELAY", "-1"),
        ("App_LOG_LEVEL", "loud"),
    ];
    let loader = Settings::loader().variables(wrong).prefix("App_").env();
    let problems = loader.load().unwrap_err();
    assert_eq!(problems.len(), wrong.len(), "{problems}");
    for (name, _) in wrong {
        assert!(problems.to_string().contains(name), "{name}: {problems}");
    }
}

#[test]
fn what_a_site_cannot_have_is_a_problem_for_it_and_not_applicable_from_elsewhere() {
    let wrong = [
        "[sites.strict]\nretries = 2",
        "[sites.strict.backoff]\ninitial = \"1s\"",
        "[sites.off_here]\ntimeout = \"3s\"",
        "[sites.mute]\ndeadline = \"3s\"",
        "[sites.plain]\nrate_limit = \"3/1s\"",
        "[sites.plain.bulkhead]\nconcurrency = 3",
    ];
    for text in wrong {
        let problems = load(text).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems}");
    }
    let inherited = inspect(
        "[defaults]\nretries = 5\ndeadline = \"90s\"\ntimeout = \"3s\"\nrate_limit = { limit = \"5/1s\", max_wait = \"1s\" }\n",
    );
    for (operation, keys) in [
        ("strict", &["retries", "rate_limit.max_wait"][..]),
        ("off_here", &["timeout"]),
        ("mute", &["timeout", "deadline", "rate_limit"]),
    ] {
        let site = site(&inherited, operation);
        let told: Vec<_> = site
            .inapplicable
            .iter()
            .map(|it| &*it.setting.key)
            .collect();
        for key in keys {
            assert!(told.contains(key), "{operation} {key}: {site}");
        }
    }
    // Allowed: a site may leave a part out.
    assert_eq!(
        value(
            &inspect("[sites.plain]\nbreaker = \"off\""),
            "plain",
            "breaker"
        )
        .0,
        "off"
    );
}

#[tokio::test(start_paused = true)]
async fn a_disabled_site_runs_its_body_once() {
    for text in [
        "[sites.plain]\nenabled = false",
        "[services.plain_service]\nenabled = false",
    ] {
        let runtime = Runtime::builder().settings(load(text).unwrap()).build();
        let script = Script::always(Category::NETWORK);
        runtime.scope(plain(&script)).await.unwrap_err();
        assert_eq!(script.runs(), 1, "{text}");
    }
}

#[test]
fn an_applications_own_validation_collects_its_problems() {
    let problems = Problems::new()
        .require(false, "llm.api_key", "must not be empty")
        .require(true, "storage.url", "must not be empty")
        .require(false, "agent.max_concurrent", "must be greater than 0")
        .into_result()
        .unwrap_err();
    assert_eq!(
        problems.to_string(),
        "`llm.api_key`: must not be empty\n`agent.max_concurrent`: must be greater than 0"
    );
}

#[test]
fn a_delay_that_gives_way_to_the_other_comes_from_where_that_is_written() {
    let of = |text: &str, key| value(&inspect(text), "plain", key);
    let told = |value: &str, level| (value.to_owned(), level);
    // A longer one for the network lifts the cap, for the network alone.
    let text = "[defaults]\nbackoff.max = \"1s\"\n[categories.network]\nbackoff.initial = \"5s\"\n";
    assert_eq!(of(text, "backoff.max"), told("5s", Level::Categories));
    assert_eq!(of(text, "backoff.initial"), told("5s", Level::Categories));
    let timeout = inspect(text);
    let timeout = site(&timeout, "plain").settings.iter().find(|setting| {
        setting.key == "backoff.max" && setting.category.as_deref() == Some("timeout")
    });
    assert_eq!(timeout.unwrap().origin.level, Level::Defaults);
    // That of the table gives way to a cap, and to a longer one that is written.
    let text = "[defaults]\nbackoff.max = \"100ms\"\n";
    assert_eq!(of(text, "backoff.initial"), told("100ms", Level::Defaults));
    let text = "[services.plain_service]\nbackoff.initial = \"50s\"\n";
    assert_eq!(of(text, "backoff.max"), told("50s", Level::Services));
    assert_eq!(of("", "backoff.max"), told("30s", Level::Table));
}

#[test]
fn the_worst_case_is_told() {
    let text = "[services.plain_service]\nretries = 2\ntimeout = \"10s\"\n\
                backoff = { initial = \"1s\", max = \"4s\", jitter = \"none\" }\n";
    let inspection = inspect(text);
    let worst = &site(&inspection, "plain").worst_case;
    assert_eq!(worst.attempts, 3);
    assert_eq!(worst.duration, Some(Duration::from_secs(33)));
    assert_eq!(worst.duration_if_asked, Some(Duration::from_secs(38)));
    // And not with `off_here`, whose failures no breaker counts.
    assert_eq!(worst.shares_breaker_with, ["beside"]);
    let off = &site(&inspection, "off_here").worst_case;
    assert_eq!(off.shares_breaker_with, [""; 0]);
    let table = inspection.to_string();
    assert!(table.contains("services (test.toml:2)"), "{table}");
    assert!(
        table.contains("worst case: 3 attempts, 33s (38s where asked to wait)"),
        "{table}"
    );
}

/// 3 + 1 attempts of at most 2 s, each after at most 3 s in the line; between them 1 s, 2 s and 4 s,
/// and with full jitter no more; whoever is asked to wait does for at most `max`, three times.
#[test]
fn the_worst_case_counts_attempts_delays_lines_jitter_and_the_deadline() {
    let base = "[services.plain_service]\nretries = 3\ntimeout = \"2s\"\n";
    let cases = [
        (
            "backoff = { initial = \"1s\", max = \"9s\", jitter = \"none\" }",
            15,
            35,
        ),
        (
            "backoff = { initial = \"1s\", max = \"9s\", jitter = \"full\" }",
            15,
            35,
        ),
        (
            "backoff = { initial = \"1s\", max = \"3s\", jitter = \"none\" }",
            14,
            17,
        ),
        (
            "backoff = { initial = \"1s\", max = \"9s\", factor = 1, jitter = \"none\" }",
            11,
            35,
        ),
        (
            "backoff = { initial = \"1s\", max = \"9s\", jitter = \"none\" }\n\
             rate_limit = { limit = \"1/1s\", max_wait = \"3s\" }",
            27,
            47,
        ),
        (
            "backoff = { initial = \"1s\", max = \"9s\", jitter = \"none\" }\ndeadline = \"20s\"",
            15,
            20,
        ),
        (
            "backoff = { initial = \"1s\", max = \"9s\", jitter = \"none\" }\ndeadline = \"7s\"",
            7,
            7,
        ),
    ];
    for (more, seconds, if_asked) in cases {
        let inspection = inspect(&format!("{base}{more}\n"));
        let worst = &site(&inspection, "plain").worst_case;
        assert_eq!(worst.attempts, 4, "{more}");
        assert_eq!(worst.duration, Some(Duration::from_secs(seconds)), "{more}");
        let asked = worst.duration_if_asked;
        assert_eq!(asked, Some(Duration::from_secs(if_asked)), "{more}");
    }
    // Categories differ: the worst of them counts.
    let inspection = inspect(
        "[categories.network]\nretries = 9\n[categories.timeout]\nretries = 1\n\
         [defaults]\nretries = 2\nbackoff = { initial = \"1s\", max = \"1s\", jitter = \"none\" }\n",
    );
    let worst = &site(&inspection, "plain").worst_case;
    // Nine delays of a second, and ten attempts of 30 s.
    assert_eq!(
        (worst.attempts, worst.duration),
        (10, Some(Duration::from_secs(309)))
    );
    // Without a limit for attempts there is one for the call, or none.
    let inspection = inspect("[defaults]\ntimeout = \"off\"\n");
    assert_eq!(site(&inspection, "plain").worst_case.duration, None);
    let inspection = inspect("[defaults]\ntimeout = \"off\"\ndeadline = \"3s\"\n");
    let worst = site(&inspection, "plain").worst_case.duration;
    assert_eq!(worst, Some(Duration::from_secs(3)));
}

#[test]
fn a_rate_limit_of_which_nobody_says_how_many_is_a_problem() {
    #[resilient(operation = "bursts", service = "bursting", rate_limit(burst = 3))]
    #[allow(dead_code, reason = "it is looked at through its settings")]
    async fn bursts() -> Result<(), Error> {
        Ok(())
    }

    let told = |runtime: &Runtime| {
        let problems = runtime.problems().into_iter().map(|it| it.to_string());
        let ours: Vec<_> = problems.filter(|it| it.contains("bursting")).collect();
        ours
    };
    let problems = told(&Runtime::new());
    let place = "`services.bursting.rate_limit`: nothing says how many: write `limit`, so that it does nothing: tests/settings.rs:";
    assert!(
        problems.len() == 1 && problems[0].starts_with(place),
        "{problems:?}"
    );
    let said = "[services.bursting]\nrate_limit.limit = \"9/1s\"\n";
    let runtime = Runtime::builder().settings(load(said).unwrap()).build();
    assert!(told(&runtime).is_empty());

    for (text, expected) in [
        (
            "[services.plain_service]\nrate_limit.burst = 3\n",
            "test.toml:2:1: `services.plain_service.rate_limit`: nothing says how many: write `limit`",
        ),
        (
            "[services.plain_service]\nretries = 3\n[defaults.rate_limit]\nmax_wait = \"1s\"\n",
            "test.toml:3:11: `defaults.rate_limit`: for ",
        ),
        (
            "[defaults]\nbreaker.slow_call_rate_threshold = 0.5\n",
            "test.toml:2:9: `defaults.breaker.slow_call_rate_threshold`: for ",
        ),
        (
            "[services.plain_service]\nbreaker.window = 50\n",
            "test.toml:2:9: `services.plain_service.breaker.window`: no share is taken of it: write ",
        ),
        (
            "[services.plain_service]\nbreaker.minimum_calls = 50\n",
            "test.toml:2:9: `services.plain_service.breaker.minimum_calls`: no share is taken of it: write ",
        ),
    ] {
        let problems = load(text).unwrap_err().to_string();
        assert!(problems.starts_with(expected), "{text}{problems}");
        assert_eq!(problems.lines().count(), 1, "{problems}");
    }
}

#[test]
fn of_delays_that_contradict_each_other_the_nearer_holds() {
    let delays = |initial: &str, max: &str| {
        let inspection = inspect(&format!(
            "[{initial}.backoff]\ninitial = \"90s\"\n[{max}.backoff]\nmax = \"20s\"\n"
        ));
        let found = |key| value(&inspection, "plain", key).0;
        (found("backoff.initial"), found("backoff.max"))
    };
    let tables = [
        "sites.plain",
        "services.plain_service",
        "categories.network",
        "defaults",
    ];
    for (i, near) in tables.iter().enumerate() {
        for far in &tables[i + 1..] {
            let lifted = ("90s".to_owned(), "90s".to_owned());
            assert_eq!(delays(near, far), lifted, "{near} {far}");
            let capped = ("20s".to_owned(), "20s".to_owned());
            assert_eq!(delays(far, near), capped, "{far} {near}");
        }
    }
}

#[test]
fn a_window_of_the_defaults_is_for_those_of_which_shares_are_taken() {
    let inspection = inspect(
        "[defaults.breaker]\nwindow = 50\nminimum_calls = 40\n\
         [services.plain_service.breaker]\nfailure_rate_threshold = 0.5\n\
         [services.written_service.breaker]\nslow_call_duration = \"1s\"\nwindow = 10\n",
    );
    let plain = |key| value(&inspection, "plain", key);
    assert_eq!(plain("breaker.window"), ("50".into(), Level::Defaults));
    assert_eq!(
        plain("breaker.minimum_calls"),
        ("40".into(), Level::Defaults)
    );
    // More than the window holds never come together.
    let written = value(&inspection, "written", "breaker.minimum_calls");
    assert_eq!(written, ("10".into(), Level::Services));
    let llm = &site(&inspection, "llm").settings;
    assert!(llm.iter().all(|setting| setting.key != "breaker.window"));
}

#[allow(dead_code, reason = "they are called through their settings")]
async fn all(script: &Script) -> Result<(), Error> {
    drop((llm(script).await, agent(script).await, strict(script).await));
    drop((
        beside(script).await,
        written(script).await,
        off_here(script).await,
        mute(script).await,
    ));
    Ok(())
}
