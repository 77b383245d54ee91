//! What an attribute says, as plain data that a `static` can hold.
//!
//! The methods bear the names of the attribute's options. Where a value can be wrong, they panic;
//! the macros call them in constants, so that a user sees a compile error.

#![allow(clippy::missing_panics_doc, reason = "said once, above")]

use std::fmt;
use std::time::Duration;

use crate::Category;
use crate::settings::BreakerSettings;

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
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct BreakerOptions {
    /// This many failures in a row open it.
    pub failure_threshold: Option<u32>,
    /// The failures in a row that open it come from at least so many calls.
    pub distinct_calls: Option<u32>,
    /// This share of failures in the window opens it, instead of failures in a row.
    pub failure_rate_threshold: Option<f64>,
    /// An attempt that takes so long is slow, whether it succeeds or not.
    pub slow_call_duration: Option<Duration>,
    /// This share of slow attempts in the window opens it.
    pub slow_call_rate_threshold: Option<f64>,
    /// The outcomes that the shares are taken of.
    pub window: Option<Window>,
    /// With fewer outcomes in the window there is no share.
    pub minimum_calls: Option<u32>,
    /// This many successful probes close it.
    pub success_threshold: Option<u32>,
    /// How long it stays open before it lets a probe through.
    pub wait_duration: Option<Duration>,
    /// That time doubles up to this one, for as long as probes fail.
    pub wait_duration_max: Option<Duration>,
}

/// The outcomes that a breaker's rates are taken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Window {
    /// The last so many.
    Count(u32),
    /// Those of the time just past. It slides in steps of a 32nd.
    Time(Duration),
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
        if let Some(contradiction) = breaker.contradiction() {
            panic!("{}", contradiction);
        }
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
            distinct_calls: None,
            failure_rate_threshold: None,
            slow_call_duration: None,
            slow_call_rate_threshold: None,
            window: None,
            minimum_calls: None,
            success_threshold: None,
            wait_duration: None,
            wait_duration_max: None,
        }
    }

    /// This many failures in a row open it.
    #[must_use]
    pub const fn failure_threshold(mut self, failures: u32) -> Self {
        assert!(failures > 0, "`failure_threshold` must be at least 1");
        self.failure_threshold = Some(failures);
        self
    }

    /// The failures in a row that open it come from at least so many calls; 1 turns the rule off.
    #[must_use]
    pub const fn distinct_calls(mut self, calls: u32) -> Self {
        assert!(calls > 0, "`distinct_calls` must be at least 1");
        assert!(
            calls <= BreakerSettings::MAX_DISTINCT_CALLS,
            "`distinct_calls` must be at most 100"
        );
        self.distinct_calls = Some(calls);
        self
    }

    /// This share of failures in the window opens it, instead of failures in a row.
    #[must_use]
    pub const fn failure_rate_threshold(mut self, rate: f64) -> Self {
        assert!(
            rate > 0.0 && rate <= 1.0,
            "`failure_rate_threshold` is a share above 0 and at most 1: half of them is 0.5"
        );
        self.failure_rate_threshold = Some(rate);
        self
    }

    /// An attempt that takes so long is slow, whether it succeeds or not.
    #[must_use]
    pub const fn slow_call_duration(mut self, duration: Duration) -> Self {
        assert!(
            !duration.is_zero(),
            "`slow_call_duration` must not be zero: every attempt takes that long"
        );
        self.slow_call_duration = Some(duration);
        self
    }

    /// This share of slow attempts in the window opens it.
    #[must_use]
    pub const fn slow_call_rate_threshold(mut self, rate: f64) -> Self {
        assert!(
            rate > 0.0 && rate <= 1.0,
            "`slow_call_rate_threshold` is a share above 0 and at most 1: half of them is 0.5"
        );
        self.slow_call_rate_threshold = Some(rate);
        self
    }

    /// The outcomes that the shares are taken of.
    #[must_use]
    pub const fn window(mut self, window: Window) -> Self {
        match window {
            Window::Count(calls) => assert!(
                calls > 0 && calls <= BreakerSettings::MAX_WINDOW,
                "`window` must be at least 1 and at most 100000 outcomes"
            ),
            Window::Time(span) => assert!(
                span.as_nanos() >= BreakerSettings::MIN_SPAN.as_nanos(),
                "`window` must be at least 1 ms"
            ),
        }
        self.window = Some(window);
        self
    }

    /// With fewer outcomes in the window there is no share.
    #[must_use]
    pub const fn minimum_calls(mut self, calls: u32) -> Self {
        assert!(calls > 0, "`minimum_calls` must be at least 1");
        self.minimum_calls = Some(calls);
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

    /// That time doubles up to this one, for as long as probes fail.
    #[must_use]
    pub const fn wait_duration_max(mut self, wait: Duration) -> Self {
        assert!(!wait.is_zero(), "`wait_duration` must not be zero");
        self.wait_duration_max = Some(wait);
        self
    }

    /// What makes no sense together, in words.
    pub(crate) const fn contradiction(&self) -> Option<&'static str> {
        if self.slow_call_rate_threshold.is_some() && self.slow_call_duration.is_none() {
            return Some("`slow_call_rate_threshold` needs `slow_call_duration`: what is slow?");
        }
        let rates = self.failure_rate_threshold.is_some() || self.slow_call_duration.is_some();
        if !rates && self.window.is_some() {
            return Some("`window` needs `failure_rate_threshold` or `slow_call_duration`");
        }
        if !rates && self.minimum_calls.is_some() {
            return Some("`minimum_calls` needs `failure_rate_threshold` or `slow_call_duration`");
        }
        self.clash()
    }

    /// Two numbers that cannot hold together, whatever else is written elsewhere.
    pub(crate) const fn clash(&self) -> Option<&'static str> {
        if self.failure_rate_threshold.is_some() && self.failure_threshold.is_some() {
            return Some(
                "`failure_threshold` is about failures in a row, `failure_rate_threshold` about \
                 their share: write one of them",
            );
        }
        if self.failure_rate_threshold.is_some() && self.distinct_calls.is_some() {
            return Some(
                "`distinct_calls` is about failures in a row: beside `failure_rate_threshold` \
                 write `minimum_calls`",
            );
        }
        if let (Some(minimum), Some(Window::Count(size))) = (self.minimum_calls, self.window)
            && minimum > size
        {
            return Some("`minimum_calls` is above `window`, which never holds so many");
        }
        if let (Some(minimum), None) = (self.minimum_calls, self.window)
            && minimum > BreakerSettings::DEFAULT_WINDOW
        {
            return Some("`minimum_calls` is above 100, the default `window`: write a larger one");
        }
        if let (Some(wait), Some(max)) = (self.wait_duration, self.wait_duration_max)
            && wait.as_nanos() > max.as_nanos()
        {
            return Some("`wait_duration` begins above its end");
        }
        None
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
                inner.plain("distinct_calls", breaker.distinct_calls)?;
                inner.plain("failure_rate_threshold", breaker.failure_rate_threshold)?;
                inner.duration("slow_call_duration", breaker.slow_call_duration)?;
                inner.plain("slow_call_rate_threshold", breaker.slow_call_rate_threshold)?;
                match breaker.window {
                    Some(Window::Time(span)) => inner.duration("window", Some(span))?,
                    Some(Window::Count(calls)) => inner.plain("window", Some(calls))?,
                    None => {}
                }
                inner.plain("minimum_calls", breaker.minimum_calls)?;
                inner.plain("success_threshold", breaker.success_threshold)?;
                inner.wait(breaker.wait_duration, breaker.wait_duration_max)
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

    fn wait(&mut self, wait: Option<Duration>, max: Option<Duration>) -> fmt::Result {
        let Some(max) = max else {
            return self.duration("wait_duration", wait);
        };
        let wait = wait.unwrap_or(max);
        self.start("wait_duration")?;
        write!(self.out, " = \"{wait:?}..{max:?}\"")
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
    #[test]
    fn a_breaker_reads_as_it_is_written() {
        let rates = BreakerOptions::new()
            .failure_rate_threshold(0.5)
            .slow_call_duration(Duration::from_secs(2))
            .slow_call_rate_threshold(1.0)
            .window(Window::Time(Duration::from_secs(60)))
            .minimum_calls(10)
            .wait_duration(Duration::from_secs(30))
            .wait_duration_max(Duration::from_secs(300));
        assert_eq!(
            Options::resilient().breaker(rates).to_string(),
            "breaker(failure_rate_threshold = 0.5, slow_call_duration = \"2s\", \
             slow_call_rate_threshold = 1, window = \"60s\", minimum_calls = 10, \
             wait_duration = \"30s..300s\")"
        );
        let counted = rates.window(Window::Count(50));
        assert!(
            Options::resilient()
                .breaker(counted)
                .to_string()
                .contains("window = 50, ")
        );
    }

    #[test]
    fn contradictions_are_told() {
        let new = BreakerOptions::new;
        let second = Duration::from_secs(1);
        let rate = new().failure_rate_threshold(0.5);
        let contradictory = [
            (rate.failure_threshold(5), "write one of them"),
            (rate.distinct_calls(2), "write `minimum_calls`"),
            (
                rate.window(Window::Count(10)).minimum_calls(11),
                "never holds so many",
            ),
            (rate.minimum_calls(101), "write a larger one"),
            (
                new().slow_call_rate_threshold(0.5),
                "needs `slow_call_duration`",
            ),
            (new().window(Window::Count(10)), "`window` needs"),
            (new().minimum_calls(10), "`minimum_calls` needs"),
            (
                new().wait_duration(2 * second).wait_duration_max(second),
                "begins above its end",
            ),
        ];
        for (options, words) in contradictory {
            let told = options.contradiction().unwrap_or_default();
            assert!(told.contains(words), "{words}: {told}");
        }
        let consistent = [
            new(),
            rate.window(Window::Count(10)).minimum_calls(10),
            rate.window(Window::Time(second)).minimum_calls(1_000),
            new().failure_threshold(5).slow_call_duration(second),
        ];
        for options in consistent {
            assert_eq!(options.contradiction(), None);
        }
    }

    #[test]
    #[should_panic(expected = "half of them is 0.5")]
    fn r3_a_rate_that_is_no_number_is_rejected() {
        let _ = BreakerOptions::new().failure_rate_threshold(f64::NAN);
    }
}
