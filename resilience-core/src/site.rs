//! The annotated functions of the program, and its policies.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::Category;
use crate::options::Options;
use crate::path::site_path;
use crate::problem::Problem;
use crate::runtime::{Kept, SiteState};
use crate::settings::key::Key;
use crate::settings::layer::Layer;
use crate::settings::origin::Origin;
use crate::settings::shared::merge;
use crate::sorted::Sorted;

/// One annotated function, in a `static` of its expansion.
pub struct Site {
    function: &'static str,
    raw_path: fn() -> &'static str,
    file: &'static str,
    line: u32,
    column: u32,
    options: Options,
    path: OnceLock<Box<str>>,
    /// The site's state in the global runtime, made by its first call.
    pub(crate) slot: Kept<SiteState>,
}

/// Makes a site known before its first call.
pub struct Registered(pub &'static Site);

inventory::collect!(Registered);

impl Site {
    /// For the macros: the function's name, the type name of an item inside it, the place of the
    /// attribute, and what it says.
    pub const fn new(
        function: &'static str,
        raw_path: fn() -> &'static str,
        file: &'static str,
        line: u32,
        column: u32,
        options: Options,
    ) -> Self {
        Self {
            function,
            raw_path,
            file,
            line,
            column,
            options,
            path: OnceLock::new(),
            slot: Kept::new(),
        }
    }

    /// For a policy, which has no function: `options` has an operation.
    pub(crate) fn of_policy(options: &Options, place: Place) -> Self {
        let Place { file, line, column } = place;
        let operation = options.operation.unwrap_or_default();
        Self {
            path: OnceLock::from(Box::from(operation)),
            ..Self::new(operation, || "", file, line, column, *options)
        }
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn path(&self) -> &str {
        self.path
            .get_or_init(|| site_path((self.raw_path)()).into())
    }

    pub(crate) fn operation(&self) -> &str {
        self.options.operation.unwrap_or_else(|| self.path())
    }

    /// The name under which this site shares a breaker and settings with others.
    pub(crate) fn service(&self) -> &str {
        match (self.options.service, self.options.category) {
            (Some(service), _) => service,
            (None, Some(category)) if category.is_dependency() => category.as_str(),
            _ => self.operation(),
        }
    }

    pub(crate) fn place(&self) -> Place {
        Place {
            file: self.file,
            line: self.line,
            column: self.column,
        }
    }

    /// Every name under which settings find it.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = vec![
            self.operation().to_owned(),
            self.path().to_owned(),
            self.place().to_string(),
        ];
        names.dedup();
        names
    }

    /// What the attribute says.
    pub(crate) fn written(&self) -> Layer {
        Layer::of(&self.options, &Origin::attribute(self.place()))
    }
}

/// A site: in a `static` of an expansion, or in a policy.
#[derive(Clone, Debug)]
pub(crate) enum AnySite {
    Function(&'static Site),
    Policy(Arc<Site>),
}

impl AnySite {
    pub(crate) fn operation(&self) -> &'static str {
        match self {
            Self::Function(site) => site.operation(),
            Self::Policy(site) => site.options.operation.unwrap_or_default(),
        }
    }

    const fn is_policy(&self) -> bool {
        matches!(self, Self::Policy(_))
    }
}

impl std::ops::Deref for AnySite {
    type Target = Site;

    fn deref(&self) -> &Site {
        match self {
            Self::Function(site) => site,
            Self::Policy(site) => site,
        }
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Site({} at {})", self.function, self.place())
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What is known of an annotated function, called or not, or of a policy.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SiteInfo {
    /// What `operation = ".."` says, else the path.
    pub operation: String,
    /// `crate::module::Type::method`; of a policy, the operation.
    pub path: String,
    /// The name under which it shares a breaker and settings.
    pub service: String,
    /// What `category = ..` says.
    pub category: Option<Category>,
    /// Where the attribute stands, or the policy was built.
    pub place: Place,
    /// What the attribute or the policy says. `Display` gives it in the form in which it is written.
    pub options: Options,
}

/// A place in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Place {
    /// The file, as the compiler was given it.
    pub file: &'static str,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Every annotated function of the program, called or not, by file and line; and behind them every
/// [policy](crate::Policy) that has been built so far. Policies of one name that were built in one
/// place count as one.
///
/// A library whose functions should be listed must be linked: a crate that no code names is left
/// out by the compiler (`use that_crate as _;` names it).
///
/// An attribute on an `impl` block or a trait is for its async methods that have a body and a return
/// type whose last name ends in `Result`. It leaves all others alone, and they are not listed here:
///
/// * those that are not `async` (and no method of an `#[async_trait]`),
/// * those without a body, as a trait has them: write the attribute on the `impl` block as well,
/// * those that return anything else, also where that is an alias of a `Result` by another name: an
///   attribute of the method's own takes it in,
/// * those with `#[resilient(skip)]`.
pub fn sites() -> Vec<SiteInfo> {
    known()
        .into_iter()
        .map(|site| SiteInfo {
            operation: site.operation().to_owned(),
            path: site.path().to_owned(),
            service: site.service().to_owned(),
            category: site.options.category,
            place: site.place(),
            options: site.options,
        })
        .collect()
}

/// What is wrong between the annotated functions and policies of the program, whatever runtime
/// they are called in.
pub(crate) fn problems() -> Vec<Problem> {
    problems_of(&known())
}

/// Makes a policy known. It stays so, as an annotated function does: settings and operators may name
/// it as long as the program runs. There are only so many places and names, so that they do not grow
/// with the number of policies built.
pub(crate) fn know(policy: &Arc<Site>) {
    let place = (policy.place(), policy.options.operation);
    policies().insert(place, Arc::clone(policy));
}

fn policies() -> MutexGuard<'static, Policies> {
    static POLICIES: Mutex<Policies> = Mutex::new(Policies::new());
    POLICIES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// By where they were built and by name, the newest of each.
type Policies = Sorted<(Place, Option<&'static str>), Arc<Site>>;

/// The annotated functions, and then the policies, each by file and line.
pub(crate) fn known() -> Vec<AnySite> {
    let mut known: Vec<_> = registered().into_iter().map(AnySite::Function).collect();
    let policies = policies();
    known.extend(
        policies
            .iter()
            .map(|(_, site)| AnySite::Policy(Arc::clone(site))),
    );
    known
}

/// What the sites of a service wrote for the parts that they share, `asking` among them even if it
/// is not registered.
pub(crate) fn shared_with(service: &str, asking: &Site) -> Layer {
    let mut sites: Vec<&Site> = of_service(service);
    if sites.iter().all(|site| site.place() != asking.place()) {
        sites.push(asking);
    }
    shared(&sites)
}

/// What the annotated functions of a service wrote for the parts that they share; `None` where
/// nothing that is known has this service. What policies write holds when they are first run.
pub(crate) fn shared_by(service: &str) -> Option<Layer> {
    let is_known = known().iter().any(|site| site.service() == service);
    is_known.then(|| shared(&of_service(service)))
}

fn shared(sites: &[&Site]) -> Layer {
    let written: Vec<_> = sites.iter().map(|site| site.written()).collect();
    merge(&written).layer
}

fn of_service(service: &str) -> Vec<&'static Site> {
    let mut sites = registered();
    sites.retain(|site| site.service() == service);
    sites
}

/// In the order of file and line, which does not depend on the linker.
pub(crate) fn registered() -> Vec<&'static Site> {
    let mut sites: Vec<_> = inventory::iter::<Registered>
        .into_iter()
        .map(|Registered(site)| *site)
        .collect();
    sites.sort_by_key(|site| site.place());
    sites
}

fn problems_of(sites: &[AnySite]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, positions) in &Sorted::positions(sites.iter().map(AnySite::operation)) {
        let sites: Vec<_> = positions.iter().map(|at| &sites[*at]).collect();
        if sites.len() > 1 {
            let policies = sites.iter().any(|site| site.is_policy());
            let message = format!(
                "several annotated functions {}are called `{name}`, so settings and statistics \
                 cannot tell them apart; give each an `operation`",
                if policies { "or policies " } else { "" },
            );
            problems.push(Problem::between(message, places(&sites)));
        }
    }
    for (service, positions) in &Sorted::positions(sites.iter().map(|site| site.service())) {
        let written = positions.iter().map(|at| sites[*at].written());
        let written: Vec<_> = written.collect();
        let mut disagreements = Sorted::<Key, Vec<&AnySite>>::new();
        for (position, key) in merge(&written).disagreements {
            let site = &sites[positions[position]];
            disagreements.entry(key).push(site);
        }
        for (key, sites) in &disagreements {
            let part = key.part().map(Key::path).unwrap_or_default();
            // Functions are known before anything runs.
            let holds = if sites.iter().any(|site| site.is_policy()) {
                "what functions wrote holds before, and then what the policy wrote that ran first"
            } else {
                "the first one by file and line holds"
            };
            let message = format!(
                "`{}` of the {} of service `{service}` differs from what another site wrote, or \
                 cannot hold beside it; {holds}",
                key.name(),
                part.replace('_', " "),
            );
            problems.push(Problem::between(message, places(sites)));
        }
    }
    problems
}

fn places(sites: &[&AnySite]) -> Vec<Place> {
    sites.iter().map(|site| site.place()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::BreakerOptions;

    static FIRST: Site = Site::new(
        "first",
        || "demo::first::{{closure}}::here",
        "a.rs",
        3,
        1,
        Options::resilient()
            .category(Category::WEAVIATE)
            .breaker(BreakerOptions::new().failure_threshold(3)),
    );
    static SECOND: Site = Site::new(
        "second",
        || "demo::second::{{closure}}::here",
        "b.rs",
        7,
        1,
        Options::resilient()
            .service("weaviate")
            .breaker(BreakerOptions::new().failure_threshold(4)),
    );
    static NAMESAKE: Site = Site::new(
        "other",
        || "demo::other::{{closure}}::here",
        "c.rs",
        9,
        1,
        Options::resilient().operation("demo::first"),
    );

    #[test]
    fn a_dependency_is_the_default_service_and_the_operation_otherwise() {
        assert_eq!(FIRST.service(), "weaviate");
        assert_eq!(NAMESAKE.service(), "demo::first");
    }

    #[test]
    fn two_sites_of_one_name_and_disagreements_about_a_service_are_problems() {
        let problems = problems_of(&[&FIRST, &SECOND, &NAMESAKE].map(AnySite::Function));
        let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(texts.len(), 2, "{texts:?}");
        assert!(texts[0].starts_with("several annotated functions are called `demo::first`"));
        assert!(texts[0].ends_with(": a.rs:3, c.rs:9"));
        assert!(texts[1].starts_with("`failure_threshold` of the breaker of service `weaviate`"));
        assert!(texts[1].ends_with(": b.rs:7"));
    }
}
