//! What is wrong between settings, and between settings and the sites that they are for.

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
    for name in written.services.keys() {
        of_service(name, written, known, problems);
    }
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
    let attribute = Layer::of(&site.options, &Origin::attribute(site.place));
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

/// What a service's numbers lack, all levels taken together.
fn of_service(name: &str, written: &Written, known: &Known, problems: &mut Problems) {
    let sites = known.sites.iter().filter(|site| site.service == name);
    let attributes = merge(
        sites.map(|site| Layer::of(&site.options, &Origin::attribute(site.place))),
        |_, _| {},
    );
    let service = written.service(name, &attributes);
    let table = path(Level::Services, name);
    let lacks = [
        (
            Key::RateLimit,
            Key::Limit,
            "nothing says how many: write `limit`",
        ),
        (
            Key::SlowCallRateThreshold,
            Key::SlowCallDuration,
            "nothing says what is slow: write `slow_call_duration`",
        ),
    ];
    for (key, needed, message) in lacks {
        let Some(entry) = service.get(key) else {
            continue;
        };
        let ours = entry.origin.level == Level::Services && entry.value != Value::Off;
        if ours && service.get(needed).is_none() {
            problems.push(problem(&table, key, entry, message));
        }
    }
}

fn problem(table: &str, key: Key, entry: &Entry, message: &str) -> Problem {
    let source: Source = entry.origin.source.clone();
    Problem::new(format!("{table}.{}", key.path()), message).at(source)
}
