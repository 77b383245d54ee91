//! Everything that the attributes do, for code that no attribute can stand on.

use std::fmt;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::panic::Location;
use std::pin::pin;
use std::sync::Arc;

use crate::call::Decisions;
use crate::driver::{Attempt, Call, Step, Unmet, begin_with};
use crate::how::How;
use crate::outcome::ResultOf;
use crate::probe::Look;
use crate::runtime::{Kept, Runtime, SiteState};
use crate::scope;
use crate::site::{self, Site};
use crate::sync::{Mutex, lock};
use crate::{Classification, Classify, Error};

mod builder;
mod rules;

pub use self::builder::PolicyBuilder;

/// Everything that `#[resilient]` and `#[fail_fast]` do, around any piece of code.
///
/// For code that is no function of its own, and for numbers that are known only when the program
/// runs. It is the same driver: the same order of patterns, the same settings, and one breaker,
/// one limit and one budget with the functions of the same service.
///
/// ```
/// use std::time::Duration;
/// use resilience_core::{Category, Error, Policy};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
/// let policy = Policy::builder("load_profile")
///     .service("profiles")
///     .category(Category::NETWORK)
///     .retries(3)
///     .timeout(Duration::from_secs(5))
///     .build()?;
///
/// let id = 7;
/// let name = policy.run(|| async { fetch(id).await }).await?;
/// # assert_eq!(name, "seven");
/// # Ok(())
/// # }
/// # async fn fetch(_: u32) -> Result<&'static str, Error> { Ok("seven") }
/// ```
///
/// # What it cannot do, and an attribute can
///
/// `run` takes a closure that makes a future, once for each attempt. That future may borrow what
/// lives outside of the closure, by shared reference, and it may own what the closure made for it
/// (`|| { let doc = doc.clone(); async move { .. } }`). It is `Send` exactly when the futures of
/// the closure are, so `tokio::spawn` takes it. What it cannot do is *lend*: hand the futures of
/// several attempts the same `&mut`, one after the other. This does not compile:
///
/// ```compile_fail
/// # use resilience_core::{Error, Policy};
/// # async fn append(_: &mut Vec<u8>) -> Result<(), Error> { Ok(()) }
/// # async fn f(policy: &Policy) -> Result<(), Error> {
/// let mut buffer = Vec::new();
/// policy.run(|| async { append(&mut buffer).await }).await
/// # }
/// ```
///
/// (An `AsyncFnMut` could lend, but the compiler cannot show today that a future which calls one is
/// `Send`: rust-lang/rust#138207.) An attribute has no such limit, since its loop stands around the
/// body itself: a function `async fn save(buffer: &mut Vec<u8>)` with `#[resilient]` lends its
/// `buffer` to every attempt and is `Send`. Without one, put the state behind a `Mutex`, or make it
/// in the closure and return it.
///
/// There is no `fallback` either, for none is needed: what comes back can be looked at,
/// `policy.run(..).await.or_else(..)`. And while the fields of an annotated function's call are
/// named in its attribute, a policy names none.
///
/// # Settings and operators
///
/// A policy that has been built is a site like an annotated function: [`sites`](crate::sites) and
/// [`inspect`](crate::inspect) list it, [`problems`](crate::problems) tells where it disagrees with
/// others, `[sites."operation"]` and `[services.NAME]` of the settings hold for it. `[sites]` may
/// name only what is known, since a name that nobody has is a mistake as a rule: build the policies
/// before the settings are loaded, or write under `[services]`.
///
/// # Services
///
/// The numbers of breaker, limits and budget are the service's. What annotated functions write for
/// them holds first, then what the policies do, in the order in which they are first run: a later
/// one adds what nobody has written, and changes nothing.
///
/// # Clone
///
/// Clones share all state, also that of a policy which names no service.
#[derive(Clone)]
pub struct Policy(Arc<Inner>);

struct Inner {
    site: Arc<Site>,
    global: Kept<SiteState>,
    /// For the scoped runtime that was the last to run it. All that it learns is in the runtime
    /// itself, by service; this can be made anew at any time.
    scoped: Mutex<Option<Arc<SiteState>>>,
}

impl Policy {
    /// Begins a policy like `#[resilient]`. `operation` names it in events, statistics and settings,
    /// and is its service unless something else is.
    #[track_caller]
    pub const fn builder(operation: &'static str) -> PolicyBuilder {
        PolicyBuilder::resilient(operation, Location::caller())
    }

    /// Begins a policy like `#[fail_fast]`: it never retries and never waits.
    #[track_caller]
    pub const fn fail_fast(operation: &'static str) -> PolicyBuilder {
        PolicyBuilder::fail_fast(operation, Location::caller())
    }

    fn new(site: Site) -> Self {
        let site = Arc::new(site);
        site::know(&site);
        Self(Arc::new(Inner {
            site,
            global: Kept::new(),
            scoped: Mutex::new(None),
        }))
    }

    /// Runs a call: makes a future with `body` for each attempt.
    ///
    /// `body` is not called while the runtime refuses.
    ///
    /// # Errors
    ///
    /// The body's own last error, unchanged, or an answer of the runtime as that type.
    ///
    /// # Cancel safety
    ///
    /// Dropping it gives back at once whatever the call holds or waits for.
    pub async fn run<T, E, F, Fut>(&self, body: F) -> Result<T, E>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: Classify + fmt::Display + From<Error>,
    {
        self.call().run(body).await
    }

    /// A call about which more is to be said, of an error type that classifies itself.
    pub fn call<E: Classify>(&self) -> PolicyCall<'_, E> {
        self.classify(E::classify)
    }

    /// A call whose errors are looked at by a function: for types that are not one's own.
    ///
    /// ```
    /// use resilience_core::{Policy, classify};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> anyhow::Result<()> {
    /// let policy = Policy::builder("read motd").build()?;
    /// let text = policy
    ///     .classify(|error: &anyhow::Error| classify::error(error.as_ref()))
    ///     .run(|| async { anyhow::Ok("hello") })
    ///     .await?;
    /// # assert_eq!(text, "hello");
    /// # Ok(())
    /// # }
    /// ```
    pub fn classify<E>(&self, classify: fn(&E) -> Classification) -> PolicyCall<'_, E> {
        PolicyCall {
            policy: self,
            classify,
            key: None,
            retry_if: None,
            unmet: Unmet::new(),
            demands: Vec::new(),
        }
    }

    fn decisions(&self) -> Decisions {
        let state = match scope::current_runtime() {
            None => self.global(),
            Some(runtime) => self.scoped(&runtime),
        };
        Decisions::of(state.into())
    }

    fn global(&self) -> Arc<SiteState> {
        let make = || Runtime::global().policy(&self.0.site);
        self.0.global.in_force(make).shared()
    }

    fn scoped(&self, runtime: &Runtime) -> Arc<SiteState> {
        let known = lock(&self.0.scoped).clone();
        if let Some(state) = known.filter(|state| state.is_of(runtime)) {
            return state;
        }
        // Made and dropped without the lock: a runtime may go with it, and its listeners.
        let state = Arc::new(runtime.policy(&self.0.site));
        let former = lock(&self.0.scoped).replace(Arc::clone(&state));
        drop(former);
        state
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let site = &self.0.site;
        f.debug_struct("Policy")
            .field("operation", &site.operation())
            .field("options", &format_args!("{}", site.options()))
            .field("place", &format_args!("{}", site.place()))
            .finish()
    }
}

/// One call of a [`Policy`], with what is said of this call alone.
#[must_use = "a call does nothing until it is run"]
pub struct PolicyCall<'a, E> {
    policy: &'a Policy,
    classify: fn(&E) -> Classification,
    key: Option<Key<'a>>,
    retry_if: Option<&'a (dyn Fn(&E) -> bool + Sync)>,
    unmet: Unmet,
    demands: Vec<(&'static str, u64)>,
}

impl<'a, E> PolicyCall<'a, E> {
    /// Gives this call the breaker, the limiter and the bulkhead of a key, instead of those of the
    /// whole service.
    pub fn key<K: Hash + Sync>(mut self, key: &'a K) -> Self {
        self.key = Some(Key(key));
        self
    }

    /// Says instead of the classification whether an error is worth another attempt.
    pub fn retry_if(mut self, predicate: &'a (impl Fn(&E) -> bool + Sync)) -> Self {
        self.retry_if = Some(predicate);
        self
    }

    /// Something that must hold before the body may run; all that does not is told together. For a
    /// [`fail_fast`](Policy::fail_fast) policy.
    pub fn require(mut self, met: bool, field: &'static str, message: &str) -> Self {
        self.unmet = self.unmet.require(met, field, format_args!("{message}"));
        self
    }

    /// Takes so much of a named pool for as long as the body runs. For a
    /// [`fail_fast`](Policy::fail_fast) policy.
    pub fn resource(mut self, name: &'static str, amount: u64) -> Self {
        self.demands.push((name, amount));
        self
    }

    /// Runs the call, as [`Policy::run`] does.
    ///
    /// # Errors
    ///
    /// The body's own last error, unchanged, or an answer of the runtime as that type. A
    /// requirement or a resource of a policy that is not [`fail_fast`](Policy::fail_fast) is a
    /// mistake of the program, and is answered with an error of kind `Setting`.
    ///
    /// # Cancel safety
    ///
    /// Dropping it gives back at once whatever the call holds or waits for.
    pub async fn run<T, F, Fut>(self, mut body: F) -> Result<T, E>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: fmt::Display + From<Error>,
    {
        let Self {
            policy,
            classify,
            key,
            retry_if,
            unmet,
            demands,
        } = self;
        let mut decisions = policy.decisions();
        let strict = !demands.is_empty() || !unmet.is_empty();
        if strict && !policy.0.site.options().fail_fast {
            decisions.refuse(Error::setting(
                "policy",
                "`require` and `resource` are for `Policy::fail_fast`: a retry could not tell \
                 what to take again",
            ));
        }
        if let Some(key) = key {
            decisions.key(&key);
        }
        let mut call = begin_with::<Result<T, E>>(decisions);
        Call::require(&mut call, unmet);
        for (name, amount) in demands {
            Call::resource(&mut call, name, amount);
        }
        loop {
            let out = {
                let attempt = pin!(async { body().await });
                Call::watch(&mut call, attempt).await
            };
            // The next attempt begins with the pause before it.
            if let Step::Done(result) = next(&mut call, out, classify, retry_if) {
                break result;
            }
        }
    }
}

/// Apart from the loop: a [`How`] must not be held while it waits.
fn next<T, E: fmt::Display + From<Error>>(
    call: &mut Call<ResultOf<T, E>>,
    out: Attempt<Result<T, E>>,
    classify: fn(&E) -> Classification,
    retry_if: Option<&(dyn Fn(&E) -> bool + Sync)>,
) -> Step<Result<T, E>> {
    let look = Look {
        classify,
        // With `#`, `anyhow` writes the whole chain.
        text: |error, f| write!(f, "{error:#}"),
        user: |_| None,
    };
    let how = How::rejecting(call, look, E::from);
    match retry_if {
        Some(retry_if) => Call::next(call, out, How::retry_if(how, &retry_if)),
        None => Call::next(call, out, how),
    }
}

impl<E> fmt::Debug for PolicyCall<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyCall")
            .field("policy", &self.policy)
            .field("keyed", &self.key.is_some())
            .field("demands", &self.demands)
            .finish_non_exhaustive()
    }
}

/// A key of whatever type.
struct Key<'a>(&'a (dyn Hashed + Sync));

trait Hashed {
    fn hashed(&self, hasher: &mut dyn Hasher);
}

impl<K: Hash> Hashed for K {
    fn hashed(&self, mut hasher: &mut dyn Hasher) {
        self.hash(&mut hasher);
    }
}

impl Hash for Key<'_> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.0.hashed(hasher);
    }
}
