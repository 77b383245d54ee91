//! A line of input to a change record.
//!
//! | the line is | it means |
//! |---|---|
//! | a JSON object | a change record, or a changeset record |
//! | a JSON string | a path to read from disk |
//! | any other JSON | a mistake |
//! | not JSON | the whole trimmed line is a path to read from disk |
//! | blank | nothing |

use std::fmt;
use std::path::{Path, PathBuf};

use resilience::{Category, Classification, Classify};
use serde_json::{Map, Value};

/// What a line asks for.
#[derive(Debug, PartialEq)]
pub enum Record {
    /// A file was added, modified or deleted.
    Change(Change),
    /// The changes of a repository's commit begin: kept with the run, not indexed.
    Changeset(Changeset),
}

/// A file was added, modified or deleted.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    /// What happened to it.
    pub op: Op,
    /// Its path; the name under which it is indexed.
    pub path: String,
    /// The repository it belongs to.
    pub repo: Option<String>,
    /// Whether its producer asks not to index it.
    pub skip_index: bool,
    /// Where its content is.
    pub body: Body,
    /// Why a line that looks like JSON was taken as a path.
    pub not_json: Option<String>,
}

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// It is new.
    Add,
    /// Its content changed.
    Modify,
    /// It is gone.
    Delete,
}

/// Where the content of a change is, in the order in which the sources are looked at.
#[derive(Debug, PartialEq, Eq)]
pub enum Body {
    /// In the record, as text.
    Text(String),
    /// In the record, as the base64 of UTF-8 text.
    Base64(String),
    /// In another file, by absolute path.
    Ref(PathBuf),
    /// In the file at the change's own path.
    Disk,
    /// Nowhere: a record that names a repository is about a file that may not be on this disk.
    Absent,
}

/// The changes of a repository's commit begin.
#[derive(Debug, PartialEq)]
pub struct Changeset {
    /// The repository.
    pub repo: Option<String>,
    /// What its producer says about it: `commit`, `parent`, `tree_hash` and more.
    pub info: Map<String, Value>,
}

/// Why a line is no record.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub struct RecordError {
    /// The path, where the line has one.
    pub path: Option<String>,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// It is not text.
    #[error("the line is not UTF-8 from byte {offset} on")]
    NotUtf8 {
        /// How many bytes before it are valid.
        offset: usize,
    },
    /// It is longer than a line may be.
    #[error("the line is longer than {MAX_LINE} bytes")]
    TooLong,
    /// A name in it is longer than the path of any file.
    #[error("`{field}` has {bytes} bytes, which is more than {MAX_NAME}")]
    NameTooLong {
        /// The field's name.
        field: &'static str,
        /// How long it is.
        bytes: usize,
    },
    /// It begins like JSON and is none, and too long to be a path.
    #[error("the line is not JSON ({reason})")]
    NotJson {
        /// What the parser says.
        reason: String,
    },
    /// It is JSON, but neither an object nor a string.
    #[error("the line is JSON ({kind}), but no record")]
    NotARecord {
        /// The kind of JSON value.
        kind: &'static str,
    },
    /// A field is missing.
    #[error("the record has no `{field}`")]
    Missing {
        /// The field's name.
        field: &'static str,
    },
    /// A field has the wrong type.
    #[error("`{field}` is not {expected}")]
    WrongType {
        /// The field's name.
        field: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
    /// The operation is none that we know.
    #[error("unknown op `{op}`: it is `add`, `modify` or `delete`")]
    UnknownOp {
        /// What the record says.
        op: String,
    },
    /// A reference depends on the directory that the reader happens to be in.
    #[error("`content_ref` is not an absolute path: `{path}`")]
    RelativeRef {
        /// What the record says.
        path: String,
    },
}

/// Reads one line. `None` is a blank one.
pub fn parse(line: &[u8]) -> Result<Option<Record>, RecordError> {
    if line.len() > MAX_LINE {
        return Err(RecordError::new(Problem::TooLong));
    }
    let text = std::str::from_utf8(line)
        .map_err(|error| {
            RecordError::new(Problem::NotUtf8 {
                offset: error.valid_up_to(),
            })
        })?
        // Some systems begin what goes through a pipe with a byte order mark.
        .trim_start_matches('\u{feff}')
        .trim();
    if text.is_empty() {
        return Ok(None);
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => Fields(fields).into_record().map(Some),
        Ok(Value::String(path)) => Change::on_disk(path).map(|change| Some(Record::Change(change))),
        Ok(other) => Err(RecordError::new(Problem::NotARecord { kind: kind(&other) })),
        Err(error) => {
            let not_json = text.starts_with(['{', '[', '"']).then(|| error.to_string());
            match (Change::on_disk(text.to_owned()), not_json) {
                (Ok(change), not_json) => Ok(Some(Record::Change(Change { not_json, ..change }))),
                (Err(_), Some(reason)) => Err(RecordError::new(Problem::NotJson { reason })),
                (Err(error), None) => Err(error),
            }
        }
    }
}

impl Change {
    fn on_disk(path: String) -> Result<Self, RecordError> {
        let path = name("path", path).map_err(RecordError::new)?;
        if path.is_empty() {
            return Err(RecordError::new(Problem::Missing { field: "path" }));
        }
        Ok(Self {
            op: Op::Modify,
            path,
            repo: None,
            skip_index: false,
            body: Body::Disk,
            not_json: None,
        })
    }
}

impl Op {
    /// The name, as in a record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Modify => "modify",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl RecordError {
    /// A problem of a line whose path is not known.
    pub const fn new(problem: Problem) -> Self {
        Self {
            path: None,
            problem,
        }
    }
}

impl Classify for RecordError {
    fn classify(&self) -> Classification {
        match self.problem {
            Problem::NotUtf8 { .. } => Classification::new(Category::ENCODING),
            _ => Classification::new(Category::VALIDATION),
        }
    }
}

resilience::register_classify!(RecordError);

/// The fields of a JSON object that is meant to be a record.
struct Fields(Map<String, Value>);

impl Fields {
    fn into_record(mut self) -> Result<Record, RecordError> {
        if self.0.contains_key("new_changeset") && !self.0.contains_key("path") {
            return self
                .changeset()
                .map(Record::Changeset)
                .map_err(RecordError::new);
        }
        let path = match self.name("path") {
            Ok(Some(path)) if !path.is_empty() => path,
            Ok(_) => return Err(RecordError::new(Problem::Missing { field: "path" })),
            Err(problem) => return Err(RecordError::new(problem)),
        };
        match self.change(&path) {
            Ok(change) => Ok(Record::Change(change)),
            Err(problem) => Err(RecordError {
                path: Some(path),
                problem,
            }),
        }
    }

    fn changeset(&mut self) -> Result<Changeset, Problem> {
        let Some(Value::Object(info)) = self.0.remove("new_changeset") else {
            return Err(Problem::WrongType {
                field: "new_changeset",
                expected: "an object",
            });
        };
        Ok(Changeset {
            repo: self.name("repo")?,
            info,
        })
    }

    fn change(&mut self, path: &str) -> Result<Change, Problem> {
        let op = match self.name("op")?.as_deref() {
            None | Some("modify") => Op::Modify,
            Some("add") => Op::Add,
            Some("delete") => Op::Delete,
            Some(op) => return Err(Problem::UnknownOp { op: op.to_owned() }),
        };
        let repo = self.name("repo")?;
        let skip_index = match self.0.remove("skip_index") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(skip)) => skip,
            Some(_) => {
                return Err(Problem::WrongType {
                    field: "skip_index",
                    expected: "true or false",
                });
            }
        };
        let body = self.body(repo.is_some())?;
        Ok(Change {
            op,
            path: path.to_owned(),
            repo,
            skip_index,
            body,
            not_json: None,
        })
    }

    fn body(&mut self, has_repo: bool) -> Result<Body, Problem> {
        if let Some(text) = self.text("content")? {
            return Ok(Body::Text(text));
        }
        if let Some(base64) = self.text("content_base64")? {
            return Ok(Body::Base64(base64));
        }
        if let Some(path) = self.name("content_ref")? {
            if !Path::new(&path).is_absolute() {
                return Err(Problem::RelativeRef { path });
            }
            return Ok(Body::Ref(path.into()));
        }
        Ok(if has_repo { Body::Absent } else { Body::Disk })
    }

    /// A text field that names something.
    fn name(&mut self, field: &'static str) -> Result<Option<String>, Problem> {
        self.text(field)?.map(|text| name(field, text)).transpose()
    }

    /// A text field; `null` is as good as absent.
    fn text(&mut self, field: &'static str) -> Result<Option<String>, Problem> {
        match self.0.remove(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Problem::WrongType {
                field,
                expected: "a string",
            }),
        }
    }
}

/// A text that is short enough to be shown.
fn name(field: &'static str, text: String) -> Result<String, Problem> {
    match text.len() {
        bytes if bytes > MAX_NAME => Err(Problem::NameTooLong { field, bytes }),
        _ => Ok(text),
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Content comes in records of up to some 100 KB; more than this is no record.
pub const MAX_LINE: usize = 16 * 1024 * 1024;
/// No system takes a longer path.
const MAX_NAME: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    fn change(line: &str) -> Change {
        match parse(line.as_bytes()) {
            Ok(Some(Record::Change(change))) => change,
            other => panic!("{line} is no change: {other:?}"),
        }
    }

    fn problem(line: &[u8]) -> String {
        parse(line).expect_err("a mistake").to_string()
    }

    #[test]
    fn a_path_is_a_line_that_is_not_json_or_a_json_string() {
        for line in ["  src/a b.rs \r", r#""src/a b.rs""#, "\u{feff}src/a b.rs"] {
            let change = change(line);
            assert_eq!(
                (change.op, change.path.as_str(), change.repo, change.body),
                (Op::Modify, "src/a b.rs", None, Body::Disk)
            );
        }
        assert_eq!(parse(b" \t").expect("blank"), None);
    }

    #[test]
    fn a_broken_object_is_a_path_that_remembers_why() {
        let change = change(r#"{"path": "a"#);
        assert_eq!(change.path, r#"{"path": "a"#);
        assert!(change.not_json.expect("a reason").contains("EOF"));
    }

    #[test]
    fn content_is_looked_for_in_a_fixed_order() {
        let cases = [
            (
                r#"{"path":"a","content":"x","content_base64":"eA=="}"#,
                Body::Text("x".into()),
            ),
            (
                r#"{"path":"a","content_base64":"eA==","content_ref":"/x"}"#,
                { Body::Base64("eA==".into()) },
            ),
            (
                r#"{"path":"a","content_ref":"/x","repo":"r"}"#,
                Body::Ref("/x".into()),
            ),
            (r#"{"path":"a","repo":null}"#, Body::Disk),
            (r#"{"path":"a","repo":"r"}"#, Body::Absent),
            (r#"{"path":"a","content":""}"#, Body::Text(String::new())),
        ];
        for (line, body) in cases {
            assert_eq!(change(line).body, body, "{line}");
        }
    }

    #[test]
    fn the_producers_line_and_unknown_fields_are_ignored() {
        let change =
            change(r#"{"path":"a","op":"delete","line":"x","size":1,"mime":"y","new":{}}"#);
        assert_eq!(change.op, Op::Delete);
    }

    #[test]
    fn a_changeset_is_kept_as_it_is() {
        let line = br#"{"repo":"r","new_changeset":{"commit":"c0","parent":null}}"#;
        let Ok(Some(Record::Changeset(set))) = parse(line) else {
            panic!("no changeset")
        };
        assert_eq!(set.repo.as_deref(), Some("r"));
        assert_eq!(set.info["commit"], "c0");
    }

    #[test]
    fn every_mistake_has_its_own_words() {
        let cases: [(&[u8], &str); 9] = [
            (b"12", "the line is JSON (a number), but no record"),
            (b"[]", "the line is JSON (an array), but no record"),
            (b"null", "the line is JSON (null), but no record"),
            (b"{}", "the record has no `path`"),
            (br#"{"path":1}"#, "`path` is not a string"),
            (
                br#"{"path":"a","op":"move"}"#,
                "unknown op `move`: it is `add`, `modify` or `delete`",
            ),
            (
                br#"{"path":"a","content_ref":"b"}"#,
                "`content_ref` is not an absolute path: `b`",
            ),
            (
                br#"{"new_changeset":1}"#,
                "`new_changeset` is not an object",
            ),
            (b"ab\xff", "the line is not UTF-8 from byte 2 on"),
        ];
        for (line, message) in cases {
            assert_eq!(problem(line), message);
        }
        assert_eq!(
            problem(&vec![b'a'; MAX_LINE + 1]),
            "the line is longer than 16777216 bytes"
        );
        let long = "a".repeat(MAX_NAME + 1);
        assert_eq!(
            problem(long.as_bytes()),
            "`path` has 4097 bytes, which is more than 4096"
        );
        for field in ["path", "repo", "op", "content_ref"] {
            let line = serde_json::json!({"path": "a", field: long}).to_string();
            let message = format!("`{field}` has 4097 bytes, which is more than 4096");
            assert_eq!(problem(line.as_bytes()), message);
        }
        assert_eq!(
            problem(format!("{{{long}").as_bytes()),
            "the line is not JSON (key must be a string at line 1 column 2)"
        );
    }

    #[test]
    fn a_mistake_keeps_the_path_and_is_never_retried() {
        let error = parse(br#"{"path":"a","op":"move"}"#).expect_err("unknown op");
        assert_eq!(error.path.as_deref(), Some("a"));
        assert_eq!(error.classify().category(), Category::VALIDATION);
        assert_eq!(error.classify().retry(), resilience::Retry::No);
        let error = parse(b"\xff").expect_err("not text");
        assert_eq!(error.classify().category(), Category::ENCODING);
    }
}
