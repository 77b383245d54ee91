//! What operators ask of a runtime and set by hand. The breakers' part is in `breaker/handle.rs`.

use crate::bulkhead::Bulkhead;
use crate::problem::Problem;
use crate::rate_limit::RateLimiter;
use crate::runtime::Runtime;
use crate::settings::{Known, lacking};
use crate::site;
use crate::sorted::Sorted;

/// The limits of a service in use.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitSummary {
    /// The service.
    pub service: String,
    /// Attempts that hold a slot of the bulkhead; `None` without one.
    pub running: Option<u32>,
    /// Attempts that wait for a slot.
    pub queued: usize,
    /// Attempts that wait for a permit of the rate limit.
    pub waiting: usize,
}

/// A named resource.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResourceSummary {
    /// Its name.
    pub name: String,
    /// What is taken.
    pub current: u64,
    /// What there is; `None` where nobody has set a limit.
    pub limit: Option<u64>,
}

impl Runtime {
    /// What is wrong between the annotated functions and policies of the program (two of one name,
    /// and different numbers written for what the sites of a service share), and what has no limit
    /// in this runtime, also before the first call: resources that are asked for, and a
    /// `rate_limit(..)` of which neither attributes nor settings say how many.
    ///
    /// The global runtime also logs them: the former when it is made, the latter when something is
    /// first called in it.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = site::problems();
        problems.extend(self.unlimited());
        problems
    }

    /// What somebody asks to be limited and that has no limit.
    pub(crate) fn unlimited(&self) -> Vec<Problem> {
        let mut problems = self.unlimited_resources();
        problems.extend(lacking(&self.settings().document().written, &Known::now()));
        problems
    }

    /// The resources that somebody asks for and that have no limit. (What a policy asks for is known
    /// when it has asked.)
    fn unlimited_resources(&self) -> Vec<Problem> {
        let mut asked = Vec::new();
        for site in site::known() {
            let place = site.place();
            asked.extend(site.options().resources.iter().map(|name| (*name, place)));
        }
        // Those of the sites come first, so that positions among them are those of the places.
        let pools = self.resources();
        let names = asked.iter().map(|(name, _)| *name);
        let names = names.chain(pools.iter().map(|pool| &*pool.name));
        let mut problems = Vec::new();
        for (name, positions) in &Sorted::positions(names) {
            let pool = pools.iter().find(|pool| pool.name == *name);
            if pool.is_some_and(|pool| pool.limit.is_some()) {
                continue;
            }
            let asking = positions.iter().filter_map(|at| asked.get(*at));
            let message = "nobody has set a limit, so that there is none".to_owned();
            problems.push(Problem {
                key: Some(format!("resources.{name}")),
                ..Problem::between(message, asking.map(|(_, place)| *place).collect())
            });
        }
        problems
    }

    /// The limits of every service that has any, by name. Those of single keys are not among them.
    pub fn limits(&self) -> Vec<LimitSummary> {
        self.services()
            .into_iter()
            .filter_map(|service| {
                let (limiter, bulkhead) = (
                    service.guards.known_limiter(),
                    service.guards.known_bulkhead(),
                );
                (limiter.is_some() || bulkhead.is_some()).then(|| LimitSummary {
                    service: service.name().to_owned(),
                    running: bulkhead.map(Bulkhead::taken),
                    queued: bulkhead.map_or(0, Bulkhead::waiting),
                    waiting: limiter.map_or(0, RateLimiter::waiting),
                })
            })
            .collect()
    }

    /// Every named resource that has been asked for or set, by name.
    pub fn resources(&self) -> Vec<ResourceSummary> {
        let pools = self.shared().pools.all();
        let summary = |(name, pool): (Box<str>, std::sync::Arc<crate::resource::Pool>)| {
            let (current, limit) = (pool.current(), pool.limit());
            ResourceSummary {
                name: name.into_string(),
                current,
                limit,
            }
        };
        pools.into_iter().map(summary).collect()
    }

    /// Sets how much there is of a named resource, from the next lease on; `None` takes the limit
    /// away.
    pub fn set_resource(&self, name: &str, limit: Option<u64>) {
        self.shared().pools.pool(name).set_limit(limit);
    }
}
