//! A tree of names and values, understood: the schema. One reader serves files and variables.

use std::fmt;

use crate::problem::{Problem, Problems};
use crate::settings::counted::Categories;
use crate::settings::document::{ClassifyRule, Document, LogLevel};
use crate::settings::key::{Key, Kind, Value};
use crate::settings::known::Known;
use crate::settings::layer::Layer;
use crate::settings::legacy;
use crate::settings::names::{SECTIONS, Segment, unknown};
use crate::settings::nearest::nearest;
use crate::settings::node::{Member, Node};
use crate::settings::origin::{Level, Origin, Source};
use crate::settings::target::Target;
use crate::settings::value::Raw;

/// Reads trees into a document, one after the other: what a later one says replaces what an earlier
/// one says for the same key.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) known: &'a Known,
    pub(crate) document: &'a mut Document,
    pub(crate) problems: &'a mut Problems,
}

/// Names from the outermost to the innermost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path<'a> {
    outer: Option<&'a Self>,
    name: &'a str,
}

impl Reader<'_> {
    /// All of a file, or of a variable.
    pub(crate) fn document(&mut self, root: &Node) {
        let Raw::Table(members) = &root.raw else {
            return;
        };
        for member in members {
            let path = Path::root(&member.name);
            match &*member.name {
                "defaults" => self.settings(Level::Defaults, None, path, &member.node),
                "categories" => self.named(Level::Categories, path, &member.node),
                "services" => self.named(Level::Services, path, &member.node),
                "sites" => self.named(Level::Sites, path, &member.node),
                "resources" => self.resources(path, &member.node),
                "classify" => self.rules(path, &member.node),
                "telemetry" => self.telemetry(path, &member.node),
                _ if self.legacy_section(path, member) => {}
                name => {
                    let problem = if Key::of_path(name).is_some() {
                        let ours = format!("defaults.{name}");
                        Problem::with("unknown key".into()).nearest(Some(ours))
                    } else {
                        unknown(name, &[SECTIONS, legacy::SECTIONS].concat())
                    };
                    self.tell(path, &member.at, problem);
                }
            }
        }
    }

    /// `[services.NAME]`, `[categories.NAME]` and `[sites."NAME"]`.
    fn named(&mut self, level: Level, path: Path<'_>, node: &Node) {
        let Some(members) = self.table(path, node) else {
            return;
        };
        for member in members {
            let path = path.then(&member.name);
            if let Some(name) = self.name(level, path, member) {
                self.settings(level, Some(&name), path, &member.node);
            }
        }
    }

    /// The name that a table is for, as it is known.
    pub(super) fn name(&mut self, level: Level, path: Path<'_>, member: &Member) -> Option<String> {
        let name = &*member.name;
        let known = self.known;
        match level {
            Level::Sites => {
                if let Some(site) = known.site(name) {
                    return Some(site.operation.clone());
                }
                let message = "no annotated function or policy has this name";
                let problem = Problem::with(message.into())
                    .expected("an operation, a path or `file:line`")
                    .nearest(nearest(name, &known.site_names()));
                self.tell(path, &member.at, problem);
                return None;
            }
            Level::Services => {
                let services = known.services();
                if !services.contains(&name)
                    && let Some(nearest) = nearest(name, &services)
                {
                    let problem = Problem::with("no service has this name".into());
                    self.tell(path, &member.at, problem.nearest(Some(nearest)));
                    return None;
                }
            }
            Level::Categories => {
                if let Some(problem) = self.no_category(name) {
                    self.tell(path, &member.at, problem);
                    return None;
                }
            }
            _ => {}
        }
        if name.is_empty() {
            self.tell(path, &member.at, Problem::with("the name is empty".into()));
            return None;
        }
        Some(name.to_owned())
    }

    /// A table of settings.
    fn settings(&mut self, level: Level, name: Option<&str>, path: Path<'_>, node: &Node) {
        let target = Target { level, name };
        // Known also where nothing is in it.
        self.layer(target);
        let Some(members) = self.table(path, node) else {
            return;
        };
        for member in members {
            self.setting(target, "", path.then(&member.name), member);
        }
    }

    /// One setting, or a table of those below `above`.
    pub(super) fn setting(
        &mut self,
        target: Target<'_>,
        above: &str,
        path: Path<'_>,
        member: &Member,
    ) {
        let name = if above.is_empty() {
            member.name.clone()
        } else {
            format!("{above}.{}", member.name)
        };
        let group = Key::ALL.iter().any(|key| {
            key.path()
                .strip_prefix(&*name)
                .is_some_and(|rest| rest.starts_with('.'))
        });
        let key = Key::of_path(&name).filter(|key| target.takes(*key));
        if group && target.takes_some(&name) {
            match (&member.node.raw, key) {
                (Raw::Table(members), _) => {
                    if let Some(key) = key {
                        self.set(target, key, Value::On, member, path);
                    }
                    for member in members {
                        self.setting(target, &name, path.then(&member.name), member);
                    }
                }
                // `rate_limit = "100/60s"`
                (raw, Some(Key::RateLimit)) if raw.text().is_some_and(|text| text != "off") => {
                    if let Some(limit) = self.value(Kind::Rate, member, path) {
                        self.set(target, Key::RateLimit, Value::On, member, path);
                        self.set(target, Key::Limit, limit, member, path);
                    }
                }
                (_, Some(key)) => {
                    if let Some(value) = self.value(key.kind(), member, path) {
                        self.set(target, key, value, member, path);
                    }
                }
                (raw, None) => {
                    let found = format!("{} where a table is needed", raw.describe());
                    self.tell(path, &member.node.at, Problem::with(found));
                }
            }
        } else if let Some(key) = key {
            if let Some(value) = self.value(key.kind(), member, path) {
                self.set(target, key, value, member, path);
            }
        } else {
            let problem = target.unknown(&name, above, &member.node.raw);
            self.tell(path, &member.at, problem);
        }
    }

    pub(super) fn value(&mut self, kind: Kind, member: &Member, path: Path<'_>) -> Option<Value> {
        match kind.read(&member.node.raw) {
            Ok(Value::Categories(names)) => self.categories(names, member, path),
            Ok(value) => Some(value),
            Err(expected) => {
                let problem = Problem::with(member.node.raw.describe())
                    .expected(expected.what)
                    .nearest(expected.nearest);
                self.tell(path, &member.node.at, problem);
                None
            }
        }
    }

    /// The names, if each is one of a category, known or not near to a known one.
    fn categories(&mut self, names: Categories, member: &Member, path: Path<'_>) -> Option<Value> {
        let before = self.problems.len();
        for name in names.iter() {
            if let Some(problem) = self.no_category(name) {
                let message = format!("there is no category `{name}`");
                self.tell(path, &member.node.at, Problem { message, ..problem });
            }
        }
        (self.problems.len() == before).then_some(Value::Categories(names))
    }

    /// What is wrong with the name of a category.
    fn no_category(&self, name: &str) -> Option<Problem> {
        let known = self.known.category_names();
        let legal = !name.is_empty()
            && name.len() <= 64
            && name
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        let near = nearest(name, &known);
        if known.contains(&name) || (near.is_none() && legal) {
            return None;
        }
        let problem = Problem::with("there is no such category".into()).nearest(near);
        Some(if legal {
            problem
        } else {
            problem.expected("a name of small letters, digits and `_`")
        })
    }

    pub(super) fn set(
        &mut self,
        target: Target<'_>,
        key: Key,
        value: Value,
        member: &Member,
        path: Path<'_>,
    ) {
        let layer = self.layer(target);
        let origin = Origin {
            level: target.level,
            source: member.at.clone(),
        };
        let before = layer.get(key).cloned();
        let before = before.filter(|before| before.value != value);
        layer.set(key, value, origin);
        // A variable that names a number of a part switches it on.
        if let Some(part) = key.part()
            && key != part
            && layer.value(part) != Some(&Value::On)
        {
            let level = target.level;
            let source = member.at.clone();
            layer.set(part, Value::On, Origin { level, source });
        }
        if let Some(before) = before
            && before.origin.source.is_same_file(&member.at)
        {
            let message = format!(
                "{} was written before, at {}",
                before.value, before.origin.source
            );
            self.tell(path, &member.at, Problem::with(message));
        }
    }

    pub(super) fn layer(&mut self, target: Target<'_>) -> &mut Layer {
        let written = &mut self.document.written;
        let tables = match target.level {
            Level::Sites => &mut written.sites,
            Level::Services => &mut written.services,
            Level::Categories => &mut written.categories,
            _ => return &mut written.defaults,
        };
        tables.entry(target.name.unwrap_or_default().to_owned())
    }

    fn resources(&mut self, path: Path<'_>, node: &Node) {
        let Some(members) = self.table(path, node) else {
            return;
        };
        for member in members {
            let raw = &member.node.raw;
            if let Some(limit) = raw.whole().and_then(|whole| u64::try_from(whole).ok()) {
                let limit = (limit, member.at.clone());
                self.document.resources.insert(member.name.clone(), limit);
            } else {
                let expected = "a whole number of at least 0";
                self.wrong(path.then(&member.name), &member.node, expected);
            }
        }
    }

    fn telemetry(&mut self, path: Path<'_>, node: &Node) {
        let Some(members) = self.table(path, node) else {
            return;
        };
        for member in members {
            let path = path.then(&member.name);
            match &*member.name {
                "error_history_limit" => self.history(member, path),
                "log_level" => self.log_level(member, path),
                name => {
                    let problem = unknown(name, &["error_history_limit", "log_level"]);
                    self.tell(path, &member.at, problem);
                }
            }
        }
    }

    fn history(&mut self, member: &Member, path: Path<'_>) {
        let raw = &member.node.raw;
        match raw.whole().and_then(|whole| u32::try_from(whole).ok()) {
            Some(limit) if limit <= MOST_ERRORS => {
                self.document.error_history_limit = Some((limit as usize, member.at.clone()));
            }
            _ => self.wrong(path, &member.node, "a whole number from 0 to 1000000"),
        }
    }

    fn log_level(&mut self, member: &Member, path: Path<'_>) {
        let text = member.node.raw.text();
        if let Some(level) = text.and_then(LogLevel::of) {
            self.document.log_level = Some((level, member.at.clone()));
            return;
        }
        let problem = Problem::with(member.node.raw.describe())
            .expected("one of `off`, `error`, `warn`, `info`, `debug`, `trace`")
            .nearest(text.and_then(|text| nearest(text, &LogLevel::NAMES)));
        self.tell(path, &member.node.at, problem);
    }

    /// `[[classify]]`
    fn rules(&mut self, path: Path<'_>, node: &Node) {
        let Raw::Array(nodes) = &node.raw else {
            self.wrong(path, node, "`[[classify]]`, once for each rule");
            return;
        };
        for node in nodes {
            self.rule(path, node);
        }
    }

    fn rule(&mut self, path: Path<'_>, node: &Node) {
        let Some(members) = self.table(path, node) else {
            return;
        };
        let mut rule = ClassifyRule {
            pattern: String::new(),
            category: String::new(),
            retryable: None,
            source: node.at.clone(),
        };
        let before = self.problems.len();
        for member in members {
            let path = path.then(&member.name);
            let raw = &member.node.raw;
            match (&*member.name, raw) {
                ("pattern", Raw::Text(text)) if !text.trim().is_empty() => {
                    rule.pattern.clone_from(text);
                }
                ("pattern", _) => self.wrong(path, &member.node, "a text that is not empty"),
                ("category", Raw::Text(text)) if self.known.category(text).is_some() => {
                    rule.category.clone_from(text);
                }
                ("category", Raw::Text(text)) => {
                    let names = &self.known.category_names();
                    let problem = Problem::with(raw.describe())
                        .expected("a built-in category, or one that an attribute names")
                        .nearest(nearest(text, names));
                    self.tell(path, &member.node.at, problem);
                }
                ("category", _) => self.wrong(path, &member.node, "the name of a category"),
                ("retryable", Raw::Flag(flag)) => rule.retryable = Some(*flag),
                ("retryable", _) => self.wrong(path, &member.node, "`true` or `false`"),
                (name, _) => {
                    let problem = unknown(name, &["pattern", "category", "retryable"]);
                    self.tell(path, &member.at, problem);
                }
            }
        }
        for (name, value) in [("pattern", &rule.pattern), ("category", &rule.category)] {
            if value.is_empty() && self.problems.len() == before {
                let message = format!("a rule needs a `{name}`");
                self.tell(path, &node.at, Problem::with(message));
            }
        }
        if self.problems.len() == before {
            self.document.classify.push(rule);
        }
    }

    pub(super) fn table<'n>(&mut self, path: Path<'_>, node: &'n Node) -> Option<&'n [Member]> {
        if let Raw::Table(members) = &node.raw {
            return Some(members);
        }
        self.wrong(path, node, "a table");
        None
    }

    pub(super) fn wrong(&mut self, path: Path<'_>, node: &Node, expected: &str) {
        let problem = Problem::with(node.raw.describe()).expected(expected);
        self.tell(path, &node.at, problem);
    }

    /// Adds what is wrong with what is written there, under this path.
    pub(super) fn tell(&mut self, path: Path<'_>, at: &Source, problem: Problem) {
        self.problems.push(Problem {
            key: Some(path.to_string()),
            source: Some(at.clone()),
            ..problem
        });
    }
}

impl<'a> Path<'a> {
    const fn root(name: &'a str) -> Self {
        Self { outer: None, name }
    }

    pub(super) const fn then<'b>(&'b self, name: &'b str) -> Path<'b> {
        Path {
            outer: Some(self),
            name,
        }
    }
}

/// As TOML writes it, names in quotes where need be.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(outer) = self.outer {
            write!(f, "{outer}.")?;
        }
        Segment(self.name).fmt(f)
    }
}

impl Source {
    fn is_same_file(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File { path: a, .. }, Self::File { path: b, .. }) => a == b,
            _ => false,
        }
    }
}

/// What memory for recent errors is enough for anybody.
const MOST_ERRORS: u32 = 1_000_000;
