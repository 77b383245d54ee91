//! One table of settings: values by key, each with its origin.

use std::time::Duration;

use crate::Category;
use crate::options::{BackoffOptions, BreakerOptions, Options, Switch};
use crate::settings::counted::Categories;
use crate::settings::key::{Key, Value};
use crate::settings::origin::Origin;
use crate::sorted::Sorted;

/// A value and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

/// Values by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Layer(Sorted<Key, Entry>);

impl Layer {
    /// What options say, all of it from one origin.
    pub(crate) fn of(options: &Options, origin: &Origin) -> Self {
        let mut layer = Self::default();
        for &key in Key::ALL {
            if let Some(value) = said(options, key) {
                layer.set(key, value, origin.clone());
            }
        }
        layer
    }

    pub(crate) fn set(&mut self, key: Key, value: Value, origin: Origin) {
        self.0.insert(key, Entry { value, origin });
    }

    /// Takes over what another layer says of a key.
    pub(crate) fn copy(&mut self, key: Key, entry: &Entry) {
        self.0.insert(key, entry.clone());
    }

    pub(crate) fn remove(&mut self, key: Key) {
        self.0.remove(&key);
    }

    pub(crate) fn get(&self, key: Key) -> Option<&Entry> {
        self.0.get(&key)
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, (Key, Entry)> {
        self.0.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn value(&self, key: Key) -> Option<&Value> {
        self.get(key).map(|entry| &entry.value)
    }

    pub(crate) fn is_off(&self, key: Key) -> bool {
        self.value(key) == Some(&Value::Off)
    }

    pub(crate) fn flag(&self, key: Key) -> Option<bool> {
        match self.value(key) {
            Some(Value::Flag(flag)) => Some(*flag),
            _ => None,
        }
    }

    pub(crate) fn count(&self, key: Key) -> Option<u32> {
        match self.value(key) {
            Some(Value::Count(count)) => Some(*count),
            _ => None,
        }
    }

    pub(crate) fn number(&self, key: Key) -> Option<f64> {
        match self.value(key) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn duration(&self, key: Key) -> Option<Duration> {
        match self.value(key) {
            Some(Value::Duration(duration)) => Some(*duration),
            _ => None,
        }
    }

    pub(crate) fn categories(&self, key: Key) -> Option<&Categories> {
        match self.value(key) {
            Some(Value::Categories(names)) => Some(names),
            _ => None,
        }
    }

    /// How errors are retried, as far as this says.
    pub(crate) fn retry(&self) -> (Option<u32>, BackoffOptions) {
        let backoff = BackoffOptions {
            initial: self.duration(Key::Initial),
            max: self.duration(Key::Max),
            factor: self.number(Key::Factor),
            jitter: match self.value(Key::Jitter) {
                Some(Value::Jitter(jitter)) => Some(*jitter),
                _ => None,
            },
        };
        (self.count(Key::Retries), backoff)
    }

    /// The numbers of a breaker, as far as this says; its lists are no numbers.
    pub(crate) fn breaker(&self) -> BreakerOptions {
        let (wait_duration, wait_duration_max) = match self.value(Key::WaitDuration) {
            Some(Value::Wait(first, last)) => (Some(*first), Some(*last)),
            _ => (None, None),
        };
        BreakerOptions {
            failure_threshold: self.count(Key::FailureThreshold),
            distinct_calls: self.count(Key::DistinctCalls),
            failure_rate_threshold: self.number(Key::FailureRateThreshold),
            slow_call_duration: self.duration(Key::SlowCallDuration),
            slow_call_rate_threshold: self.number(Key::SlowCallRateThreshold),
            window: match self.value(Key::Window) {
                Some(Value::Window(window)) => Some(*window),
                _ => None,
            },
            minimum_calls: self.count(Key::MinimumCalls),
            success_threshold: self.count(Key::SuccessThreshold),
            wait_duration,
            wait_duration_max,
            ignore: None,
            record: None,
        }
    }
}

/// What options say of a key.
fn said(options: &Options, key: Key) -> Option<Value> {
    let backoff = &options.backoff;
    let breaker = numbers(options.breaker.as_ref());
    let rate_limit = numbers(options.rate_limit.as_ref());
    let bulkhead = numbers(options.bulkhead.as_ref());
    let budget = numbers(options.budget.as_ref());
    match key {
        Key::Enabled => options.enabled.map(Value::Flag),
        Key::Retries => options.retries.map(Value::Count),
        Key::Initial => backoff.initial.map(Value::Duration),
        Key::Max => backoff.max.map(Value::Duration),
        Key::Factor => backoff.factor.map(Value::Number),
        Key::Jitter => backoff.jitter.map(Value::Jitter),
        Key::Timeout => options.timeout.map(limit),
        Key::Deadline => options.deadline.map(limit),
        Key::Nested => options.nested.map(Value::Nested),
        Key::Idempotent => options.idempotent.map(Value::Flag),
        Key::Breaker => options.breaker.as_ref().map(part),
        Key::FailureThreshold => breaker?.failure_threshold.map(Value::Count),
        Key::DistinctCalls => breaker?.distinct_calls.map(Value::Count),
        Key::FailureRateThreshold => breaker?.failure_rate_threshold.map(Value::Number),
        Key::SlowCallDuration => breaker?.slow_call_duration.map(Value::Duration),
        Key::SlowCallRateThreshold => breaker?.slow_call_rate_threshold.map(Value::Number),
        Key::Window => breaker?.window.map(Value::Window),
        Key::MinimumCalls => breaker?.minimum_calls.map(Value::Count),
        Key::SuccessThreshold => breaker?.success_threshold.map(Value::Count),
        Key::WaitDuration => {
            // Written as one: `wait_duration = "30s..5m"`.
            let (first, last) = (breaker?.wait_duration, breaker?.wait_duration_max);
            Some(Value::Wait(first.or(last)?, last.or(first)?))
        }
        Key::Ignore => breaker?.ignore.map(categories),
        Key::Record => breaker?.record.map(categories),
        Key::RateLimit => options.rate_limit.as_ref().map(part),
        Key::Limit => rate_limit?.limit.map(|(n, period)| Value::Rate(n, period)),
        Key::Burst => rate_limit?.burst.map(Value::Count),
        Key::MaxWait => rate_limit?.max_wait.map(Value::Duration),
        Key::Exact => rate_limit?.exact.map(Value::Flag),
        Key::Bulkhead => options.bulkhead.as_ref().map(part),
        Key::Concurrency => bulkhead?.concurrency.map(Value::Count),
        Key::Queue => bulkhead?.queue.map(Value::Count),
        Key::Budget => options.budget.as_ref().map(part),
        Key::Ratio => budget?.ratio.map(Value::Number),
        Key::MinPerSecond => budget?.min_per_second.map(Value::Count),
    }
}

fn numbers<T>(part: Option<&Switch<T>>) -> Option<&T> {
    match part? {
        Switch::Off => None,
        Switch::On(numbers) => Some(numbers),
    }
}

fn part<T>(part: &Switch<T>) -> Value {
    match part {
        Switch::Off => Value::Off,
        Switch::On(_) => Value::On,
    }
}

fn limit(limit: Switch<Duration>) -> Value {
    match limit {
        Switch::Off => Value::Off,
        Switch::On(limit) => Value::Duration(limit),
    }
}

fn categories(categories: &[Category]) -> Value {
    Value::Categories(Categories::of(categories))
}
