//! Rules about options that are written beside each other. Only literals can contradict each other
//! here; constants do so in the runtime's builder, when they are evaluated. Each rule is a Rust
//! function with an example of what it refuses.

use proc_macro2::Ident;

use crate::args::{Args, Attribute, Opt, Switch};
use crate::ctxt::Ctxt;
use crate::limits::Limit;
use crate::number::Count;
use crate::policy::{Backoff, Breaker, DEFAULT_WINDOW, Window};
use crate::time::Time;

/// The rules for all that is known of a function.
pub(crate) fn consistent(args: &Args, ctxt: &Ctxt) {
    free_of_contradictions(args, ctxt);
    rate_limit_has_its_limit(args, ctxt);
}

/// The rules that hold for the defaults of a block as well, to which a method adds its own.
pub(crate) fn free_of_contradictions(args: &Args, ctxt: &Ctxt) {
    backoff_in_order(args, ctxt);
    deadline_holds_an_attempt(args, ctxt);
    breaker_is_consistent(args, ctxt);
    retries_for_what_shapes_them(args, ctxt);
}

/// Options that say how to try again, and mean nothing where nothing is tried again.
pub(crate) const OF_RETRIES: &[&str] = &[
    "backoff",
    "retry_if",
    "retry_if_ok",
    "before_retry",
    "nested",
    "idempotent",
];

/// ```text
/// backoff(initial = "1m", max = "30s")
/// ```
fn backoff_in_order(args: &Args, ctxt: &Ctxt) {
    let Some(Opt {
        value:
            Backoff {
                initial: Some(initial),
                max: Some(max),
                ..
            },
        ..
    }) = &args.backoff
    else {
        return;
    };
    if let (Some(low), Some(high)) = (initial.value.literal, max.value.literal)
        && low > high
    {
        ctxt.error(&initial.value.expr, "`initial` must not be above `max`");
    }
}

/// ```text
/// timeout = "30s", deadline = "10s"
/// ```
fn deadline_holds_an_attempt(args: &Args, ctxt: &Ctxt) {
    if outlasts(args, args)
        && let Some(Opt {
            value: Switch::On(time),
            ..
        }) = &args.deadline
    {
        ctxt.error(
            &time.expr,
            "`deadline`, the time for the whole call, is below `timeout`, the time for one \
             attempt",
        );
    }
}

/// Whether an attempt with the timeout of the one may take longer than a call with the deadline of
/// the other.
pub(crate) fn outlasts(attempt: &Args, call: &Args) -> bool {
    let literal = |option: &Option<Opt<Switch<Time>>>| match option {
        Some(Opt {
            value: Switch::On(time),
            ..
        }) => time.literal,
        _ => None,
    };
    match (literal(&attempt.timeout), literal(&call.deadline)) {
        (Some(timeout), Some(deadline)) => deadline < timeout,
        _ => false,
    }
}

/// The rules about the numbers of a breaker.
fn breaker_is_consistent(args: &Args, ctxt: &Ctxt) {
    let Some(Opt {
        value: Switch::On(breaker),
        ..
    }) = &args.breaker
    else {
        return;
    };
    failures_are_enough(breaker, ctxt);
    one_rule_opens(breaker, ctxt);
    slow_is_said(breaker, ctxt);
    window_has_a_share(breaker, ctxt);
    window_holds_the_minimum(breaker, ctxt);
    categories_are_in_one_list(breaker, ctxt);
}

/// ```text
/// breaker(failure_threshold = 1, distinct_calls = 2)
/// ```
fn failures_are_enough(breaker: &Breaker, ctxt: &Ctxt) {
    let literal = |count: &Option<Opt<Count>>| count.as_ref().and_then(|c| c.value.literal);
    if let (Some(failures), Some(distinct), Some(calls)) = (
        literal(&breaker.failure_threshold),
        literal(&breaker.distinct_calls),
        &breaker.distinct_calls,
    ) && distinct > failures
    {
        ctxt.error(
            &calls.value,
            format!(
                "{failures} failures cannot come from {distinct} calls: `distinct_calls` must \
                 not be above `failure_threshold`"
            ),
        );
    }
}

/// ```text
/// breaker(failure_rate_threshold = 0.5, failure_threshold = 5)
/// breaker(failure_rate_threshold = 0.5, distinct_calls = 2)
/// ```
fn one_rule_opens(breaker: &Breaker, ctxt: &Ctxt) {
    let Some(rate) = &breaker.failure_rate_threshold else {
        return;
    };
    if let Some(failures) = &breaker.failure_threshold {
        ctxt.error(
            &failures.name,
            "failures in a row or their rate opens a breaker: write `failure_threshold` or \
             `failure_rate_threshold`",
        );
    }
    if let Some(calls) = &breaker.distinct_calls {
        let rate = &rate.name;
        ctxt.error(&calls.name, format!("with `{rate}` write `minimum_calls`"));
    }
}

/// ```text
/// breaker(slow_call_rate_threshold = 0.5)
/// ```
fn slow_is_said(breaker: &Breaker, ctxt: &Ctxt) {
    if let (Some(rate), None) = (
        &breaker.slow_call_rate_threshold,
        &breaker.slow_call_duration,
    ) {
        ctxt.error(
            &rate.name,
            "what is slow? write `slow_call_duration = \"2s\"` as well",
        );
    }
}

/// Whether the breaker looks at shares of what is in its window.
fn has_share(breaker: &Breaker) -> bool {
    breaker.failure_rate_threshold.is_some() || breaker.slow_call_duration.is_some()
}

/// ```text
/// breaker(window = 10)
/// ```
fn window_has_a_share(breaker: &Breaker, ctxt: &Ctxt) {
    if has_share(breaker) {
        return;
    }
    let names = [
        breaker.window.as_ref().map(|option| &option.name),
        breaker.minimum_calls.as_ref().map(|option| &option.name),
    ];
    for name in names.into_iter().flatten() {
        ctxt.error(
            name,
            format!("`{name}` needs `failure_rate_threshold` or `slow_call_duration`"),
        );
    }
}

/// ```text
/// breaker(failure_rate_threshold = 0.5, window = 10, minimum_calls = 20)
/// breaker(failure_rate_threshold = 0.5, minimum_calls = 101)
/// ```
fn window_holds_the_minimum(breaker: &Breaker, ctxt: &Ctxt) {
    if let (None, Some(minimum)) = (&breaker.window, &breaker.minimum_calls)
        && has_share(breaker)
        && minimum
            .value
            .literal
            .is_some_and(|calls| calls > DEFAULT_WINDOW)
    {
        ctxt.error(
            &minimum.value,
            format!(
                "`minimum_calls` is above {DEFAULT_WINDOW}, the default `window`: write a larger \
                 one"
            ),
        );
    }
    if let (
        Some(Opt {
            value:
                Window::Count(Count {
                    literal: Some(window),
                    ..
                }),
            ..
        }),
        Some(Opt {
            value:
                minimum @ Count {
                    literal: Some(calls),
                    ..
                },
            ..
        }),
    ) = (&breaker.window, &breaker.minimum_calls)
        && calls > window
    {
        ctxt.error(
            minimum,
            format!("a window of {window} never holds {calls} calls: `minimum_calls` is too high"),
        );
    }
}

/// ```text
/// breaker(ignore("timeout"), record("auth", "timeout"))
/// ```
fn categories_are_in_one_list(breaker: &Breaker, ctxt: &Ctxt) {
    let (Some(ignore), Some(record)) = (&breaker.ignore, &breaker.record) else {
        return;
    };
    for recorded in &record.value {
        let text = recorded.text();
        if ignore.value.iter().any(|ignored| ignored.text() == text) {
            ctxt.error(
                &recorded.written,
                format!("`{text}` is in `ignore` as well: write it in one of them"),
            );
        }
    }
}

/// The limit may come from the service, where one is named.
///
/// ```text
/// rate_limit(burst = 10)
/// ```
fn rate_limit_has_its_limit(args: &Args, ctxt: &Ctxt) {
    // A number that is written and wrong has been reported.
    if args.service.is_some() || !ctxt.is_empty() {
        return;
    }
    if let Some(Opt {
        name,
        value: Switch::On(Limit::Long(written)),
    }) = &args.rate_limit
        && written.limit.is_none()
    {
        ctxt.error(
            name,
            "so many in what time? write `limit = \"100/60s\"` as well",
        );
    }
}

/// ```text
/// retries = 0, backoff(initial = "1s")
/// ```
fn retries_for_what_shapes_them(args: &Args, ctxt: &Ctxt) {
    if args.attribute == Attribute::FailFast || !args.one_attempt() {
        return;
    }
    let names = args.written.iter().map(|arg| &arg.name);
    let of_retries = |name: &&Ident| OF_RETRIES.iter().any(|option| *name == option);
    for name in names.filter(of_retries) {
        ctxt.error(
            name,
            format!("with `retries = 0` there is nothing for `{name}` to do"),
        );
    }
}
