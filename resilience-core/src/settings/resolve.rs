//! Which of several written values holds. [`Written::site`] and [`Written::service`] are the only
//! places that know the order.

use crate::options::Options;
use crate::settings::counted::Counted;
use crate::settings::key::{Key, Owner, Value};
use crate::settings::layer::{Entry, Layer};
use crate::settings::origin::{Level, Origin};
use crate::settings::table::{LIBRARY, Profile};
use crate::settings::{BreakerSettings, ServiceSettings, SiteSettings};
use crate::sorted::Sorted;

/// What is written outside of attributes, by table.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Written {
    pub(crate) sites: Sorted<String, Layer>,
    pub(crate) services: Sorted<String, Layer>,
    pub(crate) categories: Sorted<String, Layer>,
    pub(crate) defaults: Layer,
}

/// A site, as far as its settings depend on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) options: &'a Options,
    pub(crate) operation: &'a str,
    pub(crate) service: &'a str,
    pub(crate) origin: &'a Origin,
}

/// The effective settings of a site, each with its origin.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    /// What holds; for retries and backoff, what holds for errors of every category.
    pub(crate) layer: Layer,
    /// Retries and backoff where neither `layer` nor a category says anything.
    pub(crate) below: Layer,
    /// What would hold, but cannot here, and why.
    pub(crate) inapplicable: Vec<(Key, Entry, &'static str)>,
}

impl Written {
    /// What the sites of a service share. `attributes` is what its sites wrote, merged.
    pub(crate) fn service(&self, name: &str, attributes: &Layer) -> Layer {
        let profile = profile(name);
        let library = library();
        let services = self.services.get(name);
        let order = [
            services,
            Some(attributes),
            Some(&self.defaults),
            profile.as_ref(),
            Some(&library),
        ];
        let mut resolved = Layer::default();
        for &key in Key::ALL {
            if key.owner() == Owner::Site {
                continue;
            }
            // A site's own `off` is not the service's.
            let first = order.iter().flatten().find_map(|layer| {
                let entry = layer.get(key)?;
                let of_a_site = entry.origin.level == Level::Attribute;
                (!(of_a_site && entry.value == Value::Off)).then_some(entry)
            });
            if let Some(entry) = first {
                resolved.copy(key, entry);
            }
        }
        // Of the two ways to open, the one written nearer holds.
        let level = |key| resolved.get(key).map(|entry| entry.origin.level);
        if let (Some(rate), Some(row)) = (
            level(Key::FailureRateThreshold),
            level(Key::FailureThreshold),
        ) && row < rate
        {
            resolved.remove(Key::FailureRateThreshold);
        }
        set_apart(&mut resolved);
        complete(&mut resolved);
        resolved
    }

    /// What holds for a site; `service` is what its service's sites share.
    pub(crate) fn site(&self, site: Subject<'_>, service: &Layer) -> Resolved {
        let attribute = Layer::of(site.options, site.origin);
        let profile = profile(site.service);
        let library = library();
        let sites = self.sites.get(site.operation);
        let services = self.services.get(site.service);
        let above = [sites, services, Some(&attribute)];
        let below = [Some(&self.defaults), profile.as_ref()];

        let mut resolved = Resolved {
            layer: Layer::default(),
            below: Layer::default(),
            inapplicable: Vec::new(),
        };
        for &key in Key::ALL {
            let own = attribute.get(key).filter(|entry| entry.value == Value::Off);
            let of_site = sites.and_then(|layer| layer.get(key));
            let found = match key.owner() {
                Owner::Service => of_site.or_else(|| service.get(key)),
                Owner::Site => first(&above, key),
            };
            if let Some(own) = own {
                let elsewhere = [sites, services, below[0], below[1]];
                if let Some(entry) =
                    first(&elsewhere, key).filter(|entry| entry.value != Value::Off)
                {
                    let why = "the attribute says `off`";
                    resolved.inapplicable.push((key, entry.clone(), why));
                }
                resolved.layer.copy(key, own);
                continue;
            }
            let spread = Key::RETRY.contains(&key);
            let found = match (found, key.owner()) {
                (None, Owner::Site) if !spread => first(&below, key).or_else(|| library.get(key)),
                (found, _) => found,
            };
            if let Some(entry) = found {
                resolved.layer.copy(key, entry);
            } else if spread && let Some(entry) = first(&below, key).or_else(|| library.get(key)) {
                resolved.below.copy(key, entry);
            }
        }
        agree(&mut resolved.layer);
        agree(&mut resolved.below);
        resolved.fit(site, &attribute);
        resolved
    }

    /// The settings that the calls of a site read.
    pub(crate) fn settings(&self, site: Subject<'_>, service: &Layer) -> SiteSettings {
        let resolved = self.site(site, service);
        SiteSettings::of(site.options, &resolved, &self.categories)
    }

    /// What the shared state of a service reads.
    pub(crate) fn service_settings(&self, name: &str, attributes: &Layer) -> ServiceSettings {
        ServiceSettings::of(&self.service(name, attributes))
    }
}

impl Resolved {
    /// Takes away what the site cannot have.
    fn fit(&mut self, site: Subject<'_>, attribute: &Layer) {
        if site.options.one_attempt {
            for &key in Key::RETRY {
                let none = (key == Key::Retries).then_some(Value::Count(0));
                self.refuse(key, none, site, "written with one attempt");
            }
        }
        if site.options.silent {
            let why = "the error type cannot carry an answer of the runtime";
            for &key in ANSWERING {
                if attribute.get(key).is_none() && !self.layer.is_off(key) {
                    self.refuse(key, Some(Value::Off), site, why);
                }
            }
        }
    }

    fn refuse(&mut self, key: Key, instead: Option<Value>, site: Subject<'_>, why: &'static str) {
        let found = [&self.layer, &self.below]
            .into_iter()
            .find_map(|layer| layer.get(key).cloned());
        self.below.remove(key);
        match instead {
            Some(value) => self.layer.set(key, value, site.origin.clone()),
            None => self.layer.remove(key),
        }
        if let Some(entry) = found
            && !matches!(entry.origin.level, Level::Attribute | Level::Library)
        {
            self.inapplicable.push((key, entry, why));
        }
    }
}

/// Of an initial delay above the longest one, which were written at two levels, the nearer holds.
fn agree(site: &mut Layer) {
    let (Some(initial), Some(max)) = (site.get(Key::Initial), site.get(Key::Max)) else {
        return;
    };
    let (initial, max) = (initial.clone(), max.clone());
    if site.duration(Key::Initial) <= site.duration(Key::Max) {
        return;
    }
    if initial.origin.level < max.origin.level {
        site.set(Key::Max, initial.value, initial.origin);
    } else {
        site.set(Key::Initial, max.value, max.origin);
    }
}

/// Of a category that two levels put in different lists, the nearer holds.
fn set_apart(service: &mut Layer) {
    let counted = Counted::of(service);
    let (Some(ignore), Some(record), Some(_)) = (
        service.get(Key::Ignore),
        service.get(Key::Record),
        counted.clash(),
    ) else {
        return;
    };
    let (farther, entry) = if record.origin.level < ignore.origin.level {
        (Key::Ignore, ignore)
    } else {
        (Key::Record, record)
    };
    let origin = entry.origin.clone();
    if let Some(rest) = counted.apart(farther) {
        service.set(farther, Value::Categories(rest), origin);
    }
}

/// Leaves out the numbers that have no effect beside the others, and adds what the others need.
fn complete(service: &mut Layer) {
    let by_rate = service.get(Key::FailureRateThreshold).is_some();
    let by_time = service.get(Key::SlowCallDuration).is_some();
    if by_rate {
        service.remove(Key::FailureThreshold);
        service.remove(Key::DistinctCalls);
    }
    let default = BreakerSettings::DEFAULT;
    let mut defaults = Vec::new();
    if by_rate || by_time {
        defaults.push((Key::Window, Value::Window(default.window)));
        // No more than the window holds, whichever of them was written nearer.
        let minimum = BreakerSettings::new(service.breaker(), default).minimum_calls;
        if let (Some(written), Some(window)) = (
            service.count(Key::MinimumCalls),
            service.get(Key::Window).cloned(),
        ) && written != minimum
        {
            service.set(Key::MinimumCalls, Value::Count(minimum), window.origin);
        }
        defaults.push((Key::MinimumCalls, Value::Count(minimum)));
    } else {
        for key in [Key::Window, Key::MinimumCalls] {
            // Written for all, it is for those of which shares are taken.
            if service
                .get(key)
                .is_some_and(|entry| entry.origin.level > Level::Attribute)
            {
                service.remove(key);
            }
        }
    }
    if by_time {
        let all = Value::Number(default.slow_call_rate_threshold);
        defaults.push((Key::SlowCallRateThreshold, all));
    }
    if let Some(&Value::Rate(limit, _)) = service.value(Key::Limit) {
        defaults.push((Key::Burst, Value::Count(limit)));
    }
    for (key, value) in defaults {
        if service.get(key).is_none() {
            service.set(key, value, Origin::built_in(Level::Library));
        }
    }
}

fn first<'a>(layers: &[Option<&'a Layer>], key: Key) -> Option<&'a Entry> {
    layers.iter().flatten().find_map(|layer| layer.get(key))
}

fn profile(service: &str) -> Option<Layer> {
    let profile = Profile::of(service)?;
    Some(Layer::of(
        &profile.options,
        &Origin::built_in(Level::Profile),
    ))
}

fn library() -> Layer {
    let origin = Origin::built_in(Level::Library);
    let mut library = Layer::of(&LIBRARY, &origin);
    // These have numbers for whoever switches them on.
    library.set(Key::RateLimit, Value::Off, origin.clone());
    library.set(Key::Bulkhead, Value::Off, origin.clone());
    library.set(Key::Enabled, Value::Flag(true), origin);
    library
}

/// The parts through which the runtime answers instead of the body.
pub(crate) const ANSWERING: &[Key] = &[
    Key::Timeout,
    Key::Deadline,
    Key::Breaker,
    Key::RateLimit,
    Key::Bulkhead,
];
