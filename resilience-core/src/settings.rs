//! The settings of a site: what its attribute says, else the profile of its service, else the
//! table of defaults. [`Settings::effective`] is the only place that knows the order.

use std::time::Duration;

use crate::Category;
use crate::backoff::Backoff;
use crate::options::{BackoffOptions, BreakerOptions, Options, Switch, Window};

/// What holds for the calls of one site.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    /// What unrecognised errors are.
    pub(crate) category: Option<Category>,
    /// How long one attempt may take.
    pub(crate) timeout: Option<Duration>,
    /// How long the call may take.
    pub(crate) deadline: Option<Duration>,
    /// The service's breaker, unless the site switched it off.
    pub(crate) breaker: Option<BreakerSettings>,
    /// Retries for errors of every category, where somebody wrote a number.
    retries: Option<u32>,
    /// Delays for errors of every category, where somebody wrote them.
    backoff: BackoffOptions,
    one_attempt: bool,
}

/// The numbers of a breaker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct BreakerSettings {
    /// Without effect beside `failure_rate_threshold`.
    pub(crate) failure_threshold: u32,
    /// Without effect beside `failure_rate_threshold`.
    pub(crate) distinct_calls: u32,
    pub(crate) failure_rate_threshold: Option<f64>,
    pub(crate) slow_call_duration: Option<Duration>,
    /// Without effect unless `slow_call_duration` is set.
    pub(crate) slow_call_rate_threshold: f64,
    pub(crate) window: Window,
    pub(crate) minimum_calls: u32,
    pub(crate) success_threshold: u32,
    pub(crate) wait_duration: Duration,
    /// As `wait_duration` where it does not grow.
    pub(crate) wait_duration_max: Duration,
}

/// How errors of one category are retried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RetrySettings {
    /// Further attempts after the first.
    pub(crate) retries: u32,
    pub(crate) backoff: Backoff,
}

impl Settings {
    /// The settings of a site with these options, whose service has this name and these breaker
    /// numbers (merged from all its sites, see [`merge_breakers`]).
    pub(crate) fn effective(options: &Options, service: &str, shared: BreakerOptions) -> Self {
        let profile = Profile::of(service);
        // What a profile brings along must not answer where no answer can be carried.
        let deadline = profile
            .and_then(|profile| profile.deadline)
            .filter(|_| !options.silent);
        Self {
            category: options.category,
            timeout: switched(options.timeout, Some(DEFAULT_TIMEOUT)),
            deadline: switched(options.deadline, deadline),
            breaker: match options.breaker {
                Some(Switch::Off) => None,
                _ => Some(BreakerSettings::effective(shared, profile)),
            },
            retries: options
                .retries
                .or_else(|| profile.map(|profile| profile.retries)),
            backoff: BackoffOptions {
                initial: options
                    .backoff
                    .initial
                    .or_else(|| profile.map(|profile| profile.initial)),
                ..options.backoff
            },
            one_attempt: options.one_attempt,
        }
    }

    /// Whether some error could be retried.
    pub(crate) fn can_retry(&self) -> bool {
        !self.one_attempt && self.retries != Some(0)
    }

    /// How an error of this category is retried.
    pub(crate) fn retry(&self, category: Category) -> RetrySettings {
        let row = Row::of(category);
        let initial = self.backoff.initial.unwrap_or(row.initial);
        let retries = self.retries.unwrap_or(row.retries);
        RetrySettings {
            retries: if self.one_attempt { 0 } else { retries },
            backoff: Backoff {
                initial,
                // An initial delay that was written lifts a cap that was not.
                max: self.backoff.max.unwrap_or_else(|| row.max.max(initial)),
                factor: self.backoff.factor.unwrap_or(DEFAULT_FACTOR),
                jitter: self.backoff.jitter.unwrap_or_default(),
            },
        }
        .ordered()
    }
}

impl RetrySettings {
    /// A cap that was written below the table's initial delay lowers that delay.
    fn ordered(mut self) -> Self {
        self.backoff.initial = self.backoff.initial.min(self.backoff.max);
        self
    }
}

impl BreakerSettings {
    pub(crate) const MAX_DISTINCT_CALLS: u32 = 100;
    /// 25 kB.
    pub(crate) const MAX_WINDOW: u32 = 100_000;
    pub(crate) const MIN_SPAN: Duration = Duration::from_millis(1);
    pub(crate) const DEFAULT_WINDOW: u32 = 100;

    /// The numbers of a service's breaker.
    pub(crate) fn of_service(service: &str, written: BreakerOptions) -> Self {
        Self::effective(written, Profile::of(service))
    }

    fn effective(written: BreakerOptions, profile: Option<&Profile>) -> Self {
        let base = profile.map_or(DEFAULT_BREAKER, |profile| profile.breaker);
        let wait_duration = written.wait_duration.unwrap_or(base.wait_duration);
        Self {
            failure_threshold: written.failure_threshold.unwrap_or(base.failure_threshold),
            distinct_calls: written.distinct_calls.unwrap_or(base.distinct_calls),
            failure_rate_threshold: written.failure_rate_threshold,
            slow_call_duration: written.slow_call_duration,
            slow_call_rate_threshold: written
                .slow_call_rate_threshold
                .unwrap_or(base.slow_call_rate_threshold),
            window: written.window.unwrap_or(base.window),
            minimum_calls: written.minimum_calls.unwrap_or(base.minimum_calls),
            success_threshold: written.success_threshold.unwrap_or(base.success_threshold),
            wait_duration,
            wait_duration_max: written.wait_duration_max.unwrap_or(wait_duration),
        }
        .sane()
    }

    /// The nearest numbers that a breaker can work with. Whoever writes others is told so where
    /// they are written; here nothing may panic, stand still or eat the memory.
    pub(crate) fn sane(self) -> Self {
        let window = match self.window {
            Window::Count(size) => Window::Count(size.clamp(1, Self::MAX_WINDOW)),
            Window::Time(span) => Window::Time(span.max(Self::MIN_SPAN)),
        };
        let wait_duration = self.wait_duration.max(MIN_WAIT);
        Self {
            failure_threshold: self.failure_threshold.max(1),
            distinct_calls: self.distinct_calls.clamp(1, Self::MAX_DISTINCT_CALLS),
            failure_rate_threshold: self.failure_rate_threshold.map(share),
            slow_call_duration: self.slow_call_duration,
            slow_call_rate_threshold: share(self.slow_call_rate_threshold),
            window,
            minimum_calls: match window {
                Window::Count(size) => self.minimum_calls.clamp(1, size),
                Window::Time(_) => self.minimum_calls.max(1),
            },
            success_threshold: self.success_threshold.max(1),
            wait_duration,
            wait_duration_max: self.wait_duration_max.max(wait_duration),
        }
    }

    /// Whether some rule asks for a rate.
    pub(crate) const fn has_window(&self) -> bool {
        self.failure_rate_threshold.is_some() || self.slow_call_duration.is_some()
    }

    /// How long it stays open when it has opened again so many times without closing.
    pub(crate) fn wait(&self, reopened: u32) -> Duration {
        let factor = 1_u32.checked_shl(reopened).unwrap_or(u32::MAX);
        self.wait_duration
            .saturating_mul(factor)
            .min(self.wait_duration_max)
    }
}

/// A share above 0 and at most 1. What is no number is all of them: that opens last.
fn share(rate: f64) -> f64 {
    if rate.is_nan() {
        return 1.0;
    }
    rate.clamp(f64::MIN_POSITIVE, 1.0)
}

impl Default for BreakerSettings {
    fn default() -> Self {
        DEFAULT_BREAKER
    }
}

/// The breaker numbers that the sites of one service wrote: for each number the first one, unless
/// it clashes with an earlier one. `disagreement` hears of every later one that differs or clashes:
/// its position, and the option's name.
pub(crate) fn merge_breakers(
    written: impl IntoIterator<Item = BreakerOptions>,
    mut disagreement: impl FnMut(usize, &'static str),
) -> BreakerOptions {
    let mut merged = BreakerOptions::new();
    for (position, later) in written.into_iter().enumerate() {
        macro_rules! merge {
            ($name:literal: $first:ident $(, $with:ident)?) => {
                if later.$first.is_some() $(|| later.$with.is_some())? {
                    let taken = BreakerOptions {
                        $first: later.$first,
                        $($with: later.$with,)?
                        ..merged
                    };
                    let free = merged.$first.is_none() $(&& merged.$with.is_none())?;
                    if free && taken.clash().is_none() {
                        merged = taken;
                    } else if merged != taken {
                        disagreement(position, $name);
                    }
                }
            };
        }
        merge!("failure_threshold": failure_threshold);
        merge!("distinct_calls": distinct_calls);
        merge!("failure_rate_threshold": failure_rate_threshold);
        merge!("slow_call_duration": slow_call_duration);
        merge!("slow_call_rate_threshold": slow_call_rate_threshold);
        merge!("window": window);
        merge!("minimum_calls": minimum_calls);
        merge!("success_threshold": success_threshold);
        // Written as one: `wait_duration = "30s..5m"`.
        merge!("wait_duration": wait_duration, wait_duration_max);
    }
    merged
}

fn switched(written: Option<Switch<Duration>>, otherwise: Option<Duration>) -> Option<Duration> {
    match written {
        Some(Switch::Off) => None,
        Some(Switch::On(duration)) => Some(duration),
        None => otherwise,
    }
}

/// A row of the table of defaults: how often and how long errors of a category are retried.
struct Row {
    retries: u32,
    initial: Duration,
    max: Duration,
}

impl Row {
    const fn of(category: Category) -> Self {
        match category {
            Category::NETWORK => Self::new(4, 1_000, 30),
            Category::WEAVIATE | Category::SERVICE => Self::new(2, 2_000, 60),
            Category::RATE_LIMIT => Self::new(4, 10_000, 300),
            Category::TIMEOUT => Self::new(2, 5_000, 120),
            Category::FILESYSTEM => Self::new(1, 500, 5),
            Category::UNKNOWN => Self::new(1, 1_000, 10),
            // An own category, and the categories that are not retried at all unless the
            // classification of a single error says yes.
            _ => Self::new(2, 1_000, 60),
        }
    }

    const fn new(retries: u32, initial_ms: u64, max_s: u64) -> Self {
        Self {
            retries,
            initial: Duration::from_millis(initial_ms),
            max: Duration::from_secs(max_s),
        }
    }
}

/// Settings that ship for a service name.
struct Profile {
    service: &'static str,
    deadline: Option<Duration>,
    retries: u32,
    initial: Duration,
    breaker: BreakerSettings,
}

impl Profile {
    fn of(service: &str) -> Option<&'static Self> {
        PROFILES.iter().find(|profile| profile.service == service)
    }

    const fn new(
        service: &'static str,
        deadline_s: u64,
        retries: u32,
        initial_ms: u64,
        [failures, successes]: [u32; 2],
        open_s: u64,
    ) -> Self {
        Self {
            service,
            deadline: Some(Duration::from_secs(deadline_s)),
            retries,
            initial: Duration::from_millis(initial_ms),
            breaker: BreakerSettings {
                failure_threshold: failures,
                success_threshold: successes,
                wait_duration: Duration::from_secs(open_s),
                wait_duration_max: Duration::from_secs(open_s),
                ..DEFAULT_BREAKER
            },
        }
    }
}

const PROFILES: [Profile; 3] = [
    Profile::new("llm_provider", 30, 3, 100, [5, 3], 60),
    Profile::new("storage_backend", 10, 2, 50, [3, 2], 30),
    Profile::new("agent_communication", 5, 2, 25, [10, 5], 15),
];

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_FACTOR: f64 = 2.0;
const DEFAULT_BREAKER: BreakerSettings = BreakerSettings {
    failure_threshold: 5,
    distinct_calls: 2,
    failure_rate_threshold: None,
    slow_call_duration: None,
    slow_call_rate_threshold: 1.0,
    window: Window::Count(BreakerSettings::DEFAULT_WINDOW),
    minimum_calls: 20,
    success_threshold: 1,
    wait_duration: Duration::from_secs(30),
    wait_duration_max: Duration::from_secs(30),
};
/// So that half-open has time for a verdict.
const MIN_WAIT: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Jitter;

    #[expect(
        clippy::large_types_passed_by_value,
        reason = "as the builder hands them out"
    )]
    fn settings(options: Options, service: &str) -> Settings {
        Settings::effective(&options, service, BreakerOptions::new())
    }

    #[test]
    fn the_table_of_defaults_holds_where_nothing_is_written() {
        let settings = settings(Options::resilient(), "anything");
        let rows = [
            (Category::NETWORK, 4, 1_000, 30),
            (Category::SERVICE, 2, 2_000, 60),
            (Category::WEAVIATE, 2, 2_000, 60),
            (Category::custom("billing"), 2, 1_000, 60),
            (Category::RATE_LIMIT, 4, 10_000, 300),
            (Category::TIMEOUT, 2, 5_000, 120),
            (Category::FILESYSTEM, 1, 500, 5),
            (Category::UNKNOWN, 1, 1_000, 10),
        ];
        for (category, retries, initial, max) in rows {
            let retry = settings.retry(category);
            assert_eq!(retry.retries, retries, "{category}");
            assert_eq!(
                retry.backoff.initial,
                Duration::from_millis(initial),
                "{category}"
            );
            assert_eq!(retry.backoff.max, Duration::from_secs(max), "{category}");
            assert_eq!(retry.backoff.jitter, Jitter::Proportional);
        }
        assert_eq!(settings.timeout, Some(Duration::from_secs(30)));
        assert_eq!(settings.deadline, None);
        assert_eq!(settings.breaker, Some(DEFAULT_BREAKER));
    }

    #[test]
    fn the_attribute_beats_the_profile_and_the_profile_the_table() {
        let profiled = settings(Options::resilient(), "llm_provider");
        assert_eq!(profiled.retry(Category::NETWORK).retries, 3);
        assert_eq!(
            profiled.retry(Category::NETWORK).backoff.initial,
            Duration::from_millis(100)
        );
        assert_eq!(profiled.deadline, Some(Duration::from_secs(30)));
        let breaker = profiled.breaker.unwrap();
        assert_eq!(
            (breaker.failure_threshold, breaker.success_threshold),
            (5, 3)
        );
        assert_eq!(breaker.wait_duration, Duration::from_secs(60));

        let written = settings(
            Options::resilient().retries(1).deadline_off(),
            "llm_provider",
        );
        assert_eq!(written.retry(Category::NETWORK).retries, 1);
        assert_eq!(written.deadline, None);
    }

    #[test]
    fn a_cap_below_the_tables_initial_delay_lowers_it_and_a_high_initial_delay_lifts_the_cap() {
        let backoff = BackoffOptions::new();
        let low = settings(
            Options::resilient().backoff(backoff.max(Duration::from_millis(9))),
            "",
        );
        assert_eq!(
            low.retry(Category::NETWORK).backoff.initial,
            Duration::from_millis(9)
        );
        let high = Options::resilient().backoff(backoff.initial(Duration::from_secs(90)));
        assert_eq!(
            settings(high, "")
                .retry(Category::NETWORK)
                .backoff
                .max
                .as_secs(),
            90
        );
    }

    #[test]
    fn one_attempt_takes_no_retries_from_anywhere() {
        let settings = settings(Options::fail_fast(), "llm_provider");
        assert!(!settings.can_retry());
        assert_eq!(settings.retry(Category::NETWORK).retries, 0);
    }

    #[test]
    fn a_profile_gives_no_deadline_where_no_answer_can_be_carried() {
        let silent = Options::resilient().silent().breaker_off().timeout_off();
        assert_eq!(settings(silent, "llm_provider").deadline, None);
    }

    #[test]
    fn the_first_written_breaker_number_holds_and_later_ones_that_differ_are_told() {
        let written = [
            BreakerOptions::new().failure_threshold(3),
            BreakerOptions::new()
                .failure_threshold(3)
                .success_threshold(2),
            BreakerOptions::new().failure_threshold(4),
        ];
        let mut told = Vec::new();
        let merged = merge_breakers(written, |position, name| told.push((position, name)));
        assert_eq!(
            merged,
            BreakerOptions::new()
                .failure_threshold(3)
                .success_threshold(2)
        );
        assert_eq!(told, [(2, "failure_threshold")]);
    }
    #[test]
    fn numbers_that_clash_with_the_first_are_told_and_not_taken() {
        let second = Duration::from_secs(1);
        let new = BreakerOptions::new;
        let written = [
            new().failure_threshold(3).wait_duration(second),
            new().failure_rate_threshold(0.5).minimum_calls(50),
            new()
                .slow_call_duration(second)
                .window(Window::Count(10))
                .wait_duration(second)
                .wait_duration_max(2 * second),
        ];
        let mut told = Vec::new();
        let merged = merge_breakers(written, |position, name| told.push((position, name)));
        assert_eq!(merged.failure_threshold, Some(3));
        assert_eq!(merged.failure_rate_threshold, None);
        assert_eq!(merged.minimum_calls, Some(50));
        assert_eq!((merged.window, merged.wait_duration_max), (None, None));
        let expected = [
            (1, "failure_rate_threshold"),
            (2, "window"),
            (2, "wait_duration"),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn hostile_numbers_become_the_nearest_that_work() {
        let hostile = BreakerSettings {
            failure_threshold: 0,
            distinct_calls: u32::MAX,
            failure_rate_threshold: Some(f64::NAN),
            slow_call_rate_threshold: -1.0,
            window: Window::Count(u32::MAX),
            minimum_calls: u32::MAX,
            success_threshold: 0,
            wait_duration: Duration::ZERO,
            wait_duration_max: Duration::ZERO,
            ..DEFAULT_BREAKER
        };
        let sane = hostile.sane();
        assert_eq!(sane.window, Window::Count(100_000));
        assert_eq!(sane.minimum_calls, 100_000);
        assert_eq!(sane.failure_rate_threshold, Some(1.0));
        assert!(sane.slow_call_rate_threshold > 0.0);
        assert!(sane.wait_duration > Duration::ZERO);
        assert_eq!(sane, sane.sane());
        let endless = BreakerSettings {
            wait_duration: Duration::MAX,
            ..sane
        };
        assert_eq!(endless.sane().wait(u32::MAX), Duration::MAX);
    }

    #[test]
    fn a_growing_wait_doubles_up_to_its_end() {
        let growing = BreakerOptions::new()
            .wait_duration(Duration::from_secs(30))
            .wait_duration_max(Duration::from_secs(300));
        let settings = BreakerSettings::of_service("", growing);
        let waits = [0, 1, 2, 3, 4, 5, 64, u32::MAX].map(|times| settings.wait(times).as_secs());
        assert_eq!(waits, [30, 60, 120, 240, 300, 300, 300, 300]);
        let constant = BreakerSettings::of_service("", BreakerOptions::new());
        assert_eq!(constant.wait(7), Duration::from_secs(30));
    }
}
