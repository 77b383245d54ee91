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

    pub(crate) fn site_names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for site in &self.sites {
            names.extend(site.names.iter().map(String::as_str));
        }
        names
    }

    pub(crate) fn services(&self) -> Vec<&str> {
        let mut services: Vec<_> = self.sites.iter().map(|site| &*site.service).collect();
        services.extend(PROFILES.iter().map(|profile| profile.service));
        services
    }

    /// The category of this name, where it is known: an application's own is by the sites that
    /// have it.
    pub(crate) fn category(&self, name: &str) -> Option<Category> {
        let known = self.categories();
        known.into_iter().find(|known| known.as_str() == name)
    }

    /// The built-in ones, and those that attributes name.
    pub(crate) fn categories(&self) -> Vec<Category> {
        let mut categories = Category::BUILT_IN.to_vec();
        for KnownSite { options, .. } in &self.sites {
            categories.extend(options.category);
            if let Some(Switch::On(breaker)) = options.breaker {
                categories.extend(breaker.ignore.unwrap_or_default());
                categories.extend(breaker.record.unwrap_or_default());
            }
        }
        categories
    }

    pub(crate) fn category_names(&self) -> Vec<&'static str> {
        let categories = self.categories();
        categories.into_iter().map(Category::as_str).collect()
    }
}
