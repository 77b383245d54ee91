//! An ordinary mistake in a body is reported as it would be without the attribute: the same
//! messages at the same places, and not a word about a macro.

use std::fmt::Write as _;

use serde_json::Value;

#[path = "support/rustc.rs"]
mod rustc;

/// The compiler's words on a function with this signature and body.
fn diagnostics(attribute: &str, function: &str, name: &str) -> Vec<String> {
    let text = format!(
        "#![allow(dead_code)]\npub enum Failure {{ A, Ours(resilience::Error) }}\n\
         impl From<resilience::Error> for Failure {{\n    \
         fn from(e: resilience::Error) -> Self {{ Self::Ours(e) }}\n}}\n\
         pub struct Client {{ n: u32 }}\nimpl Client {{\n{attribute}\n{function}\n}}\n"
    );
    let said = rustc::diagnostics("resilience", name, &text);
    let mut shown: Vec<_> = said.iter().filter_map(shown).collect();
    // The order of warnings is that of the passes that find them.
    shown.sort();
    shown
}

/// Level, message and places of one diagnostic; nothing of the closing summary.
fn shown(diagnostic: &Value) -> Option<String> {
    let spans = diagnostic["spans"].as_array()?;
    if spans.is_empty() {
        return None;
    }
    let mut shown = format!("{} {}", diagnostic["level"], diagnostic["message"]);
    for span in spans.iter().filter(|span| span["is_primary"] == true) {
        let place = ["line_start", "column_start", "line_end", "column_end"].map(|at| &span[at]);
        write!(shown, " {place:?}").unwrap();
    }
    // `?` counts as an expansion, but not as one of an attribute.
    let text = diagnostic["rendered"].as_str().unwrap_or_default();
    assert!(
        !text.contains("attribute macro"),
        "speaks of a macro: {text}"
    );
    Some(shown)
}

const MISTAKES: &[(&str, &str)] = &[
    (
        "wrong_tail",
        "pub async fn f(&self) -> Result<u32, Failure> {\n    \"text\"\n}",
    ),
    (
        "missing_ok",
        "pub async fn f(&self) -> Result<u32, Failure> {\n    self.n\n}",
    ),
    (
        "extra_semicolon",
        "pub async fn f(&self) -> Result<u32, Failure> {\n    Ok(self.n);\n}",
    ),
    (
        "empty_body",
        "pub async fn f(&self) -> Result<u32, Failure> {\n}",
    ),
    (
        "wrong_value",
        "pub async fn f(&self) -> Result<u32, Failure> {\n    Ok(\"text\")\n}",
    ),
    (
        "wrong_error",
        "pub async fn f(&self) -> Result<u32, Failure> {\n    return Err(1);\n}",
    ),
    (
        "unknown_name",
        "pub async fn f(&self) -> Result<u32, Failure> {\n    Ok(missing)\n}",
    ),
    (
        "unknown_method",
        "pub async fn f(&self) -> Result<u32, Failure> {\n    self.g()\n}",
    ),
    (
        "unconvertible_error",
        "pub async fn f(&self, a: &str) -> Result<u32, Failure> {\n    Ok(a.parse::<u32>()?)\n}",
    ),
    (
        "moved_twice",
        "pub async fn f(&self, a: String) -> Result<u32, Failure> {\n    drop(a);\n    drop(a);\n    Ok(1)\n}",
    ),
    (
        "half_typed",
        "pub async fn f(&self) -> Result<u32, Failure> {\n    self.\n}",
    ),
    (
        "unused",
        "pub async fn f(&self, a: u8, mut b: u8) -> Result<u32, Failure> {\n    let c = 1;\n    \
         Ok(u32::from(b))\n}",
    ),
    (
        "unreachable",
        "pub async fn f(&self) -> Result<u32, Failure> {\n    return Ok(1);\n    Ok(2)\n}",
    ),
    (
        "unused_result",
        "pub async fn f(&mut self) -> Result<u32, Failure> {\n    \"1\".parse::<u8>();\n    Ok(1)\n}",
    ),
    (
        "braces",
        "pub async fn f(&self) -> Result<u32, Failure> {\n    Ok((self.n))\n}",
    ),
];

#[test]
fn an_argument_used_nowhere_is_told_and_one_used_by_the_attribute_is_not() {
    let function = "pub async fn f(&self, a: u8, b: String) -> Result<u32, Failure> {\n    \
                    Ok(1)\n}";
    let plain = diagnostics("", function, "used_nowhere");
    assert_eq!(plain.len(), 2, "{plain:?}");
    for (attribute, told) in [
        ("#[resilience::resilient(retries = 1)]", 2),
        ("#[resilience::resilient(retries = 1, fields(a))]", 1),
        ("#[resilience::resilient(retries = 1, key = a)]", 1),
        (
            "#[resilience::resilient(retries = 1, fields(c = %format!(\"{b}\")))]",
            1,
        ),
        (
            "#[resilience::resilient(retries = 0, key = a, fields(b))]",
            0,
        ),
        ("#[resilience::fail_fast(resource(pool = a))]", 1),
        (
            "#[resilience::fail_fast(require(a > 1, field = \"a\", \"must be above 1, not {b}\"))]",
            0,
        ),
        (
            "#[resilience::resilient(fallback = |_, _, _, error| Err(error))]",
            0,
        ),
    ] {
        let shown = diagnostics(attribute, function, "used_nowhere");
        assert_eq!(shown.len(), told, "{attribute}: {shown:?}");
        assert!(shown.iter().all(|told| plain.contains(told)), "{shown:?}");
    }
}

#[test]
fn a_mistake_in_a_body_is_reported_as_without_the_attribute() {
    for (name, function) in MISTAKES {
        let plain = diagnostics("", function, name);
        assert!(!plain.is_empty(), "{name} is no mistake");
        for attribute in ["#[resilience::resilient]", "#[resilience::fail_fast]"] {
            assert_eq!(
                diagnostics(attribute, function, name),
                plain,
                "{name} under {attribute}"
            );
        }
    }
}
