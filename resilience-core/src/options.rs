//! What an attribute says, as plain data that a `static` can hold.
//!
//! The methods bear the names of the attribute's options. Where a value can be wrong, they panic;
//! the macros call them in constants, so that a user sees a compile error.

#![allow(clippy::missing_panics_doc, reason = "said once, above")]

use std::fmt;
use std::time::Duration;

use crate::Category;

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
}

/// Off, or on with these numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch<T> {
    /// Written `off`: this part is left out.
    Off,
    /// On.
    On(T),
}

/// What `backoff(..)` says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct BackoffOptions {
    /// The delay before the second attempt.
    pub initial: Option<Duration>,
    /// No delay is longer.
    pub max: Option<Duration>,
    /// Each delay is this many times the one before.
    pub factor: Option<f64>,
    /// How delays are spread.
    pub jitter: Option<Jitter>,
}

/// How delays are spread, so that clients that failed together do not come back together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Jitter {
    /// The delay, 25 % more or less.
    #[default]
    Proportional,
    /// Anything from zero to the delay.
    Full,
    /// Anything from the initial delay to three times the delay before.
    Decorrelated,
    /// The delay to the nanosecond.
    None,
}

/// What `breaker(..)` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerOptions {
    /// This many failures in a row open it.
    pub failure_threshold: Option<u32>,
    /// This many successful probes close it.
    pub success_threshold: Option<u32>,
    /// How long it stays open before it lets a probe through.
    pub wait_duration: Option<Duration>,
    /// The failures that open it come from at least so many calls.
    pub distinct_calls: Option<u32>,
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
            retries: None,
            backoff: BackoffOptions::new(),
            timeout: None,
            deadline: None,
            breaker: None,
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

    /// Further attempts after the first.
    #[must_use]
    pub const fn retries(mut self, retries: u32) -> Self {
        self.retries = Some(retries);
        self
    }

    /// The delays between attempts.
    #[must_use]
    pub const fn backoff(mut self, backoff: BackoffOptions) -> Self {
        if let (Some(initial), Some(max)) = (backoff.initial, backoff.max) {
            assert!(
                initial.as_nanos() <= max.as_nanos(),
                "`initial` must not be above `max`"
            );
        }
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
        self.breaker = Some(Switch::On(breaker));
        self
    }

    /// No circuit breaker.
    #[must_use]
    pub const fn breaker_off(mut self) -> Self {
        self.breaker = Some(Switch::Off);
        self
    }
}

impl BackoffOptions {
    /// Nothing said.
    pub const fn new() -> Self {
        Self {
            initial: None,
            max: None,
            factor: None,
            jitter: None,
        }
    }

    /// The delay before the second attempt.
    #[must_use]
    pub const fn initial(mut self, initial: Duration) -> Self {
        self.initial = Some(initial);
        self
    }

    /// No delay is longer.
    #[must_use]
    pub const fn max(mut self, max: Duration) -> Self {
        self.max = Some(max);
        self
    }

    /// Each delay is this many times the one before; at least 1.
    #[must_use]
    pub const fn factor(mut self, factor: f64) -> Self {
        assert!(
            factor.is_finite() && factor >= 1.0,
            "`factor` must be a number of at least 1"
        );
        self.factor = Some(factor);
        self
    }

    /// How delays are spread.
    #[must_use]
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = Some(jitter);
        self
    }
}

impl BreakerOptions {
    /// Nothing said.
    pub const fn new() -> Self {
        Self {
            failure_threshold: None,
            success_threshold: None,
            wait_duration: None,
            distinct_calls: None,
        }
    }

    /// This many failures in a row open it.
    #[must_use]
    pub const fn failure_threshold(mut self, failures: u32) -> Self {
        assert!(failures > 0, "`failure_threshold` must be at least 1");
        self.failure_threshold = Some(failures);
        self
    }

    /// This many successful probes close it.
    #[must_use]
    pub const fn success_threshold(mut self, successes: u32) -> Self {
        assert!(successes > 0, "`success_threshold` must be at least 1");
        self.success_threshold = Some(successes);
        self
    }

    /// How long it stays open before it lets a probe through.
    #[must_use]
    pub const fn wait_duration(mut self, wait: Duration) -> Self {
        assert!(!wait.is_zero(), "`wait_duration` must not be zero");
        self.wait_duration = Some(wait);
        self
    }

    /// The failures that open it come from at least so many calls; 1 turns the rule off.
    #[must_use]
    pub const fn distinct_calls(mut self, calls: u32) -> Self {
        assert!(calls > 0, "`distinct_calls` must be at least 1");
        self.distinct_calls = Some(calls);
        self
    }
}

impl Jitter {
    /// The name, as written in attributes and settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proportional => "proportional",
            Self::Full => "full",
            Self::Decorrelated => "decorrelated",
            Self::None => "none",
        }
    }
}

/// The options in the form in which they are written.
impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = List::new(f);
        list.name("category", self.category.map(Category::as_str))?;
        list.name("service", self.service)?;
        list.name("operation", self.operation)?;
        list.plain("retries", self.retries)?;
        let backoff = self.backoff;
        list.group("backoff", backoff != BackoffOptions::new(), |inner| {
            inner.duration("initial", backoff.initial)?;
            inner.duration("max", backoff.max)?;
            inner.plain("factor", backoff.factor)?;
            inner.name("jitter", backoff.jitter.map(Jitter::as_str))
        })?;
        list.switch("timeout", self.timeout)?;
        list.switch("deadline", self.deadline)?;
        match self.breaker {
            None => Ok(()),
            Some(Switch::Off) => list.plain("breaker", Some("off")),
            Some(Switch::On(breaker)) => list.group("breaker", true, |inner| {
                inner.plain("failure_threshold", breaker.failure_threshold)?;
                inner.plain("success_threshold", breaker.success_threshold)?;
                inner.duration("wait_duration", breaker.wait_duration)?;
                inner.plain("distinct_calls", breaker.distinct_calls)
            }),
        }
    }
}

/// Writes `name = value` pairs with commas between them.
struct List<'a, 'b> {
    out: &'a mut fmt::Formatter<'b>,
    empty: bool,
}

impl<'a, 'b> List<'a, 'b> {
    fn new(out: &'a mut fmt::Formatter<'b>) -> Self {
        Self { out, empty: true }
    }

    fn start(&mut self, name: &str) -> fmt::Result {
        if !self.empty {
            self.out.write_str(", ")?;
        }
        self.empty = false;
        self.out.write_str(name)
    }

    fn plain(&mut self, name: &str, value: Option<impl fmt::Display>) -> fmt::Result {
        let Some(value) = value else { return Ok(()) };
        self.start(name)?;
        write!(self.out, " = {value}")
    }

    fn name(&mut self, name: &str, value: Option<&str>) -> fmt::Result {
        let Some(value) = value else { return Ok(()) };
        self.start(name)?;
        write!(self.out, " = {value:?}")
    }

    fn duration(&mut self, name: &str, value: Option<Duration>) -> fmt::Result {
        let Some(value) = value else { return Ok(()) };
        self.start(name)?;
        write!(self.out, " = \"{value:?}\"")
    }

    fn switch(&mut self, name: &str, value: Option<Switch<Duration>>) -> fmt::Result {
        match value {
            None => Ok(()),
            Some(Switch::Off) => self.plain(name, Some("off")),
            Some(Switch::On(value)) => self.duration(name, Some(value)),
        }
    }

    fn group(
        &mut self,
        name: &str,
        present: bool,
        content: impl FnOnce(&mut List<'_, 'b>) -> fmt::Result,
    ) -> fmt::Result {
        if !present {
            return Ok(());
        }
        self.start(name)?;
        self.out.write_str("(")?;
        content(&mut List::new(self.out))?;
        self.out.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_read_as_they_are_written() {
        let options = Options::resilient()
            .category(Category::WEAVIATE)
            .retries(5)
            .backoff(
                BackoffOptions::new()
                    .initial(Duration::from_millis(50))
                    .factor(3.0),
            )
            .timeout(Duration::from_secs(10))
            .breaker(BreakerOptions::new().failure_threshold(3));
        assert_eq!(
            options.to_string(),
            "category = \"weaviate\", retries = 5, backoff(initial = \"50ms\", factor = 3), \
             timeout = \"10s\", breaker(failure_threshold = 3)"
        );
        assert_eq!(
            Options::fail_fast().breaker_off().to_string(),
            "breaker = off"
        );
    }
}
