//! Loading: sources in order, one document out of them, all problems at once.

use std::fmt;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;

use crate::classify::Rules;
use crate::problem::{Problem, Problems};
use crate::settings::check::check;
use crate::settings::document::Document;
use crate::settings::env::{self, Variables};
use crate::settings::known::Known;
use crate::settings::origin::Source;
use crate::settings::read::Reader;
use crate::{Classification, Retry};

/// Settings as they were loaded, checked, to be [applied](crate::Runtime::apply) to a runtime.
///
/// ```
/// # fn main() -> Result<(), resilience_core::Problems> {
/// use resilience_core::{Runtime, Settings};
///
/// let settings = Settings::loader()
///     .text("example", "[services.weaviate]\nretries = 3\n")
///     .load()?;
/// Runtime::new().apply(&settings);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Settings(Arc<Loaded>);

struct Loaded {
    document: Document,
    /// Out of `[[classify]]`, if there are any.
    rules: Option<Arc<Rules>>,
    loader: Loader,
    /// Of everything that was read.
    fingerprint: u64,
}

/// Where settings come from. For a key that several of them name, the last one counts: files in the
/// order in which they are added, then variables with a prefix, then those of this crate's own name,
/// whenever these are added.
#[derive(Clone, Default)]
#[must_use = "nothing is loaded before `load`"]
pub struct Loader {
    texts: Vec<Text>,
    prefixes: Vec<String>,
    env: bool,
    /// Instead of the process's.
    variables: Option<Variables>,
}

#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "toml"), allow(dead_code, reason = "nobody gives one"))]
enum Text {
    File(PathBuf),
    Given { name: Arc<str>, text: Arc<str> },
}

impl Settings {
    /// No settings but those of attributes and what ships.
    pub fn new() -> Self {
        Self::none_of(Self::loader())
    }

    /// None yet, of sources that a reload reads again.
    pub(crate) fn none_of(loader: Loader) -> Self {
        Self(Arc::new(Loaded {
            document: Document::default(),
            rules: None,
            loader,
            fingerprint: DefaultHasher::new().finish(),
        }))
    }

    /// Settings out of files and variables.
    pub fn loader() -> Loader {
        Loader::default()
    }

    /// What a program has that says nothing about its settings: the file that `RESILIENCE_CONFIG`
    /// names, if it does, and the variables `RESILIENCE__..` and `RESILIENCE_SET`.
    ///
    /// # Errors
    ///
    /// Every problem there is, as of [`Loader::load`].
    pub fn from_env() -> Result<Self, Problems> {
        Self::loader().env().load()
    }

    /// The settings of a TOML file.
    ///
    /// # Errors
    ///
    /// Every problem there is, as of [`Loader::load`].
    #[cfg(feature = "toml")]
    pub fn from_file(path: impl Into<PathBuf>) -> Result<Self, Problems> {
        Self::loader().file(path).load()
    }

    pub(crate) fn document(&self) -> &Document {
        &self.0.document
    }

    /// How many keys are written.
    pub(crate) fn keys(&self) -> usize {
        let written = &self.0.document.written;
        let mut keys = written.defaults.len();
        for tables in [&written.sites, &written.services, &written.categories] {
            keys += tables.iter().map(|(_, layer)| layer.len()).sum::<usize>();
        }
        keys
    }

    pub(crate) fn rules(&self) -> Option<&Arc<Rules>> {
        self.0.rules.as_ref()
    }

    pub(crate) fn loader_used(&self) -> &Loader {
        &self.0.loader
    }

    pub(crate) fn fingerprint(&self) -> u64 {
        self.0.fingerprint
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("loader", &self.0.loader)
            .finish_non_exhaustive()
    }
}

impl Loader {
    /// A TOML file. Where `RESILIENCE_CONFIG` names one and [`env`](Self::env) is asked for, that
    /// one is read instead.
    #[cfg(feature = "toml")]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.texts.push(Text::File(path.into()));
        self
    }

    /// TOML in memory, with a name for problems and origins.
    #[cfg(feature = "toml")]
    pub fn text(mut self, name: &str, text: &str) -> Self {
        self.texts.push(Text::Given {
            name: name.into(),
            text: text.into(),
        });
        self
    }

    /// The variables `RESILIENCE_CONFIG`, `RESILIENCE__..` and `RESILIENCE_SET`.
    pub fn env(mut self) -> Self {
        self.env = true;
        self
    }

    /// The seven variables of an application, under this prefix: `MAX_RETRY_ATTEMPTS`,
    /// `RETRY_BASE_DELAY`, `RETRY_MAX_DELAY`, `CB_FAILURE_THRESHOLD`, `CB_RECOVERY_TIMEOUT`,
    /// `ERROR_HISTORY_LIMIT` and `LOG_LEVEL`. Upper and lower case matter.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefixes.push(prefix.into());
        self
    }

    /// Variables to read instead of the process's own.
    pub fn variables<N: Into<String>, V: Into<String>>(
        mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let variables = variables.into_iter();
        self.variables = Some(
            variables
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        );
        self
    }

    /// Reads everything and checks it. This blocks for as long as reading the file takes.
    ///
    /// # Errors
    ///
    /// Every problem there is; nothing is half-applied.
    pub fn load(self) -> Result<Settings, Problems> {
        self.read(None)
    }

    /// As [`load`](Self::load), in a program that has settings of this fingerprint already: a file
    /// that has become empty is one that somebody is about to write.
    pub(crate) fn read(self, before: Option<u64>) -> Result<Settings, Problems> {
        let known = Known::now();
        let variables = self.variables.clone().unwrap_or_else(env::of_process);
        let mut document = Document::default();
        let mut problems = Problems::new();
        let mut reader = Reader {
            known: &known,
            document: &mut document,
            problems: &mut problems,
        };
        let mut hasher = DefaultHasher::new();
        let mut empty = Vec::new();
        for text in self.sources(&variables) {
            let Some((name, text)) = text.read(reader.problems) else {
                continue;
            };
            text.hash(&mut hasher);
            if text.trim().is_empty() {
                empty.push(of_file("is empty", &name));
            }
            read_text(&text, &name, &mut reader);
        }
        for prefix in &self.prefixes {
            env::read_prefixed(&variables, prefix, &mut reader);
        }
        if self.env {
            env::read_keys(&variables, &mut reader);
        }
        self.relevant(&variables)
            .for_each(|it| it.hash(&mut hasher));
        let fingerprint = hasher.finish();
        if before.is_some_and(|before| before != fingerprint) {
            problems.extend(empty);
        }
        check(&document.written, &known, &mut problems);
        problems.sort();
        problems.into_result()?;
        Ok(Settings(Arc::new(Loaded {
            rules: rules(&document, &known),
            document,
            loader: self,
            fingerprint,
        })))
    }

    /// The files that are read.
    #[cfg(feature = "watch")]
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let variables = self.variables.clone().unwrap_or_else(env::of_process);
        let files = self.sources(&variables).into_iter();
        files
            .filter_map(|text| match text {
                Text::File(path) => Some(path),
                Text::Given { .. } => None,
            })
            .collect()
    }

    /// The variables that make a difference.
    fn relevant<'a>(
        &'a self,
        variables: &'a Variables,
    ) -> impl Iterator<Item = &'a (String, String)> {
        variables.iter().filter(|(name, _)| {
            let prefixed = |prefix: &String| name.starts_with(prefix.as_str());
            (self.env && env::is_ours(name)) || self.prefixes.iter().any(prefixed)
        })
    }

    fn sources(&self, variables: &Variables) -> Vec<Text> {
        let named = variables
            .iter()
            .filter(|_| self.env)
            .find(|(name, value)| name == env::CONFIG && !value.is_empty());
        let mut texts = self.texts.clone();
        if let Some((_, path)) = named {
            texts.retain(|text| !matches!(text, Text::File(_)));
            texts.push(Text::File(path.into()));
        }
        texts
    }
}

impl fmt::Debug for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the variables: a process has secrets there.
        f.debug_struct("Loader")
            .field("texts", &self.texts)
            .field("prefixes", &self.prefixes)
            .field("env", &self.env)
            .finish_non_exhaustive()
    }
}

impl Text {
    /// Its name, and what is in it.
    fn read(&self, problems: &mut Problems) -> Option<(Arc<str>, Arc<str>)> {
        let path = match self {
            Self::Given { name, text } => return Some((Arc::clone(name), Arc::clone(text))),
            Self::File(path) => path,
        };
        let name: Arc<str> = path.display().to_string().into();
        let mut wrong = |message: &str| {
            problems.push(of_file(message, &name));
            None
        };
        let mut bytes = Vec::new();
        let file = File::open(path).map(|file| file.take(LARGEST + 1));
        if let Err(error) = file.and_then(|mut file| file.read_to_end(&mut bytes)) {
            return wrong(&format!("cannot be read: {error}"));
        }
        if bytes.len() as u64 > LARGEST {
            return wrong("is larger than 1 MiB");
        }
        let Ok(text) = String::from_utf8(bytes) else {
            return wrong("is no text in UTF-8");
        };
        Some((name, text.into()))
    }
}

/// What is wrong with all of a file.
fn of_file(message: &str, name: &Arc<str>) -> Problem {
    Problem::with(message.to_owned()).at(Source::File {
        path: Arc::clone(name),
        line: 1,
        column: 1,
    })
}

#[cfg(feature = "toml")]
fn read_text(text: &str, name: &Arc<str>, reader: &mut Reader<'_>) {
    let root = super::toml::parse(text, name, reader.problems);
    reader.document(&root);
}

#[cfg(not(feature = "toml"))]
fn read_text(_: &str, name: &Arc<str>, reader: &mut Reader<'_>) {
    let problem = Problem::new(
        &**name,
        "reading TOML needs the feature `toml` of `resilience`",
    );
    reader.problems.push(problem);
}

/// The rules of a document. Their categories have been checked.
fn rules(document: &Document, known: &Known) -> Option<Arc<Rules>> {
    if document.classify.is_empty() {
        return None;
    }
    let rules = document.classify.iter().filter_map(|rule| {
        let category = known.category(&rule.category)?;
        let reason = format!("rule at {}: `{}`", rule.source, rule.pattern);
        let classification = Classification::new(category).with_reason(reason);
        let classification = match rule.retryable {
            Some(true) => classification.with_retry(Retry::Yes),
            Some(false) => classification.with_retry(Retry::No),
            None => classification,
        };
        Some((&*rule.pattern, classification))
    });
    Some(Arc::new(Rules::of(rules)))
}

/// Who writes more has taken the wrong file.
const LARGEST: u64 = 1 << 20;
