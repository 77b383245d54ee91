//! What applies where, and why: the settings of every site, each with its origin.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::Category;
use crate::problem::{Problem, Problems};
use crate::runtime::Runtime;
use crate::settings::SiteSettings;
use crate::settings::key::{Key, Value};
use crate::settings::layer::{Entry, Layer};
use crate::settings::origin::{Level, Origin, Source};
use crate::settings::resolve::{Resolved, Subject, Written};
use crate::settings::shared::merge;
use crate::settings::table::Row;
use crate::site::{self, AnySite, Place, Site};
use crate::sorted::Sorted;

/// The settings in force, each with its origin. `Display` gives a readable table.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Inspection {
    /// How often settings have been applied, the beginning included.
    pub generation: u64,
    /// Every annotated function, called or not, by file and line, and every policy built so far.
    pub sites: Vec<SiteInspection>,
    /// The limits of named resources.
    pub resources: Vec<Setting>,
    /// `error_history_limit` and `log_level`, where settings say something.
    pub telemetry: Vec<Setting>,
    /// Services that settings name and no annotated function or policy has.
    pub unused_services: Vec<String>,
    /// When settings were last applied or reloaded, with or without success; `None` where those of
    /// the beginning hold.
    pub loaded: Option<SystemTime>,
    /// What was wrong then. The settings before hold in that case.
    pub problems: Vec<Problem>,
}

/// The settings of one annotated function, or of a policy.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SiteInspection {
    /// What `operation = ".."` says, else the path.
    pub operation: String,
    /// `crate::module::Type::method`; of a policy, the operation.
    pub path: String,
    /// The name under which it shares a breaker and settings.
    pub service: String,
    /// Where the attribute stands, or the policy was built.
    pub place: Place,
    /// What holds.
    pub settings: Vec<Setting>,
    /// What is written for it and cannot hold.
    pub inapplicable: Vec<Inapplicable>,
    /// What a call can come to.
    pub worst_case: WorstCase,
}

/// A value in force.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Setting {
    /// The path, as written in settings.
    pub key: String,
    /// For errors of this category, where that matters.
    pub category: Option<String>,
    /// The value, as written in settings.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// A value that a site inherits and cannot have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Inapplicable {
    /// The value.
    pub setting: Setting,
    /// Why it does not hold.
    pub reason: String,
}

/// What a call can come to at most.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct WorstCase {
    /// Attempts.
    pub attempts: u32,
    /// How long all attempts and delays take, apart from fallbacks; `None` where nothing limits an
    /// attempt.
    pub duration: Option<Duration>,
    /// The same where the other side asks for delays as long as `backoff.max` allows.
    pub duration_if_asked: Option<Duration>,
    /// The other sites whose failures open the same breaker.
    pub shares_breaker_with: Vec<String>,
}

impl Runtime {
    /// What applies to every annotated function and policy of the program, and where it comes from.
    pub fn inspect(&self) -> Inspection {
        let live = &self.shared().live;
        let snapshot = live.current();
        let last = live.last();
        let document = snapshot.settings.document();
        let sites = site::known();
        let in_force = self.in_force(&sites, &document.written);
        let services = Sorted::positions(in_force.iter().map(|it| it.site.service()));
        let inspected = |it: &InForce<'_>| {
            let same = services.get(it.site.service()).into_iter().flatten();
            let peers = same.map(|at| &in_force[*at]);
            let peers = peers.filter(|peer| peer.settings.breaker.is_some());
            let peers: Vec<_> = peers.map(|peer| peer.site).collect();
            inspect_site(it, &peers, &document.written)
        };
        let plain = |key: &str, value: String, source: &Source| Setting {
            key: key.to_owned(),
            category: None,
            value,
            origin: Origin {
                level: Level::Defaults,
                source: source.clone(),
            },
        };
        let mut telemetry = Vec::new();
        if let Some((limit, source)) = &document.error_history_limit {
            telemetry.push(plain("error_history_limit", limit.to_string(), source));
        }
        if let Some((level, source)) = &document.log_level {
            telemetry.push(plain("log_level", level.as_str().to_owned(), source));
        }
        let unused = document.written.services.iter();
        let unused = unused.filter(|(name, _)| services.get(&**name).is_none());
        Inspection {
            generation: snapshot.generation,
            sites: in_force.iter().map(inspected).collect(),
            resources: document
                .resources
                .iter()
                .map(|(name, (limit, source))| plain(name, limit.to_string(), source))
                .collect(),
            telemetry,
            unused_services: unused.map(|(name, _)| name.clone()).collect(),
            loaded: last.as_ref().map(|last| last.at),
            problems: last
                .map_or_else(Problems::new, |last| last.problems)
                .into_iter()
                .collect(),
        }
    }

    fn in_force<'a>(&self, sites: &'a [AnySite], written: &Written) -> Vec<InForce<'a>> {
        let mut shared = Sorted::<String, Layer>::new();
        for (service, positions) in &Sorted::positions(sites.iter().map(|site| site.service())) {
            // First what it has heard of its sites so far: of policies, in the order in which
            // they were first run.
            let mut wrote = Vec::from_iter(self.learned(service));
            wrote.extend(positions.iter().map(|at| sites[*at].written()));
            let service = (*service).to_owned();
            let holds = written.service(&service, &merge(&wrote).layer);
            shared.insert(service, holds);
        }
        let in_force = |site: &'a AnySite| {
            let origin = Origin::attribute(site.place());
            let subject = Subject {
                options: site.options(),
                operation: site.operation(),
                service: site.service(),
                origin: &origin,
            };
            // It has the service of every site.
            let shared = shared.get(site.service())?;
            Some(InForce {
                site,
                resolved: written.site(subject, shared),
                settings: written.settings(subject, shared),
            })
        };
        sites.iter().filter_map(in_force).collect()
    }
}

/// What holds for a site.
struct InForce<'a> {
    site: &'a Site,
    resolved: Resolved,
    settings: SiteSettings,
}

/// `peers` are the sites that use the breaker of its service.
fn inspect_site(in_force: &InForce<'_>, peers: &[&Site], written: &Written) -> SiteInspection {
    let InForce {
        site,
        resolved,
        settings,
    } = in_force;
    let mut shown = Vec::new();
    let mut inapplicable = Vec::new();
    let mut refuse = |key, entry: &Entry, reason: &str| {
        inapplicable.push(Inapplicable {
            setting: setting(key, None, entry.value.to_string(), &entry.origin),
            reason: reason.to_owned(),
        });
    };
    for (key, entry, reason) in &resolved.inapplicable {
        refuse(*key, entry, reason);
    }
    for &key in Key::ALL {
        let off = key
            .part()
            .is_some_and(|part| part != key && resolved.layer.value(part) != Some(&Value::On));
        if off || (!settings.enabled && key != Key::Enabled) {
            continue;
        }
        let entry = resolved.layer.get(key);
        if site.options().fail_fast && matches!(key, Key::MaxWait | Key::Queue) {
            if let Some(entry) = entry.filter(|entry| entry.origin.level != Level::Library) {
                refuse(key, entry, "it never waits");
            }
        } else if let Some(entry) = entry {
            shown.push(setting(key, None, entry.value.to_string(), &entry.origin));
        } else if key == Key::Retries || Key::RETRY.contains(&key) && settings.can_retry {
            shown.extend(by_category(key, settings, resolved, written));
        }
    }
    SiteInspection {
        operation: site.operation().to_owned(),
        path: site.path().to_owned(),
        service: site.service().to_owned(),
        place: site.place(),
        worst_case: worst_case(site, peers, settings, written),
        inapplicable,
        settings: shown,
    }
}

fn setting(key: Key, category: Option<&str>, value: String, origin: &Origin) -> Setting {
    Setting {
        key: key.path().to_owned(),
        category: category.map(str::to_owned),
        value,
        origin: origin.clone(),
    }
}

/// A value that depends on the category of the error at hand; one, where it is the same for all.
fn by_category(
    key: Key,
    settings: &SiteSettings,
    resolved: &Resolved,
    written: &Written,
) -> Vec<Setting> {
    let mut all: Vec<Setting> = categories(settings, written)
        .into_iter()
        .map(|category| {
            let retry = settings.retry_named(category);
            let value = match key {
                Key::Retries => Value::Count(retry.retries),
                Key::Initial => Value::Duration(retry.backoff.initial),
                Key::Max => Value::Duration(retry.backoff.max),
                Key::Factor => Value::Number(retry.backoff.factor),
                _ => Value::Jitter(retry.backoff.jitter),
            };
            let origin = origin(key, category, &value, resolved, written);
            setting(key, Some(category), value.to_string(), &origin)
        })
        .collect();
    if let Some((first, rest)) = all.split_first_mut()
        && rest
            .iter()
            .all(|other| (&other.value, &other.origin) == (&first.value, &first.origin))
    {
        first.category = None;
        all.truncate(1);
    }
    all
}

/// Where the value that a key has for errors of a category comes from.
fn origin(
    key: Key,
    category: &str,
    value: &Value,
    resolved: &Resolved,
    written: &Written,
) -> Origin {
    let entry = |key| {
        let named = written.categories.get(category);
        let named = || named.and_then(|layer| layer.get(key));
        let nearest = resolved.layer.get(key).or_else(named);
        nearest.or_else(|| resolved.below.get(key))
    };
    // Of an initial delay above the longest one, the one that gives way is as the other.
    let row = Row::named(category);
    let (other, of_table) = match key {
        Key::Initial => (Key::Max, Some(row.initial)),
        Key::Max => (Key::Initial, Some(row.max)),
        _ => (key, None),
    };
    let gave_way = match entry(key) {
        Some(entry) => entry.value != *value,
        None => of_table.is_some_and(|of_table| Value::Duration(of_table) != *value),
    };
    let found: Option<&Entry> = entry(if gave_way { other } else { key });
    found.map_or_else(
        || Origin::built_in(Level::Table),
        |entry| entry.origin.clone(),
    )
}

/// Those that are retried, and those that settings name.
fn categories<'a>(settings: &SiteSettings, written: &'a Written) -> Vec<&'a str> {
    let mut names: Vec<&str> = RETRIED.iter().map(|category| category.as_str()).collect();
    let own = settings.category.filter(|own| own.is_custom());
    let written = written.categories.iter().map(|(name, _)| name.as_str());
    let all = own.map(Category::as_str).into_iter().chain(written);
    for name in all {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn worst_case(
    site: &Site,
    peers: &[&Site],
    settings: &SiteSettings,
    written: &Written,
) -> WorstCase {
    let mut worst = WorstCase {
        attempts: 1,
        duration: settings.timeout,
        duration_if_asked: settings.timeout,
        shares_breaker_with: Vec::new(),
    };
    let wait = settings.rate_limit.map_or(Duration::ZERO, |limit| {
        if site.options().fail_fast {
            Duration::ZERO
        } else {
            limit.max_wait
        }
    });
    for category in categories(settings, written) {
        let retry = settings.retry_named(category);
        let attempts = retry.retries.saturating_add(1);
        worst.attempts = worst.attempts.max(attempts);
        let Some(timeout) = settings.timeout else {
            continue;
        };
        let running = timeout.saturating_add(wait).saturating_mul(attempts);
        let asked = retry.backoff.max.saturating_mul(retry.retries);
        let duration = running.saturating_add(retry.backoff.longest(retry.retries));
        worst.duration = worst.duration.max(Some(duration));
        worst.duration_if_asked = worst
            .duration_if_asked
            .max(Some(running.saturating_add(asked)));
    }
    if let Some(deadline) = settings.deadline {
        let limited = |duration: Option<Duration>| {
            Some(duration.map_or(deadline, |duration| duration.min(deadline)))
        };
        worst.duration = limited(worst.duration);
        worst.duration_if_asked = limited(worst.duration_if_asked);
    }
    if settings.breaker.is_some() {
        worst.shares_breaker_with = peers
            .iter()
            .filter(|peer| peer.place() != site.place())
            .map(|peer| peer.operation().to_owned())
            .collect();
    }
    worst
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for site in &self.sites {
            writeln!(f, "{site}")?;
        }
        for (name, settings) in [
            ("resources", &self.resources),
            ("telemetry", &self.telemetry),
        ] {
            if !settings.is_empty() {
                writeln!(f, "{name}")?;
                for setting in settings {
                    writeln!(f, "  {setting}")?;
                }
                writeln!(f)?;
            }
        }
        for service in &self.unused_services {
            writeln!(f, "nothing has the service {service:?}")?;
        }
        if !self.problems.is_empty() {
            writeln!(f, "the last load failed; what held before holds:")?;
        }
        for problem in &self.problems {
            writeln!(f, "  {problem}")?;
        }
        Ok(())
    }
}

impl fmt::Display for SiteInspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} ({}), service {}",
            self.operation, self.place, self.service
        )?;
        for setting in &self.settings {
            writeln!(f, "  {setting}")?;
        }
        for Inapplicable { setting, reason } in &self.inapplicable {
            writeln!(f, "  {setting}, not applicable: {reason}")?;
        }
        writeln!(f, "  {}", self.worst_case)
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = match &self.category {
            Some(category) => format!("{} ({category})", self.key),
            None => self.key.clone(),
        };
        write!(f, "{key:<32} {:<14} {}", self.value, self.origin)
    }
}

impl fmt::Display for WorstCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.attempts == 1 { "" } else { "s" };
        write!(f, "worst case: {} attempt{plural}, ", self.attempts)?;
        match (self.duration, self.duration_if_asked) {
            (Some(duration), Some(asked)) if duration < asked => {
                write!(f, "{duration:?} ({asked:?} where asked to wait)")?;
            }
            (Some(duration), _) => write!(f, "{duration:?}")?,
            (None, _) => f.write_str("no limit in time")?,
        }
        if !self.shares_breaker_with.is_empty() {
            write!(
                f,
                "; breaker shared with {}",
                self.shares_breaker_with.join(", ")
            )?;
        }
        Ok(())
    }
}

/// The categories whose errors are retried.
const RETRIED: [Category; 7] = [
    Category::NETWORK,
    Category::SERVICE,
    Category::WEAVIATE,
    Category::RATE_LIMIT,
    Category::TIMEOUT,
    Category::FILESYSTEM,
    Category::UNKNOWN,
];
