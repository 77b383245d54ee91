//! What `inspect()` answers, as JSON.

use resilience::{Runtime, Settings, resilient};
use serde_json::{Value, json};

#[resilient(operation = "shown", service = "shown", retries = 1, timeout = "7s")]
async fn shown(x: u64) -> Result<u64, resilience::Error> {
    Ok(x)
}

#[tokio::test]
async fn an_inspection_is_data() {
    let file = std::env::temp_dir().join(format!("resilience-data-{}.toml", std::process::id()));
    let text = "[defaults]\nretries = 3\nbackoff = { initial = \"1s\", jitter = \"none\" }\n\
                [categories.network]\nretries = 6\n[services.shown]\ndeadline = \"1m\"\n\
                [services.nobody]\nretries = 1\n[resources]\ntokens = 7\n";
    std::fs::write(&file, text).unwrap();
    let variables = [("RESILIENCE__TELEMETRY__LOG_LEVEL", "info")];
    let loader = Settings::loader().file(&file).variables(variables).env();
    let runtime = Runtime::builder().settings(loader.load().unwrap()).build();
    assert_eq!(runtime.scope(shown(3)).await.unwrap(), 3);
    std::fs::write(&file, "[defaults]\nretires = 3\n").unwrap();
    runtime.reload().await.unwrap_err();
    std::fs::remove_file(&file).unwrap();

    let path = file.display().to_string();
    let data = serde_json::to_value(runtime.inspect()).unwrap();
    let site = &data["sites"][0];
    assert_eq!(site["operation"], "shown");
    assert_eq!(site["service"], "shown");
    assert_eq!(site["place"]["file"], "tests/settings_data.rs");
    let line = &site["place"]["line"];
    assert!(line.is_u64());
    let setting = |key: &str| {
        let settings = site["settings"].as_array().unwrap();
        let found = settings.iter().find(|setting| setting["key"] == key);
        found.unwrap_or_else(|| panic!("no {key}: {site}")).clone()
    };
    assert_eq!(
        setting("deadline"),
        json!({ "key": "deadline", "category": null, "value": "60s", "origin": {
            "level": "services", "source": { "file": { "path": path, "line": 7, "column": 1 } },
        } })
    );
    let timeout = setting("timeout");
    assert_eq!(timeout["value"], "7s");
    assert_eq!(timeout["origin"]["level"], "attribute");
    let attribute = &timeout["origin"]["source"]["attribute"];
    assert_eq!(
        (&attribute["file"], &attribute["line"]),
        (&site["place"]["file"], line)
    );
    assert_eq!(
        setting("nested")["origin"],
        json!({ "level": "library", "source": "built_in" })
    );

    let worst = &site["worst_case"];
    assert_eq!(worst["attempts"], 2);
    assert_eq!(worst["duration"], json!({ "secs": 15, "nanos": 0 }));
    assert_eq!(worst["shares_breaker_with"], json!([]));

    assert_eq!(data["generation"], 1);
    assert_eq!(data["unused_services"], json!(["nobody"]));
    assert_eq!(data["resources"][0]["key"], "tokens");
    assert_eq!(data["resources"][0]["value"], "7");
    assert_eq!(
        data["telemetry"][0]["origin"]["source"],
        json!({ "variable": "RESILIENCE__TELEMETRY__LOG_LEVEL" })
    );
    assert_ne!(data["loaded"], Value::Null);
    assert_eq!(
        data["problems"],
        json!([{
            "message": "unknown key", "places": [], "key": "defaults.retires",
            "source": { "file": { "path": path, "line": 2, "column": 1 } },
            "expected": null, "nearest": "retries",
        }])
    );
}
