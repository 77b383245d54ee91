//! What an attribute says, as plain data that a `static` can hold.
//!
//! The methods bear the names of the attribute's options. Where a value is wrong, those of
//! [`Options`] panic: the macros call them in constants, so that a user sees a compile error. Those
//! of its parts take anything, since a policy brings numbers that are known when the program runs.

#![allow(clippy::missing_panics_doc, reason = "said once, above")]

use std::time::Duration;

use crate::Category;

mod backoff;
mod breaker;
mod display;
mod limits;

pub use self::backoff::{BackoffOptions, Jitter};
pub use self::breaker::{BreakerOptions, Window};
pub use self::limits::{BudgetOptions, BulkheadOptions, RateLimitOptions};

/// What the attribute of one site says. What it does not say is `None`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// Written as `#[fail_fast]`.
    pub fail_fast: bool,
    /// The expansion has no loop: no setting can give this site a retry.
    pub one_attempt: bool,
    /// The error type need not be able to carry an answer of ours: nothing of ours answers.
    pub silent: bool,
    /// `category = ..`
    pub category: Option<Category>,
    /// `service = ".."`
    pub service: Option<&'static str>,
    /// `operation = ".."`
    pub operation: Option<&'static str>,
    /// `enabled = ..`
    pub enabled: Option<bool>,
    /// `retries = n`
    pub retries: Option<u32>,
    /// `backoff(..)`
    pub backoff: BackoffOptions,
    /// `timeout = ".."`
    pub timeout: Option<Switch<Duration>>,
    /// `deadline = ".."`
    pub deadline: Option<Switch<Duration>>,
    /// `breaker(..)`
    pub breaker: Option<Switch<BreakerOptions>>,
    /// `rate_limit(..)`
    pub rate_limit: Option<Switch<RateLimitOptions>>,
    /// `bulkhead(..)`
    pub bulkhead: Option<Switch<BulkheadOptions>>,
    /// `budget(..)`
    pub budget: Option<Switch<BudgetOptions>>,
    /// `nested = ".."`
    pub nested: Option<Nested>,
    /// `idempotent = ..`
    pub idempotent: Option<bool>,
    /// The names in `resource(..)`.
    pub resources: &'static [&'static str],
}

/// Off, or on with these numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch<T> {
    /// Written `off`: this part is left out.
    Off,
    /// On.
    On(T),
}

/// What a call does when a call inside its attempt has given up after trying for itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Nested {
    /// It does not try again: attempts at several levels would multiply.
    #[default]
    Stop,
    /// It tries again all the same.
    Retry,
}

impl Options {
    /// `#[resilient]` without options.
    pub const fn resilient() -> Self {
        Self {
            fail_fast: false,
            one_attempt: false,
            silent: false,
            category: None,
            service: None,
            operation: None,
            enabled: None,
            retries: None,
            backoff: BackoffOptions::new(),
            timeout: None,
            deadline: None,
            breaker: None,
            rate_limit: None,
            bulkhead: None,
            budget: None,
            nested: None,
            idempotent: None,
            resources: &[],
        }
    }

    /// `#[fail_fast]` without options.
    pub const fn fail_fast() -> Self {
        Self {
            fail_fast: true,
            one_attempt: true,
            ..Self::resilient()
        }
    }

    /// The expansion has no loop.
    #[must_use]
    pub const fn one_attempt(mut self) -> Self {
        self.one_attempt = true;
        self
    }

    /// The error type need not be able to carry an answer of ours.
    #[must_use]
    pub const fn silent(mut self) -> Self {
        self.silent = true;
        self
    }

    /// What this site's unrecognised errors are, and, for a dependency, its default service.
    #[must_use]
    pub const fn category(mut self, category: Category) -> Self {
        self.category = Some(category);
        self
    }

    /// The name under which sites share a breaker.
    #[must_use]
    pub const fn service(mut self, name: &'static str) -> Self {
        assert!(!name.is_empty(), "`service` must not be empty");
        self.service = Some(name);
        self
    }

    /// A stable name of the site's own.
    #[must_use]
    pub const fn operation(mut self, name: &'static str) -> Self {
        assert!(!name.is_empty(), "`operation` must not be empty");
        self.operation = Some(name);
        self
    }

    /// With `false`, the body runs once, without any pattern around it, until a setting says
    /// otherwise.
    #[must_use]
    pub const fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = Some(enabled);
        self
    }

    /// Further attempts after the first.
    #[must_use]
    pub const fn retries(mut self, retries: u32) -> Self {
        self.retries = Some(retries);
        self
    }

    /// The delays between attempts.
    #[must_use]
    pub const fn backoff(mut self, backoff: BackoffOptions) -> Self {
        holds(backoff.broken());
        self.backoff = backoff;
        self
    }

    /// How long one attempt may take.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        assert!(
            !timeout.is_zero(),
            "`timeout` must not be zero: write `timeout = off`"
        );
        self.timeout = Some(Switch::On(timeout));
        self
    }

    /// No timeout.
    #[must_use]
    pub const fn timeout_off(mut self) -> Self {
        self.timeout = Some(Switch::Off);
        self
    }

    /// How long the call may take, all attempts and delays together.
    #[must_use]
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        assert!(
            !deadline.is_zero(),
            "`deadline` must not be zero: write `deadline = off`"
        );
        self.deadline = Some(Switch::On(deadline));
        self
    }

    /// No deadline.
    #[must_use]
    pub const fn deadline_off(mut self) -> Self {
        self.deadline = Some(Switch::Off);
        self
    }

    /// The numbers of the circuit breaker.
    #[must_use]
    pub const fn breaker(mut self, breaker: BreakerOptions) -> Self {
        holds(breaker.broken());
        self.breaker = Some(Switch::On(breaker));
        self
    }

    /// No circuit breaker.
    #[must_use]
    pub const fn breaker_off(mut self) -> Self {
        self.breaker = Some(Switch::Off);
        self
    }

    /// So many attempts in a time.
    #[must_use]
    pub const fn rate_limit(mut self, rate_limit: RateLimitOptions) -> Self {
        holds(rate_limit.broken());
        self.rate_limit = Some(Switch::On(rate_limit));
        self
    }

    /// No rate limit.
    #[must_use]
    pub const fn rate_limit_off(mut self) -> Self {
        self.rate_limit = Some(Switch::Off);
        self
    }

    /// So many attempts at a time.
    #[must_use]
    pub const fn bulkhead(mut self, bulkhead: BulkheadOptions) -> Self {
        holds(bulkhead.broken());
        self.bulkhead = Some(Switch::On(bulkhead));
        self
    }

    /// No bulkhead.
    #[must_use]
    pub const fn bulkhead_off(mut self) -> Self {
        self.bulkhead = Some(Switch::Off);
        self
    }

    /// So many retries for the calls that there are.
    #[must_use]
    pub const fn budget(mut self, budget: BudgetOptions) -> Self {
        holds(budget.broken());
        self.budget = Some(Switch::On(budget));
        self
    }

    /// No retry budget.
    #[must_use]
    pub const fn budget_off(mut self) -> Self {
        self.budget = Some(Switch::Off);
        self
    }

    /// What happens when a call inside an attempt has given up.
    #[must_use]
    pub const fn nested(mut self, nested: Nested) -> Self {
        self.nested = Some(nested);
        self
    }

    /// The pools that each call leases from.
    #[must_use]
    pub const fn resources(mut self, names: &'static [&'static str]) -> Self {
        self.resources = names;
        self
    }

    /// Whether the body may run again where it may have had its effect already.
    #[must_use]
    pub const fn idempotent(mut self, idempotent: bool) -> Self {
        self.idempotent = Some(idempotent);
        self
    }
}

const fn holds(broken: Option<&'static str>) {
    if let Some(rule) = broken {
        panic!("{}", rule);
    }
}

impl Nested {
    /// The name, as written in attributes and settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Retry => "retry",
        }
    }
}
