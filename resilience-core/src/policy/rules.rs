//! What makes no sense in a policy. For attributes, the compiler says the same.

use crate::options::{Options, Switch, Window};
use crate::settings::BreakerSettings;
use crate::settings::key::{Key, Kind, Value};
use crate::settings::layer::Layer;
use crate::settings::origin::{Level, Origin};

/// Every rule that is broken: the field, and the rule in words.
pub(super) fn broken(options: &Options) -> Vec<(&'static str, String)> {
    let mut broken = Vec::new();
    let names = [
        ("operation", options.operation),
        ("service", options.service),
    ];
    for (field, name) in names {
        if name.is_some_and(str::is_empty) {
            broken.push((field, format!("`{field}` must not be empty")));
        }
    }
    let layer = Layer::of(options, &Origin::built_in(Level::Attribute));
    for (key, entry) in layer.iter() {
        if let Some(rule) = rule(*key, &entry.value) {
            broken.push((key.path(), format!("`{}` {rule}", key.path())));
        }
    }
    let backoff = options.backoff;
    if let (Some(initial), Some(max)) = (backoff.initial, backoff.max)
        && initial > max
    {
        broken.push((
            "backoff",
            "`backoff.initial` must not be above `backoff.max`".into(),
        ));
    }
    if let (Some(Switch::On(timeout)), Some(Switch::On(deadline))) =
        (options.timeout, options.deadline)
        && deadline < timeout
    {
        broken.push((
            "deadline",
            "`deadline`, the time for the whole call, is below `timeout`, the time for one attempt"
                .into(),
        ));
    }
    if let Some(Switch::On(breaker)) = &options.breaker
        && let Some(contradiction) = breaker.contradiction()
    {
        broken.push(("breaker", contradiction.into()));
    }
    // That of a service may come from elsewhere.
    if let Some(Switch::On(rate_limit)) = options.rate_limit
        && rate_limit.limit.is_none()
        && options.service.is_none()
    {
        broken.push((
            "rate_limit",
            "`rate_limit` needs a `limit`: how many attempts in which time?".into(),
        ));
    }
    if options.fail_fast {
        for (key, _) in layer.iter() {
            if Key::RETRY.contains(key) || RETRIES.contains(key) {
                let rule = "is for `Policy::builder`: `Policy::fail_fast` never retries";
                broken.push((key.path(), format!("`{}` {rule}", key.path())));
            }
        }
    }
    broken
}

/// What else is about retries alone.
const RETRIES: [Key; 3] = [Key::Nested, Key::Idempotent, Key::Budget];

/// What a value of this key must be, if it is not.
fn rule(key: Key, value: &Value) -> Option<String> {
    match (key.kind(), value.clone()) {
        (Kind::Count(least, most), Value::Count(count)) => {
            if count < least {
                Some(format!("must be at least {least}"))
            } else {
                (count > most).then(|| format!("must be at most {most}"))
            }
        }
        (Kind::Factor, Value::Number(factor)) => {
            let fits = factor.is_finite() && factor >= 1.0;
            (!fits).then(|| "must be a number of at least 1".into())
        }
        (Kind::Share, Value::Number(share)) => {
            let fits = share > 0.0 && share <= 1.0;
            (!fits).then(|| "is a share above 0 and at most 1: half of them is 0.5".into())
        }
        (Kind::Ratio, Value::Number(ratio)) => {
            let fits = ratio == 0.0 || (0.01..=10.0).contains(&ratio);
            (!fits).then(|| "is 0, or a share of the calls between 0.01 and 10".into())
        }
        (Kind::Duration(least), Value::Duration(duration)) => {
            (duration < least).then(|| "must not be zero".into())
        }
        (Kind::Limit, Value::Duration(duration)) => (duration.is_zero())
            .then(|| format!("must not be zero: use `{key}_off`", key = key.name())),
        (Kind::Wait, Value::Wait(first, last)) => {
            (first.is_zero() || last.is_zero()).then(|| "must not be zero".into())
        }
        (Kind::Window, Value::Window(Window::Count(calls))) => {
            let most = BreakerSettings::MAX_WINDOW;
            (calls == 0 || calls > most)
                .then(|| format!("must be at least 1 and at most {most} outcomes"))
        }
        (Kind::Window, Value::Window(Window::Time(span))) => {
            (span < BreakerSettings::MIN_SPAN).then(|| "must be at least 1 ms".into())
        }
        (Kind::Rate, Value::Rate(attempts, period)) => (attempts == 0 || period.is_zero())
            .then(|| "must let at least one attempt through, in a time that is not zero".into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::options::{
        BackoffOptions, BreakerOptions, BudgetOptions, BulkheadOptions, Nested, RateLimitOptions,
    };

    fn told(change: impl FnOnce(&mut Options)) -> String {
        let mut options = Options::resilient();
        change(&mut options);
        let broken = broken(&options);
        let texts: Vec<_> = broken.into_iter().map(|(_, text)| text).collect();
        texts.join("; ")
    }

    #[test]
    fn r3_l6_each_number_has_its_rule() {
        let number = |number| {
            let backoff = BackoffOptions::new().factor(number);
            told(|options| options.backoff = backoff)
        };
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(
                number(wrong),
                "`backoff.factor` must be a number of at least 1"
            );
        }
        assert_eq!(number(2.0), "");

        let breaker = BreakerOptions::new()
            .failure_threshold(0)
            .slow_call_rate_threshold(f64::NAN);
        let texts = told(|options| options.breaker = Some(Switch::On(breaker)));
        assert!(texts.contains("`breaker.failure_threshold` must be at least 1"));
        assert!(texts.contains("`breaker.slow_call_rate_threshold` is a share"));
        assert!(texts.contains("needs `slow_call_duration`"), "{texts}");

        let limit = RateLimitOptions::new().limit(0, Duration::ZERO);
        let texts = told(|options| options.rate_limit = Some(Switch::On(limit)));
        assert!(texts.contains("must let at least one attempt through"));
        let texts = told(|options| options.rate_limit = Some(Switch::On(RateLimitOptions::new())));
        assert!(texts.contains("needs a `limit`"));

        let bulkhead = BulkheadOptions::new().concurrency(0);
        let texts = told(|options| options.bulkhead = Some(Switch::On(bulkhead)));
        assert_eq!(texts, "`bulkhead.concurrency` must be at least 1");

        let budget = BudgetOptions::new().ratio(-0.2);
        let texts = told(|options| options.budget = Some(Switch::On(budget)));
        assert!(texts.starts_with("`budget.ratio` is 0, or a share"));

        let texts = told(|options| options.timeout = Some(Switch::On(Duration::ZERO)));
        assert_eq!(texts, "`timeout` must not be zero: use `timeout_off`");
        let texts = told(|options| {
            options.timeout = Some(Switch::On(Duration::from_secs(2)));
            options.deadline = Some(Switch::On(Duration::from_secs(1)));
        });
        assert!(texts.contains("is below `timeout`"), "{texts}");
    }

    #[test]
    fn the_limit_of_a_service_may_come_from_elsewhere() {
        let texts = told(|options| {
            options.service = Some("search");
            options.rate_limit = Some(Switch::On(RateLimitOptions::new().burst(1)));
        });
        assert_eq!(texts, "");
    }

    #[test]
    fn a_policy_that_fails_fast_has_no_retries() {
        let texts = told(|options| *options = Options::fail_fast().retries(2));
        assert!(texts.contains("`Policy::fail_fast` never retries"));
        for useless in [
            Options::fail_fast().nested(Nested::Retry),
            Options::fail_fast().idempotent(false),
            Options::fail_fast().budget(BudgetOptions::new().ratio(0.1)),
            Options::fail_fast().budget_off(),
        ] {
            let texts = told(|options| *options = useless);
            assert!(texts.contains("is for `Policy::builder`"), "{useless}");
        }
    }
}
