//! A change record to its text: which content counts, what is skipped, what fails.
//!
//! Skipping is a decision ([`plan`]), not a failure. Reading ([`read`]) can fail, and nothing is
//! guessed there: bytes that are not UTF-8 are an error, neither dropped nor taken for another
//! encoding.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use resilience::{Category, Classification, Classify};

use crate::blocking;
use crate::record::{Body, Change};

/// What to do about the content of a change.
#[derive(Debug, PartialEq, Eq)]
pub enum Plan<'a> {
    /// Do not index it.
    Skip(Skip),
    /// Read it from here.
    Read(Source<'a>),
}

/// Where a text is read from.
#[derive(Debug, PartialEq, Eq)]
pub struct Source<'a> {
    place: Place<'a>,
    length: Option<u64>,
    modified: Option<SystemTime>,
}

/// Why a change is not indexed, without anything being wrong.
#[derive(Debug, PartialEq, Eq)]
pub enum Skip {
    /// Its producer asks for it.
    Asked,
    /// The file's extension is one of binary files.
    Binary {
        /// The extension.
        extension: String,
    },
    /// It is larger than the limit.
    TooLarge {
        /// Its size in bytes.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The path is a directory.
    Directory,
    /// The record has no content and names a repository, whose files may not be on this disk.
    NoContent,
}

/// Why a text cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// The file is missing or cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The path is a pipe, a socket or a device.
    #[error("`{}` is not a regular file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The file grew above the limit after it had been looked at.
    #[error("`{}` has grown to more than {limit} bytes", path.display())]
    Grown {
        /// The file.
        path: PathBuf,
        /// The limit.
        limit: u64,
    },
    /// The bytes are not UTF-8.
    #[error("not UTF-8: invalid bytes at offset {offset} (line {line} of the text)")]
    NotUtf8 {
        /// How many valid bytes come before.
        offset: usize,
        /// The line of the text, from 1.
        line: usize,
    },
    /// What is called base64 is none.
    #[error("`content_base64` is not base64")]
    Base64(#[source] base64::DecodeError),
}

/// Decides what to do about a change's content. Touches the disk for a look at the file's kind and
/// size; a file that cannot be looked at is planned for reading, which then says why it fails.
pub async fn plan(change: &Change, limit: u64) -> Plan<'_> {
    if change.skip_index {
        return Plan::Skip(Skip::Asked);
    }
    let source = match &change.body {
        Body::Text(text) => Source::in_record(Place::Text(text), text.len() as u64),
        Body::Base64(code) => Source::in_record(Place::Base64(code), decoded_length(code)),
        Body::Ref(path) => match Source::on_disk(path).await {
            Ok(source) => source,
            Err(skip) => return Plan::Skip(skip),
        },
        Body::Disk => match Source::on_disk(Path::new(&change.path)).await {
            Ok(source) => source,
            Err(skip) => return Plan::Skip(skip),
        },
        Body::Absent => return Plan::Skip(Skip::NoContent),
    };
    match source.length {
        Some(bytes) if bytes > limit => Plan::Skip(Skip::TooLarge { bytes, limit }),
        _ => Plan::Read(source),
    }
}

/// Reads the text.
pub async fn read(source: &Source<'_>, limit: u64) -> Result<String, ContentError> {
    match source.place {
        Place::Text(text) => Ok(text.to_owned()),
        Place::Base64(code) => text(STANDARD.decode(code).map_err(ContentError::Base64)?),
        Place::File(path) => {
            let path = path.to_owned();
            text(blocking::run(move || read_file(path, limit)).await?)
        }
    }
}

impl<'a> Source<'a> {
    /// The length in bytes, where it is known before reading.
    pub const fn length(&self) -> Option<u64> {
        self.length
    }

    /// When its file was written last. A record says nothing about that.
    pub const fn modified(&self) -> Option<SystemTime> {
        self.modified
    }

    const fn in_record(place: Place<'a>, length: u64) -> Self {
        Self {
            place,
            length: Some(length),
            modified: None,
        }
    }

    async fn on_disk(path: &'a Path) -> Result<Self, Skip> {
        if let Some(extension) = binary_extension(path) {
            return Err(Skip::Binary { extension });
        }
        let metadata = tokio::fs::metadata(path).await.ok();
        if metadata.as_ref().is_some_and(Metadata::is_dir) {
            return Err(Skip::Directory);
        }
        let file = metadata.filter(Metadata::is_file);
        Ok(Self {
            place: Place::File(path),
            length: file.as_ref().map(Metadata::len),
            modified: file.and_then(|file| file.modified().ok()),
        })
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => f.write_str("the record says skip_index"),
            Self::Binary { extension } => write!(f, "binary file (.{extension})"),
            Self::TooLarge { bytes, limit } => {
                write!(f, "too large ({bytes} bytes, the limit is {limit})")
            }
            Self::Directory => f.write_str("a directory"),
            Self::NoContent => f.write_str("the record has a repo, but no content"),
        }
    }
}

impl Classify for ContentError {
    fn classify(&self) -> Classification {
        match self {
            Self::Read { source, .. } => source.classify(),
            Self::NotAFile { .. } | Self::Grown { .. } => Classification::new(Category::VALIDATION),
            Self::NotUtf8 { .. } | Self::Base64(_) => Classification::new(Category::ENCODING),
        }
    }
}

resilience::register_classify!(ContentError);

#[derive(Debug, PartialEq, Eq)]
enum Place<'a> {
    Text(&'a str),
    Base64(&'a str),
    File(&'a Path),
}

fn read_file(path: PathBuf, limit: u64) -> Result<Vec<u8>, ContentError> {
    let failed = |source| ContentError::Read {
        path: path.clone(),
        source,
    };
    // Looked at before it is opened: opening a pipe would wait for somebody to write into it.
    if !std::fs::metadata(&path).map_err(failed)?.is_file() {
        return Err(ContentError::NotAFile { path });
    }
    let mut bytes = Vec::new();
    let file = File::open(&path).map_err(failed)?;
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(ContentError::Grown { path, limit });
    }
    Ok(bytes)
}

fn text(bytes: Vec<u8>) -> Result<String, ContentError> {
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        // Everything before the offset is valid, so nothing is lost here.
        let valid = String::from_utf8_lossy(&error.as_bytes()[..offset]);
        let line = valid.split('\n').count();
        ContentError::NotUtf8 { offset, line }
    })
}

/// How long the text of a base64 code is, if the code is valid.
fn decoded_length(code: &str) -> u64 {
    let padding = code.bytes().rev().take_while(|&byte| byte == b'=').count();
    ((code.len() - padding) as u64).saturating_mul(3) / 4
}

fn binary_extension(path: &Path) -> Option<String> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    BINARY.contains(&extension.as_str()).then_some(extension)
}

/// Extensions of files that hold no text.
const BINARY: &[&str] = &[
    "7z", "a", "aac", "avi", "avif", "bin", "bmp", "bz2", "class", "dat", "db", "dll", "dmg",
    "doc", "docx", "dylib", "eot", "exe", "flac", "gif", "gz", "heic", "ico", "iso", "jar", "jpeg",
    "jpg", "lib", "m4a", "mkv", "mov", "mp3", "mp4", "o", "odp", "ods", "odt", "ogg", "onnx",
    "otf", "parquet", "pdf", "png", "ppt", "pptx", "profraw", "pyc", "pyo", "rar", "rlib", "rmeta",
    "so", "sqlite", "sqlite3", "tar", "tgz", "tif", "tiff", "ttf", "war", "wasm", "wav", "webm",
    "webp", "woff", "woff2", "xls", "xlsx", "xz", "zip", "zst",
];

#[cfg(test)]
mod tests {
    use resilience::{Fault, Retry, Severity};

    use super::*;
    use crate::record::{Record, parse};

    const LIMIT: u64 = 10;

    fn change(line: &str) -> Change {
        match parse(line.as_bytes()) {
            Ok(Some(Record::Change(change))) => change,
            other => panic!("{line} is no change: {other:?}"),
        }
    }

    async fn skipped(line: &str) -> String {
        match plan(&change(line), LIMIT).await {
            Plan::Skip(skip) => skip.to_string(),
            Plan::Read(source) => panic!("{line} is read: {source:?}"),
        }
    }

    async fn text_of(line: &str) -> Result<String, ContentError> {
        let change = change(line);
        match plan(&change, LIMIT).await {
            Plan::Read(source) => read(&source, LIMIT).await,
            Plan::Skip(skip) => panic!("{line} is skipped: {skip}"),
        }
    }

    #[tokio::test]
    async fn skips_what_is_no_text_to_index() {
        assert_eq!(
            skipped(r#"{"path":"a","skip_index":true,"content":"x"}"#).await,
            "the record says skip_index"
        );
        assert_eq!(skipped("logo.PNG").await, "binary file (.png)");
        assert_eq!(skipped("/").await, "a directory");
        assert_eq!(
            skipped(r#"{"path":"a","content":"0123456789A"}"#).await,
            "too large (11 bytes, the limit is 10)"
        );
        assert_eq!(
            skipped(r#"{"path":"a","content_base64":"MDEyMzQ1Njc4OUE="}"#).await,
            "too large (11 bytes, the limit is 10)"
        );
        assert_eq!(
            skipped(r#"{"path":"a","repo":"r"}"#).await,
            "the record has a repo, but no content"
        );
    }

    #[tokio::test]
    async fn base64_is_decoded_to_the_letter() {
        assert_eq!(
            text_of(r#"{"path":"a","content_base64":"w6k="}"#)
                .await
                .expect("text"),
            "é"
        );
        let bad = text_of(r#"{"path":"a","content_base64":"w6k"}"#)
            .await
            .expect_err("no padding");
        assert_eq!(bad.to_string(), "`content_base64` is not base64");
        assert_eq!(bad.classify().retry(), Retry::No);
    }

    #[tokio::test]
    async fn invalid_utf_8_is_named_with_its_place() {
        let bad = text_of(r#"{"path":"a","content_base64":"YQr/YQ=="}"#)
            .await
            .expect_err("latin-1");
        assert_eq!(
            bad.to_string(),
            "not UTF-8: invalid bytes at offset 2 (line 2 of the text)"
        );
        assert_eq!(bad.classify().category(), Category::ENCODING);
    }

    #[tokio::test]
    async fn a_missing_file_is_the_callers_fault_and_final() {
        let error = text_of("/no/such/file").await.expect_err("missing");
        let failure = error.classify();
        assert_eq!(failure.category(), Category::FILESYSTEM);
        assert_eq!(
            (failure.retry(), failure.fault()),
            (Retry::No, Fault::Caller)
        );
        assert_eq!(failure.severity(1), Severity::Low);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_device_is_not_read() {
        let error = text_of("/dev/zero").await.expect_err("a device");
        assert_eq!(error.to_string(), "`/dev/zero` is not a regular file");
    }

    #[test]
    fn a_file_that_grows_while_we_look_stays_bounded() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), "0123456789A").expect("written");
        let error = read_file(file.path().to_owned(), LIMIT).expect_err("too long");
        assert!(matches!(error, ContentError::Grown { .. }));
    }
}
