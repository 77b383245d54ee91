//! What settings can be about: the annotated functions, the policies, and the names that ship.

use crate::Category;
use crate::options::{Options, Switch};
use crate::settings::table::PROFILES;
use crate::site::{self, Place};

/// The sites of the program, as far as settings are checked against them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    pub(crate) sites: Vec<KnownSite>,
}

#[derive(Clone, Debug)]
pub(crate) struct KnownSite {
    pub(crate) operation: String,
    /// Every name under which settings find it.
    pub(crate) names: Vec<String>,
    pub(crate) service: String,
    pub(crate) options: Options,
    pub(crate) place: Place,
}

impl Known {
    /// Every site there is now.
    pub(crate) fn now() -> Self {
        let sites = site::known().into_iter().map(|site| KnownSite {
            operation: site.operation().to_owned(),
            names: site.names(),
            service: site.service().to_owned(),
            options: *site.options(),
            place: site.place(),
        });
        Self {
            sites: sites.collect(),
        }
    }

    /// The site of this name.
    pub(crate) fn site(&self, name: &str) -> Option<&KnownSite> {
        self.sites
            .iter()
            .find(|site| site.names.iter().any(|known| known == name))
    }

    pub(crate) fn site_names(&self) -> impl Iterator<Item = &str> {
        self.sites
            .iter()
            .flat_map(|site| site.names.iter().map(String::as_str))
    }

    pub(crate) fn services(&self) -> impl Iterator<Item = &str> {
        let profiles = PROFILES.iter().map(|profile| profile.service);
        self.sites
            .iter()
            .map(|site| site.service.as_str())
            .chain(profiles)
    }

    /// The category of this name, where it is known: an application's own is by the sites that
    /// have it.
    pub(crate) fn category(&self, name: &str) -> Option<Category> {
        Category::built_in(name).or_else(|| {
            self.own_categories()
                .find(|category| category.as_str() == name)
        })
    }

    /// Those that attributes name.
    fn own_categories(&self) -> impl Iterator<Item = Category> {
        self.sites.iter().flat_map(|KnownSite { options, .. }| {
            let lists = match options.breaker {
                Some(Switch::On(breaker)) => [breaker.ignore, breaker.record],
                _ => [None, None],
            };
            let lists = lists.into_iter().flatten().flatten().copied();
            options.category.into_iter().chain(lists)
        })
    }

    pub(crate) fn categories(&self) -> impl Iterator<Item = &str> {
        Category::BUILT_IN
            .into_iter()
            .chain(self.own_categories())
            .map(|category| -> &str { category.as_str() })
    }
}
