//! What is wrong between settings, and between settings and the sites that they are for.

use crate::problem::{Problem, Problems};
use crate::settings::counted::Counted;
use crate::settings::key::{Key, Owner, Value};
use crate::settings::known::{Known, KnownSite};
use crate::settings::layer::{Entry, Layer};
use crate::settings::names::Segment;
use crate::settings::origin::{Level, Origin, Source};
use crate::settings::resolve::{ANSWERING, Written};
use crate::settings::shared::merge;
use crate::sorted::Sorted;

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
    let lacks = lacks(written, known);
    for lack in lacks.iter().filter(|lack| lack.level == Level::Services) {
        let layer = written.services.get(lack.service);
        if let Some(entry) = layer.and_then(|layer| layer.get(lack.need.key)) {
            let table = path(Level::Services, lack.service);
            problems.push(problem(&table, lack.need.key, entry, lack.need.message));
        }
    }
    for need in &NEEDS {
        let by_default = |lack: &&Lack<'_>| lack.level == Level::Defaults && lack.need == need;
        let services = lacks.iter().filter(by_default);
        let services: Vec<_> = services.map(|lack| format!("`{}`", lack.service)).collect();
        if let (Some(entry), false) = (written.defaults.get(need.key), services.is_empty()) {
            let (services, lacking) = (services.join(", "), need.message);
            let message = format!("for {services} {lacking}, here or for the service");
            problems.push(problem(Level::Defaults.as_str(), need.key, entry, &message));
        }
    }
}

/// What attributes lack that nothing else says either. It may still come, so nothing fails for it.
pub(crate) fn lacking(written: &Written, known: &Known) -> Vec<Problem> {
    let mut problems = Vec::new();
    for Lack {
        need,
        service,
        level,
    } in lacks(written, known)
    {
        if level != Level::Attribute {
            continue;
        }
        let writers = known.sites.iter().filter(|site| site.service == service);
        let writers = writers.filter(|site| need.is_written_by(site));
        let places = writers.map(|site| site.place).collect();
        let key = format!("{}.{}", path(Level::Services, service), need.key.path());
        let message = format!("{}, so that it does nothing", need.message);
        problems.push(Problem {
            key: Some(key),
            ..Problem::between(message, places)
        });
    }
    problems
}

/// Every table with its path.
fn tables(written: &Written) -> Vec<(String, &Layer)> {
    let mut all = Vec::new();
    for (level, tables) in [
        (Level::Sites, &written.sites),
        (Level::Services, &written.services),
        (Level::Categories, &written.categories),
    ] {
        all.extend(
            tables
                .iter()
                .map(|(name, layer)| (path(level, name), layer)),
        );
    }
    all.push((Level::Defaults.to_string(), &written.defaults));
    all
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
    if let (Some(name), Some(entry)) = (Counted::of(layer).clash(), layer.get(Key::Record)) {
        let message = format!("`{name}` is also in `ignore`: write it in one of them");
        problems.push(problem(table, Key::Record, entry, &message));
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
    for &(key, ref entry) in layer.iter() {
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
#[derive(Debug, PartialEq)]
struct Need {
    key: Key,
    needed: &'static [Key],
    message: &'static str,
}

/// A service that has the key of a need, not the needed one, and some use for it.
struct Lack<'a> {
    need: &'static Need,
    service: &'a str,
    /// Of the key.
    level: Level,
}

/// What services lack, all levels taken together.
fn lacks<'a>(written: &'a Written, known: &'a Known) -> Vec<Lack<'a>> {
    // Those of the sites come first, so that positions among them are those of the sites.
    let of_sites = known.sites.iter().map(|site| &*site.service);
    let written_for = written.services.iter().map(|(name, _)| &**name);
    let mut lacks = Vec::new();
    for &(service, ref positions) in &Sorted::positions(of_sites.chain(written_for)) {
        let sites = positions.iter().filter_map(|at| known.sites.get(*at));
        let attributes: Vec<Layer> = sites.map(attribute).collect();
        let holds = written.service(service, &merge(&attributes).layer);
        for need in &NEEDS {
            let part = need.key.part().unwrap_or(need.key);
            let is_used = attributes.is_empty() || !attributes.iter().all(|it| it.is_off(part));
            let is_met = need.needed.iter().any(|key| holds.get(*key).is_some());
            if let Some(entry) = holds.get(need.key)
                && is_used
                && !is_met
                && !holds.is_off(part)
            {
                let level = entry.origin.level;
                lacks.push(Lack {
                    need,
                    service,
                    level,
                });
            }
        }
    }
    lacks
}

impl Need {
    fn is_written_by(&self, site: &KnownSite) -> bool {
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

static NEEDS: [Need; 4] = [
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
