//! What a policy says, in the words of the attributes.

use std::panic::Location;
use std::time::Duration;

use crate::options::{
    BackoffOptions, BreakerOptions, BudgetOptions, BulkheadOptions, Nested, Options,
    RateLimitOptions, Switch,
};
use crate::policy::{Policy, rules};
use crate::site::{Place, Site};
use crate::{Category, Error};

/// What a [`Policy`] is to do. The methods bear the names of the attributes' options, and what is
/// not said has the same defaults.
#[derive(Clone, Debug)]
#[must_use = "a policy is made by `build`"]
pub struct PolicyBuilder {
    options: Options,
    place: Place,
}

impl PolicyBuilder {
    pub(super) const fn resilient(operation: &'static str, caller: &Location<'static>) -> Self {
        Self::new(Options::resilient(), operation, caller)
    }

    pub(super) const fn fail_fast(operation: &'static str, caller: &Location<'static>) -> Self {
        Self::new(Options::fail_fast(), operation, caller)
    }

    const fn new(
        mut options: Options,
        operation: &'static str,
        caller: &Location<'static>,
    ) -> Self {
        options.operation = Some(operation);
        Self {
            options,
            place: Place {
                file: caller.file(),
                line: caller.line(),
                column: caller.column(),
            },
        }
    }

    /// What unrecognised errors are, and, for a dependency, the default service.
    pub const fn category(mut self, category: Category) -> Self {
        self.options.category = Some(category);
        self
    }

    /// The name under which policies and functions share breaker, limits, budget and settings.
    pub const fn service(mut self, name: &'static str) -> Self {
        self.options.service = Some(name);
        self
    }

    /// Further attempts after the first.
    pub const fn retries(mut self, retries: u32) -> Self {
        self.options.retries = Some(retries);
        self
    }

    /// The delays between attempts.
    pub const fn backoff(mut self, backoff: BackoffOptions) -> Self {
        self.options.backoff = backoff;
        self
    }

    /// How long one attempt may take.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(Switch::On(timeout));
        self
    }

    /// No timeout.
    pub const fn timeout_off(mut self) -> Self {
        self.options.timeout = Some(Switch::Off);
        self
    }

    /// How long the call may take, all attempts and delays together.
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.options.deadline = Some(Switch::On(deadline));
        self
    }

    /// No deadline.
    pub const fn deadline_off(mut self) -> Self {
        self.options.deadline = Some(Switch::Off);
        self
    }

    /// The numbers of the circuit breaker.
    pub const fn breaker(mut self, breaker: BreakerOptions) -> Self {
        self.options.breaker = Some(Switch::On(breaker));
        self
    }

    /// No circuit breaker.
    pub const fn breaker_off(mut self) -> Self {
        self.options.breaker = Some(Switch::Off);
        self
    }

    /// So many attempts in a time.
    pub const fn rate_limit(mut self, rate_limit: RateLimitOptions) -> Self {
        self.options.rate_limit = Some(Switch::On(rate_limit));
        self
    }

    /// No rate limit.
    pub const fn rate_limit_off(mut self) -> Self {
        self.options.rate_limit = Some(Switch::Off);
        self
    }

    /// So many attempts at a time.
    pub const fn bulkhead(mut self, bulkhead: BulkheadOptions) -> Self {
        self.options.bulkhead = Some(Switch::On(bulkhead));
        self
    }

    /// No bulkhead.
    pub const fn bulkhead_off(mut self) -> Self {
        self.options.bulkhead = Some(Switch::Off);
        self
    }

    /// So many retries for the calls that there are.
    pub const fn budget(mut self, budget: BudgetOptions) -> Self {
        self.options.budget = Some(Switch::On(budget));
        self
    }

    /// No retry budget.
    pub const fn budget_off(mut self) -> Self {
        self.options.budget = Some(Switch::Off);
        self
    }

    /// What happens when a call inside an attempt has given up.
    pub const fn nested(mut self, nested: Nested) -> Self {
        self.options.nested = Some(nested);
        self
    }

    /// Whether the body may run again where it may have had its effect already.
    pub const fn idempotent(mut self, idempotent: bool) -> Self {
        self.options.idempotent = Some(idempotent);
        self
    }

    /// The policy.
    ///
    /// # Errors
    ///
    /// An error of kind [`Setting`](crate::ErrorKind::Setting) that names every rule which is
    /// broken: a number out of its range, two that contradict each other, an empty name.
    pub fn build(self) -> Result<Policy, Error> {
        let broken = rules::broken(&self.options);
        match broken.first() {
            None => Ok(Policy::new(Site::of_policy(&self.options, self.place))),
            Some((field, _)) => {
                let messages: Vec<_> = broken.iter().map(|(_, text)| text.as_str()).collect();
                Err(Error::setting(field, messages.join("; ")))
            }
        }
    }
}
