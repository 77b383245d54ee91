//! What is wrong between settings, and between settings and the sites that they are for.

use std::collections::BTreeSet;

use crate::problem::{Problem, Problems};
use crate::settings::key::{Key, Owner, Value};
use crate::settings::known::{Known, KnownSite};
use crate::settings::layer::{Entry, Layer};
use crate::settings::names::Segment;
use crate::settings::origin::{Level, Origin, Source};
use crate::settings::resolve::{ANSWERING, Written};
use crate::settings::shared::merge;

/// Checks all that was read, by itself and against the known sites.
pub(crate) fn check(written: &Written, known: &Known, problems: &mut Problems) {
    for (table, layer) in tables(written) {
        contradictions(&table, layer, problems);
    }
    for (name, layer) in &written.sites {
        for site in known.sites.iter().filter(|site| site.operation == *name) {
            of_site(site, layer, problems);
        }
    }
    for need in NEEDS {
        need.check(written, known, problems);
    }
}

/// What attributes lack that nothing else says either. It may still come, so nothing fails for it.
pub(crate) fn lacking(written: &Written, known: &Known) -> Vec<Problem> {
    let mut problems = Vec::new();
    for need in NEEDS {
        for (name, level) in need.lacking(written, known) {
            if level != Level::Attribute {
                continue;
            }
            let writers = known.sites.iter().filter(|site| site.service == name);
            let writers = writers.filter(|site| need.is_written_by(site));
            let places = writers.map(|site| site.place).collect();
            let key = format!("{}.{}", path(Level::Services, &name), need.key.path());
            let message = format!("{}, so that it does nothing", need.message);
            problems.push(Problem {
                key: Some(key),
                ..Problem::between(message, places)
            });
        }
    }
    problems
}

/// Every table with its path.
fn tables(written: &Written) -> impl Iterator<Item = (String, &Layer)> {
    let named = [
        (Level::Sites, &written.sites),
        (Level::Services, &written.services),
        (Level::Categories, &written.categories),
    ];
    let named = named.into_iter().flat_map(|(level, tables)| {
        tables
            .iter()
            .map(move |(name, layer)| (path(level, name), layer))
    });
    named.chain([(Level::Defaults.to_string(), &written.defaults)])
}

fn path(level: Level, name: &str) -> String {
    format!("{level}.{}", Segment(name))
}

/// Two values of one table that cannot hold together.
fn contradictions(table: &str, layer: &Layer, problems: &mut Problems) {
    if let Some(entry) = layer
        .get(Key::Breaker)
        .filter(|entry| entry.value == Value::On)
        && let Some(clash) = layer.breaker().clash()
    {
        problems.push(problem(table, Key::Breaker, entry, clash));
    }
    if let (Some(initial), Some(max)) = (layer.duration(Key::Initial), layer.duration(Key::Max))
        && initial > max
        && let Some(entry) = layer.get(Key::Initial)
    {
        let message = format!("{initial:?} is above `max`, which is {max:?}");
        problems.push(problem(table, Key::Initial, entry, &message));
    }
}

/// What is written for a site that cannot have it.
fn of_site(site: &KnownSite, layer: &Layer, problems: &mut Problems) {
    let table = path(Level::Sites, &site.operation);
    let attribute = attribute(site);
    for (key, entry) in layer.iter() {
        let place = site.place;
        let off = attribute.is_off(key) || key.part().is_some_and(|part| attribute.is_off(part));
        let answers = ANSWERING.contains(&key.part().unwrap_or(key));
        let message = if key.owner() == Owner::Service && entry.value != Value::Off {
            // `rate_limit = ".."` and a table say it twice: once is enough.
            if entry.value == Value::On {
                continue;
            }
            format!(
                "it is shared by all of the service: write it under `[services.{}]`",
                site.service
            )
        } else if off && entry.value != Value::Off {
            format!("the attribute says `off`, which no setting undoes ({place})")
        } else if site.options.one_attempt && Key::RETRY.contains(&key) {
            if entry.value == Value::Count(0) {
                continue;
            }
            format!("the function is written with one attempt, so nothing is retried ({place})")
        } else if site.options.silent && answers && entry.value != Value::Off {
            format!("the function's error type cannot carry such an answer ({place})")
        } else {
            continue;
        };
        problems.push(problem(&table, key, entry, &message));
    }
}

/// A key that does nothing without one of others.
#[derive(Clone, Copy)]
struct Need {
    key: Key,
    needed: &'static [Key],
    message: &'static str,
}

impl Need {
    /// What is written under `[services]` and `[defaults]` must not lack anything, all levels taken
    /// together.
    fn check(self, written: &Written, known: &Known, problems: &mut Problems) {
        let mut by_default = Vec::new();
        for (name, level) in self.lacking(written, known) {
            match (level, written.services.get(&name)) {
                (Level::Services, Some(layer)) => {
                    if let Some(entry) = layer.get(self.key) {
                        let table = path(Level::Services, &name);
                        problems.push(problem(&table, self.key, entry, self.message));
                    }
                }
                (Level::Defaults, _) => by_default.push(format!("`{name}`")),
                _ => {}
            }
        }
        if let (Some(entry), false) = (written.defaults.get(self.key), by_default.is_empty()) {
            let message = format!(
                "for {} {}, here or for the service",
                by_default.join(", "),
                self.message
            );
            problems.push(problem(Level::Defaults.as_str(), self.key, entry, &message));
        }
    }

    /// The services that have the key, not the needed one, and some use for it, each with the level
    /// of the key.
    fn lacking(self, written: &Written, known: &Known) -> Vec<(String, Level)> {
        let part = self.key.part().unwrap_or(self.key);
        let of_sites = known.sites.iter().map(|site| &site.service);
        let names: BTreeSet<&String> = written.services.keys().chain(of_sites).collect();
        let lacking = names.into_iter().filter_map(|name| {
            let sites = known.sites.iter().filter(|site| site.service == *name);
            let attributes: Vec<Layer> = sites.map(attribute).collect();
            let is_used = attributes.is_empty() || !attributes.iter().all(|it| it.is_off(part));
            let service = written.service(name, &merge(attributes, |_, _| {}));
            let entry = service.get(self.key)?;
            let lacks = self.needed.iter().all(|key| service.get(*key).is_none());
            let lacks = is_used && !service.is_off(part) && lacks;
            lacks.then(|| (name.clone(), entry.origin.level))
        });
        lacking.collect()
    }

    fn is_written_by(self, site: &KnownSite) -> bool {
        let attribute = attribute(site);
        attribute.get(self.key).is_some() && !attribute.is_off(self.key)
    }
}

fn attribute(site: &KnownSite) -> Layer {
    Layer::of(&site.options, &Origin::attribute(site.place))
}

fn problem(table: &str, key: Key, entry: &Entry, message: &str) -> Problem {
    let source: Source = entry.origin.source.clone();
    Problem::new(format!("{table}.{}", key.path()), message).at(source)
}

const NEEDS: [Need; 4] = [
    Need {
        key: Key::RateLimit,
        needed: &[Key::Limit],
        message: "nothing says how many: write `limit`",
    },
    Need {
        key: Key::SlowCallRateThreshold,
        needed: &[Key::SlowCallDuration],
        message: "nothing says what is slow: write `slow_call_duration`",
    },
    Need {
        key: Key::Window,
        needed: &SHARES,
        message: NO_SHARE,
    },
    Need {
        key: Key::MinimumCalls,
        needed: &SHARES,
        message: NO_SHARE,
    },
];

const SHARES: [Key; 2] = [Key::FailureRateThreshold, Key::SlowCallDuration];
const NO_SHARE: &str =
    "no share is taken of it: write `failure_rate_threshold` or `slow_call_duration`";
