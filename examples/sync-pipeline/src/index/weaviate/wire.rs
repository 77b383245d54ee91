//! The shapes of Weaviate's REST interface.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::chunk::prefix;
use crate::index::Document;
use crate::index::weaviate::language::language;

/// What `GET /v1/schema/{collection}` answers, as far as it matters here.
#[derive(Debug, Deserialize)]
pub(super) struct Class {
    #[serde(default)]
    pub(super) description: String,
}

/// What `GET /v1/objects/{collection}/{id}` answers, as far as it matters here.
#[derive(Debug, Deserialize)]
pub(super) struct Found {
    #[serde(default)]
    pub(super) properties: FoundProperties,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct FoundProperties {
    #[serde(default)]
    pub(super) content_hash: String,
    #[serde(default)]
    pub(super) embedding_model: String,
}

/// What `GET /v1/objects` answers.
#[derive(Debug, Deserialize)]
pub(super) struct Listed {
    #[serde(default)]
    pub(super) objects: Vec<Found>,
}

/// The body of `POST /v1/batch/objects`.
#[derive(Debug, Serialize)]
pub(super) struct Batch<'a> {
    pub(super) objects: Vec<Object<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Object<'a> {
    class: &'a str,
    id: String,
    properties: Properties<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    vector: Vec<f32>,
}

#[derive(Debug, Serialize)]
struct Properties<'a> {
    file_path: &'a str,
    relative_path: &'a str,
    file_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<&'a str>,
    extension: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'static str>,
    content: &'a str,
    content_hash: &'a str,
    size_bytes: usize,
    line_count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified: Option<String>,
    embedding_model: &'a str,
}

/// One object of the answer to a batch.
#[derive(Debug, Deserialize)]
pub(super) struct Taken {
    #[serde(default)]
    result: TakenResult,
}

#[derive(Debug, Default, Deserialize)]
struct TakenResult {
    status: Option<String>,
    errors: Option<TakenErrors>,
}

#[derive(Debug, Deserialize)]
struct TakenErrors {
    #[serde(default)]
    error: Vec<Message>,
}

#[derive(Debug, Deserialize)]
struct Message {
    #[serde(default)]
    message: String,
}

/// What a GraphQL `Get` answers.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    pub(super) data: Value,
    #[serde(default)]
    pub(super) errors: Vec<Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Near {
    pub(super) file_path: String,
    pub(super) repository: Option<String>,
    #[serde(default)]
    pub(super) content: String,
    #[serde(rename = "_additional")]
    pub(super) additional: Additional,
}

#[derive(Debug, Deserialize)]
pub(super) struct Additional {
    pub(super) distance: f32,
}

impl<'a> Object<'a> {
    pub(super) fn of(document: &'a Document) -> Self {
        let path = document.path.as_str();
        let file_name = path.rsplit('/').next().unwrap_or(path);
        let extension = match file_name.rsplit_once('.') {
            Some((name, extension)) if !name.is_empty() => extension,
            _ => "",
        };
        Self {
            class: &document.collection,
            id: document.id.to_string(),
            properties: Properties {
                file_path: path,
                relative_path: path,
                file_name,
                repository: document.repo.as_deref(),
                extension,
                language: language(file_name, extension),
                content: prefix(&document.content, MAX_CONTENT),
                content_hash: &document.content_hash,
                size_bytes: document.content.len(),
                line_count: document.content.lines().count(),
                last_modified: document.modified.and_then(date),
                embedding_model: &document.model,
            },
            vector: document.vector(),
        }
    }
}

impl Taken {
    /// Why the object was not taken.
    pub(super) fn failure(self) -> Option<String> {
        let Self { result } = self;
        let messages = result.errors.map(|errors| errors.error).unwrap_or_default();
        // Without a status it is a success, unless there are errors.
        let failed = result
            .status
            .map_or(!messages.is_empty(), |status| status == "FAILED");
        failed.then(|| match messages.into_iter().next() {
            Some(first) => first.message,
            None => "no explanation".to_owned(),
        })
    }
}

/// The body of `POST /v1/schema`. The description says whose vectors the collection holds.
pub(super) fn class(collection: &str, model: &str) -> Value {
    let text = |name: &str, tokenization: &str| json!({"name": name, "dataType": ["text"], "tokenization": tokenization});
    let of_type = |name: &str, kind: &str| json!({"name": name, "dataType": [kind]});
    json!({
        "class": collection,
        "description": description(model),
        "vectorizer": "none",
        "vectorIndexConfig": {"distance": "cosine"},
        "properties": [
            text("file_path", "field"),
            text("relative_path", "field"),
            text("file_name", "field"),
            text("repository", "field"),
            text("extension", "field"),
            text("language", "field"),
            text("content", "word"),
            text("content_hash", "field"),
            of_type("size_bytes", "int"),
            of_type("line_count", "int"),
            of_type("last_modified", "date"),
            text("embedding_model", "field"),
        ],
    })
}

/// RFC 3339, as a `date` has to be; nothing for a file from before 1970 or after 9999.
fn date(time: SystemTime) -> Option<String> {
    let seconds = time.duration_since(UNIX_EPOCH).ok()?.as_secs();
    (seconds < YEAR_10_000).then(|| humantime::format_rfc3339_seconds(time).to_string())
}

/// Says in a collection's description which model its vectors are of.
pub(super) fn description(model: &str) -> String {
    format!("{DESCRIPTION}{model}")
}

/// The model that a description names.
pub(super) fn described_model(description: &str) -> Option<&str> {
    description.strip_prefix(DESCRIPTION)
}

/// The question for the nearest objects. Names of collections need no escaping.
pub(super) fn nearest(collection: &str, vector: &[f32], limit: usize) -> Value {
    let vector = json!(vector);
    json!({"query": format!(
        "{{ Get {{ {collection}(nearVector: {{vector: {vector}}}, limit: {limit}) \
         {{ file_path repository content _additional {{ distance }} }} }} }}"
    )})
}

const DESCRIPTION: &str = "sync-pipeline, vectors of ";
/// In seconds since 1970.
const YEAR_10_000: u64 = 253_402_300_800;
/// What an object holds of a longer text.
const MAX_CONTENT: usize = 500_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(answer: &str) -> Vec<Option<String>> {
        let taken: Vec<Taken> = serde_json::from_str(answer).expect("JSON");
        taken.into_iter().map(Taken::failure).collect()
    }

    #[test]
    fn every_object_of_a_batch_has_a_result_of_its_own() {
        let answer = r#"[
            {"id":"1","result":{"status":"SUCCESS","errors":null}},
            {"id":"2","result":{"status":"FAILED","errors":{"error":[{"message":"bad"}]}}},
            {"id":"3","result":{}},
            {"id":"4"},
            {"id":"5","result":{"errors":{"error":[{"message":"worse"}]}}},
            {"id":"6","result":{"status":"FAILED"}}
        ]"#;
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            failures(answer),
            [
                None,
                text("bad"),
                None,
                None,
                text("worse"),
                text("no explanation")
            ]
        );
    }

    #[test]
    fn dates_are_those_that_a_date_can_hold() {
        let after = |seconds| UNIX_EPOCH.checked_add(std::time::Duration::from_secs(seconds));
        assert_eq!(date(UNIX_EPOCH).as_deref(), Some("1970-01-01T00:00:00Z"));
        let last = after(YEAR_10_000 - 1).and_then(date);
        assert_eq!(last.as_deref(), Some("9999-12-31T23:59:59Z"));
        assert_eq!(after(YEAR_10_000).and_then(date), None);
    }

    #[test]
    fn a_description_names_its_model() {
        assert_eq!(described_model(&description("m 1")), Some("m 1"));
        assert_eq!(described_model("somebody else's"), None);
    }
}
