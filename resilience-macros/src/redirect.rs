//! What to write for the words of other crates, and for options in the wrong place.

use crate::args::Attribute;
use crate::ctxt::Ctxt;
use crate::forms::whole_number;
use crate::grammar::{RawArg, RawValue};
use crate::names::{self, enumerate};

/// Says what to write instead of an option that this attribute does not have.
pub(crate) fn unknown(attribute: Attribute, arg: &RawArg, ctxt: &Ctxt) {
    let name = arg.name.to_string();
    let this = attribute.name();
    let (other, reason) = match attribute {
        Attribute::Resilient => (
            Attribute::FailFast,
            "a function that checks its requirements before each call is `#[fail_fast]`",
        ),
        Attribute::FailFast => (
            Attribute::Resilient,
            "a function that retries is `#[resilient]`",
        ),
    };
    if names::options(other).contains(&name.as_str()) {
        let reason = match name.as_str() {
            "deadline" => "its one attempt is bounded by `timeout`",
            "resource" => "a function that leases resources before its body runs is `#[fail_fast]`",
            _ => reason,
        };
        let other = other.name();
        ctxt.error(
            &arg.name,
            format!("`{name}` is an option of `#[{other}]`, not of `#[{this}]`: {reason}"),
        );
        return;
    }
    if name == "skip" {
        ctxt.error(
            &arg.name,
            "`skip` leaves a method out of an annotated `impl` block or trait",
        );
        return;
    }
    if PLANNED.contains(&name.as_str()) {
        ctxt.error(
            &arg.name,
            format!("`{name}` is not built yet: this version does not have it"),
        );
        return;
    }
    let number = match &arg.value {
        RawValue::Expr(expr) => whole_number(expr),
        _ => None,
    };
    let hint = if let Some(hint) = redirect(&name, number) {
        hint
    } else if let Some(near) = names::nearest(&name, names::options(attribute)) {
        format!("did you mean `{near}`?")
    } else {
        format!("there are {}", enumerate(names::options(attribute)))
    };
    ctxt.error(
        &arg.name,
        format!("`#[{this}]` has no option `{name}`; {hint}"),
    );
}

/// Options that are designed and not built: nothing is accepted and ignored.
const PLANNED: &[&str] = &["enabled"];

/// What to write for a word that is an option in another crate, or in another place of ours.
/// `number` is the value where it is a whole number.
fn redirect(word: &str, number: Option<u64>) -> Option<String> {
    let text = match word {
        "attempts" | "max_attempts" | "total_attempts" | "tries" | "max_tries" | "stop_after" => {
            let retries = match number {
                Some(n @ 1..) => format!("retries = {}", n - 1),
                _ => "retries = n".to_owned(),
            };
            format!("write `{retries}`: `retries` counts the attempts after the first")
        }
        "max_retries" | "max_retry" | "retry" | "retry_count" | "num_retries" | "max_times"
        | "times" => match number {
            Some(n) => format!("write `retries = {n}`"),
            None => "write `retries = n`, the number of attempts after the first".to_owned(),
        },
        "failure_threshold"
        | "success_threshold"
        | "distinct_calls"
        | "minimum_calls"
        | "failure_rate_threshold"
        | "slow_call_rate_threshold" => {
            let number = number.map_or_else(|| "n".to_owned(), |n| n.to_string());
            format!("it belongs to the breaker: write `breaker({word} = {number})`")
        }
        "wait_duration" | "open_for" | "reset_timeout" | "recovery_timeout" | "break_for" => {
            "it belongs to the breaker: write `breaker(wait_duration = \"30s\")`".to_owned()
        }
        "circuit_breaker" | "circuit" | "cb" => {
            "write `breaker(failure_threshold = 5)`, or `breaker = off`".to_owned()
        }
        "initial" | "initial_delay" | "initial_backoff" | "initial_interval" | "base_delay"
        | "min_delay" | "min_backoff" | "delay" | "interval" | "wait" => {
            "it belongs to the backoff: write `backoff(initial = \"1s\")`".to_owned()
        }
        "max" | "max_delay" | "max_backoff" | "max_interval" | "max_wait" => {
            "it belongs to the backoff: write `backoff(max = \"30s\")`".to_owned()
        }
        "factor" | "multiplier" => "it belongs to the backoff: write `backoff(factor = 2)`".into(),
        "jitter" => "it belongs to the backoff: write `backoff(jitter = \"full\")`".into(),
        "exponential" | "strategy" => {
            "delays always grow: write `backoff(initial = \"1s\", factor = 2)`".to_owned()
        }
        "timeout_ms" | "timeout_millis" => unit("timeout", number, "ms", 500),
        "timeout_s" | "timeout_sec" | "timeout_secs" | "timeout_seconds" => {
            unit("timeout", number, "s", 30)
        }
        "deadline_ms" | "deadline_millis" => unit("deadline", number, "ms", 500),
        "deadline_s" | "deadline_secs" | "deadline_seconds" => unit("deadline", number, "s", 120),
        "total_timeout" | "overall_timeout" | "max_duration" | "max_elapsed"
        | "max_elapsed_time" | "stop_after_delay" | "total_delay" => {
            "write `deadline = \"2m\"`: the time for all attempts and the delays between them"
                .into()
        }
        "attempt_timeout" | "per_attempt_timeout" | "time_limit" => {
            "write `timeout = \"30s\"`: the time for one attempt".to_owned()
        }
        "when" | "retry_on" | "retry_when" | "retry_if_err" | "predicate" | "condition" | "if" => {
            "write `retry_if = |error| ..`".to_owned()
        }
        "on_retry" | "before_sleep" | "notify" | "after_retry" => {
            "write `before_retry = |error| ..`".to_owned()
        }
        "name" => "write `operation = \"..\"`, or `service = \"..\"` to share a breaker".to_owned(),
        "op" => "write `operation = \"..\"`".to_owned(),
        "kind" => "write `category = \"..\"`".to_owned(),
        "limit" | "rate" | "throttle" | "ratelimit" | "limit_for_period" => {
            "write `rate_limit = \"100/60s\"`".to_owned()
        }
        "burst" => "it belongs to the rate limit: write `rate_limit(limit = \"100/60s\", \
                    burst = 100)`"
            .to_owned(),
        "concurrency"
        | "max_concurrent"
        | "max_concurrent_calls"
        | "max_concurrency"
        | "semaphore"
        | "permits" => {
            let number = number.unwrap_or(10);
            format!("it belongs to the bulkhead: write `bulkhead(concurrency = {number})`")
        }
        "queue" => {
            "it belongs to the bulkhead: write `bulkhead(concurrency = 10, queue = 100)`".to_owned()
        }
        "retry_budget" | "ratio" | "min_per_second" => {
            "write `budget(ratio = 0.2, min_per_second = 10)`, or `budget = off`".to_owned()
        }
        "map_err" | "on_rejected" | "on_rejection" | "error" => {
            "write `reject_with = path`, a function from `resilience::Error`".to_owned()
        }
        "requires" | "validate" | "check" => {
            "write `require(condition, field = \"name\", \"message\")`".to_owned()
        }
        "resources" | "lease" => "write `resource(name = amount)`".to_owned(),
        "or_else" | "fallback_to" | "recover" | "default" | "on_failure" => {
            "write `fallback = path`, a function that takes the error as well".to_owned()
        }
        "keyed" | "partition" | "partition_by" | "group_by" => "write `key = expr`".to_owned(),
        "krate" => "write `crate = path`".to_owned(),
        "box" | "boxing" => "write `boxed`".to_owned(),
        _ => return None,
    };
    Some(text)
}

fn unit(option: &str, number: Option<u64>, unit: &str, example: u64) -> String {
    format!("write `{option} = \"{}{unit}\"`", number.unwrap_or(example))
}

/// As [`redirect`], inside `backoff(..)`.
pub(crate) fn backoff(word: &str) -> Option<&'static str> {
    Some(match word {
        "base" | "delay" | "min" | "start" | "initial_delay" | "base_delay" | "min_delay"
        | "interval" => "initial",
        "cap" | "max_delay" | "limit" | "maximum" | "max_interval" => "max",
        "multiplier" | "exponent" | "exp_base" | "rate" => "factor",
        "randomization_factor" | "randomize" => "jitter",
        _ => return None,
    })
}

/// As [`redirect`], inside `breaker(..)`.
pub(crate) fn breaker(word: &str) -> Option<&'static str> {
    Some(match word {
        "threshold" | "failures" | "max_failures" | "consecutive_failures" | "fail_max" => {
            "failure_threshold"
        }
        "successes" | "half_open_requests" | "half_open_max_calls" | "permitted_calls" => {
            "success_threshold"
        }
        "open_for" | "open" | "timeout" | "reset_timeout" | "recovery_timeout" | "cooldown"
        | "wait" | "break_for" | "delay" => "wait_duration",
        "calls" => "distinct_calls",
        "failure_rate" | "error_rate" | "rate" | "failure_ratio" => "failure_rate_threshold",
        "slow_call_rate" | "slow_rate" => "slow_call_rate_threshold",
        "slow_call_threshold" | "slow_duration" | "slow" => "slow_call_duration",
        "sliding_window_size" | "window_size" | "sliding_window" => "window",
        "min_calls" | "minimum_number_of_calls" | "minimum_throughput" => "minimum_calls",
        _ => return None,
    })
}

/// As [`redirect`], inside `rate_limit(..)`.
pub(crate) fn rate_limit(word: &str) -> Option<&'static str> {
    Some(match word {
        "rate" | "permits" | "calls" | "limit_for_period" | "requests" | "quota" => "limit",
        "capacity" | "burst_size" | "bucket" => "burst",
        "timeout" | "wait" | "timeout_duration" | "max_delay" => "max_wait",
        _ => return None,
    })
}

/// As [`redirect`], inside `bulkhead(..)`.
pub(crate) fn bulkhead(word: &str) -> Option<&'static str> {
    Some(match word {
        "max_concurrent_calls" | "max_concurrency" | "permits" | "limit" | "max" | "slots" => {
            "concurrency"
        }
        "waiting" | "waiting_task_queue" | "queue_size" | "max_queue" | "max_wait" => "queue",
        _ => return None,
    })
}

/// As [`redirect`], inside `budget(..)`.
pub(crate) fn budget(word: &str) -> Option<&'static str> {
    Some(match word {
        "percent" | "retry_ratio" | "share" | "retry_percent" => "ratio",
        "floor" | "min" | "minimum" | "min_retries_per_sec" | "reserve" => "min_per_second",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_become_retries() {
        let text = redirect("attempts", Some(5)).unwrap_or_default();
        assert!(text.starts_with("write `retries = 4`"), "{text}");
    }
}
