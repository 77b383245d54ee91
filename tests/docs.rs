//! The pages under `docs/`: all their examples are compiled, and the patterns' pages are alike.

use std::fs;
use std::path::Path;

use resilience::{Error, Runtime, resilient};

#[allow(
    dead_code,
    reason = "the grammar's words, of which only the options are asked for here"
)]
#[path = "../resilience-macros/src/names.rs"]
mod names;

#[resilient(service = "llm_provider")]
async fn generate() -> Result<(), Error> {
    Ok(())
}

#[resilient(service = "storage_backend")]
async fn store() -> Result<(), Error> {
    Ok(())
}

#[resilient(service = "agent_communication")]
async fn send() -> Result<(), Error> {
    Ok(())
}

#[test]
fn the_table_of_profiles_is_what_holds() {
    let _ = (generate(), store(), send());
    let page = include_str!("../docs/settings.md");
    let sites = Runtime::new().inspect().sites;
    assert_eq!(sites.len(), 3);
    for site in sites {
        let values = [
            "deadline",
            "retries",
            "backoff.initial",
            "breaker.failure_threshold",
            "breaker.success_threshold",
            "breaker.wait_duration",
            "rate_limit.limit",
        ];
        let values = values.map(|key| {
            let setting = site.settings.iter().find(|setting| setting.key == key);
            setting.map_or("", |setting| &*setting.value)
        });
        let row = format!("\n| `{}` | {} |\n", site.service, values.join(" | "));
        assert!(page.contains(&row), "{row}");
    }
}

/// Every page with its text.
fn pages() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut pages: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    pages.sort();
    pages
}

#[test]
fn every_page_with_an_example_is_among_those_that_are_compiled() {
    let compiled = include_str!("../src/lib.rs");
    for (name, text) in pages() {
        let has_example = text
            .lines()
            .any(|line| line.trim_start().starts_with("```rust"));
        let is_compiled = compiled.contains(&format!("include_str!(\"../docs/{name}.md\")"));
        assert!(!has_example || is_compiled, "docs/{name}.md");
        let left_out = ["```rust,ignore", "```ignore"];
        let is_left_out = |line: &str| {
            left_out
                .iter()
                .any(|word| line.trim_start().starts_with(word))
        };
        assert!(!text.lines().any(is_left_out), "docs/{name}.md");
    }
}

#[test]
fn the_pages_of_the_patterns_have_one_skeleton() {
    let patterns = [
        "blocking",
        "breaker",
        "bulkhead",
        "fallback",
        "rate-limit",
        "resources",
        "retry",
        "retry-budget",
        "timeout",
    ];
    let skeleton = [
        "## What it is for",
        "## Options",
        "```rust",
        "```text",
        "## What happens",
        "## With the other patterns",
        "## Telemetry",
        "## Do and don't",
    ];
    for (name, text) in pages() {
        if !patterns.contains(&&*name) {
            continue;
        }
        let mut from = 0;
        for part in skeleton {
            let Some(at) = text[from..].find(part) else {
                panic!("docs/{name}.md lacks `{part}`, or has it too early")
            };
            from += at;
        }
        let last = &text[from..];
        assert!(
            last.contains("\n- Do ") && last.contains("\n- Don't "),
            "docs/{name}.md"
        );
    }
}

/// Every option has a heading with its value, its default and an example; those of `#[fail_fast]`
/// that it shares are named.
#[test]
fn every_option_is_documented() {
    for attribute in ["resilient", "fail_fast", "classify"] {
        let page = format!("resilience-macros/docs/{attribute}.md");
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
        let text = fs::read_to_string(&page).unwrap();
        for option in names::options(attribute) {
            let heading = format!("\n## `{option}`\n");
            let Some((_, section)) = text.split_once(&heading) else {
                let named = attribute == "fail_fast" && text.contains(&format!("`{option}`"));
                assert!(named, "`{option}` of {attribute}");
                continue;
            };
            // Lines of code that are not shown begin with a `#` as well.
            let section = section.split("\n## ").next().unwrap_or(section);
            let section = section.split("\n# On ").next().unwrap_or(section);
            for part in ["**Value**: ", "**Default**:", "\n```\n"] {
                assert!(section.contains(part), "`{option}`: {part:?}");
            }
        }
    }
    let text = include_str!("../resilience-macros/docs/resilient.md");
    for list in ["backoff", "breaker", "rate_limit", "bulkhead", "budget"] {
        for option in names::options(list) {
            assert!(text.contains(&format!("\n| `{option}` |")), "`{option}`");
        }
    }
}
