//! One table of settings: values by key, each with its origin.

use std::collections::BTreeMap;

use crate::options::{
    BackoffOptions, BreakerOptions, BudgetOptions, BulkheadOptions, Options, RateLimitOptions,
    Switch, Window,
};
use crate::settings::counted::Categories;
use crate::settings::key::{Key, Value};
use crate::settings::origin::Origin;

/// A value and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

/// Values by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Layer(BTreeMap<Key, Entry>);

impl Layer {
    /// What options say, all of it from one origin.
    pub(crate) fn of(options: &Options, origin: &Origin) -> Self {
        let mut layer = Self::default();
        options_of(options, &mut |key, value| {
            layer.set(key, value, origin.clone());
        });
        layer
    }

    pub(crate) fn set(&mut self, key: Key, value: Value, origin: Origin) {
        self.0.insert(key, Entry { value, origin });
    }

    pub(crate) fn remove(&mut self, key: Key) {
        self.0.remove(&key);
    }

    pub(crate) fn get(&self, key: Key) -> Option<&Entry> {
        self.0.get(&key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &Entry)> {
        self.0.iter().map(|(key, entry)| (*key, entry))
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

    pub(crate) fn duration(&self, key: Key) -> Option<std::time::Duration> {
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

/// Tells every key that options give a value to.
fn options_of(options: &Options, tell: &mut impl FnMut(Key, Value)) {
    let mut told = |key, value: Option<Value>| {
        if let Some(value) = value {
            tell(key, value);
        }
    };
    told(Key::Enabled, options.enabled.map(Value::Flag));
    told(Key::Retries, options.retries.map(Value::Count));
    told(Key::Initial, options.backoff.initial.map(Value::Duration));
    told(Key::Max, options.backoff.max.map(Value::Duration));
    told(Key::Factor, options.backoff.factor.map(Value::Number));
    told(Key::Jitter, options.backoff.jitter.map(Value::Jitter));
    told(Key::Timeout, switch(options.timeout, Value::Duration));
    told(Key::Deadline, switch(options.deadline, Value::Duration));
    told(Key::Nested, options.nested.map(Value::Nested));
    told(Key::Idempotent, options.idempotent.map(Value::Flag));

    told(Key::Breaker, switch(options.breaker, |_| Value::On));
    if let Some(Switch::On(breaker)) = options.breaker {
        breaker_of(&breaker, &mut told);
    }
    told(Key::RateLimit, switch(options.rate_limit, |_| Value::On));
    if let Some(Switch::On(RateLimitOptions {
        limit,
        burst,
        max_wait,
        exact,
    })) = options.rate_limit
    {
        told(Key::Limit, limit.map(|(n, period)| Value::Rate(n, period)));
        told(Key::Burst, burst.map(Value::Count));
        told(Key::MaxWait, max_wait.map(Value::Duration));
        told(Key::Exact, exact.map(Value::Flag));
    }
    told(Key::Bulkhead, switch(options.bulkhead, |_| Value::On));
    if let Some(Switch::On(BulkheadOptions { concurrency, queue })) = options.bulkhead {
        told(Key::Concurrency, concurrency.map(Value::Count));
        told(Key::Queue, queue.map(Value::Count));
    }
    told(Key::Budget, switch(options.budget, |_| Value::On));
    if let Some(Switch::On(BudgetOptions {
        ratio,
        min_per_second,
    })) = options.budget
    {
        told(Key::Ratio, ratio.map(Value::Number));
        told(Key::MinPerSecond, min_per_second.map(Value::Count));
    }
}

fn breaker_of(breaker: &BreakerOptions, told: &mut impl FnMut(Key, Option<Value>)) {
    let counts = [
        (Key::FailureThreshold, breaker.failure_threshold),
        (Key::DistinctCalls, breaker.distinct_calls),
        (Key::MinimumCalls, breaker.minimum_calls),
        (Key::SuccessThreshold, breaker.success_threshold),
    ];
    for (key, count) in counts {
        told(key, count.map(Value::Count));
    }
    let shares = [
        (Key::FailureRateThreshold, breaker.failure_rate_threshold),
        (Key::SlowCallRateThreshold, breaker.slow_call_rate_threshold),
    ];
    for (key, share) in shares {
        told(key, share.map(Value::Number));
    }
    told(
        Key::SlowCallDuration,
        breaker.slow_call_duration.map(Value::Duration),
    );
    told(
        Key::Window,
        breaker.window.map(|window: Window| Value::Window(window)),
    );
    // Written as one: `wait_duration = "30s..5m"`.
    let first = breaker.wait_duration.or(breaker.wait_duration_max);
    let last = breaker.wait_duration_max.or(breaker.wait_duration);
    told(
        Key::WaitDuration,
        first
            .zip(last)
            .map(|(first, last)| Value::Wait(first, last)),
    );
    let lists = [(Key::Ignore, breaker.ignore), (Key::Record, breaker.record)];
    for (key, list) in lists {
        told(
            key,
            list.map(|list| Value::Categories(Categories::of(list))),
        );
    }
}

fn switch<T>(switch: Option<Switch<T>>, on: impl FnOnce(T) -> Value) -> Option<Value> {
    match switch? {
        Switch::Off => Some(Value::Off),
        Switch::On(value) => Some(on(value)),
    }
}
