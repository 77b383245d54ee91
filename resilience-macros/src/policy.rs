//! The numbers of retry pauses, time limits and the breaker.

use std::time::Duration;

use proc_macro2::{Group, Ident};
use syn::{Expr, Lit, LitStr};

use crate::args::{Opt, Switch};
use crate::ctxt::Ctxt;
use crate::forms::{expr, is_off, list, whole_number, wrong};
use crate::grammar::{self, RawArg, RawValue, peel};
use crate::names::{self, enumerate};
use crate::number::{Count, Factor, Share};
use crate::redirect;
use crate::time::Time;
use crate::word::Jitter;

/// `backoff(..)`
#[derive(Default)]
pub(crate) struct Backoff {
    pub(crate) initial: Option<Opt<Time>>,
    pub(crate) max: Option<Opt<Time>>,
    pub(crate) factor: Option<Opt<Factor>>,
    pub(crate) jitter: Option<Opt<Jitter>>,
}

/// `breaker(..)`
#[derive(Default)]
pub(crate) struct Breaker {
    pub(crate) failure_threshold: Option<Opt<Count>>,
    pub(crate) distinct_calls: Option<Opt<Count>>,
    pub(crate) failure_rate_threshold: Option<Opt<Share>>,
    pub(crate) slow_call_duration: Option<Opt<Time>>,
    pub(crate) slow_call_rate_threshold: Option<Opt<Share>>,
    pub(crate) window: Option<Opt<Window>>,
    pub(crate) minimum_calls: Option<Opt<Count>>,
    pub(crate) success_threshold: Option<Opt<Count>>,
    pub(crate) wait_duration: Option<Opt<Wait>>,
}

/// `window = 100`, `window = "10s"`, or an expression for a `Window`.
pub(crate) enum Window {
    Count(Count),
    Time(Time),
    Expr(Expr),
}

/// `wait_duration = "30s"`, or `"30s..5m"`: it doubles up to the second.
pub(crate) struct Wait {
    pub(crate) first: Time,
    pub(crate) longest: Option<Time>,
}

pub(crate) fn switch_time(name: &str, expr: &Expr, ctxt: &Ctxt) -> Option<Switch<Time>> {
    if is_off(expr) {
        return Some(Switch::Off);
    }
    let instead = format!(": write `{name} = off` for none");
    Time::positive(name, &instead, expr, ctxt).map(Switch::On)
}

pub(crate) fn switch_breaker(
    name: &Ident,
    value: RawValue,
    ctxt: &Ctxt,
) -> Option<Switch<Breaker>> {
    match value {
        RawValue::Expr(expr) if is_off(&expr) => Some(Switch::Off),
        RawValue::Expr(expr) => {
            let number = whole_number(&expr).unwrap_or(5);
            ctxt.error(
                expr,
                format!("write `breaker(failure_threshold = {number})`, or `breaker = off`"),
            );
            None
        }
        value => list(name, value, "failure_threshold = 5", ctxt)
            .map(|group| Switch::On(breaker(&group, ctxt))),
    }
}

pub(crate) fn backoff(group: &Group, ctxt: &Ctxt) -> Backoff {
    let mut backoff = Backoff::default();
    let redirect = redirect::backoff;
    for (name, expr) in nested(group, "backoff", names::BACKOFF, redirect, ctxt) {
        match name.to_string().as_str() {
            "initial" => {
                backoff.initial =
                    Time::parse("initial", &expr, ctxt).map(|value| Opt { name, value });
            }
            "max" => {
                backoff.max = Time::parse("max", &expr, ctxt).map(|value| Opt { name, value });
            }
            "factor" => {
                backoff.factor = Factor::parse(&expr, ctxt).map(|value| Opt { name, value });
            }
            _ => backoff.jitter = Jitter::parse(&expr, ctxt).map(|value| Opt { name, value }),
        }
    }
    backoff
}

fn breaker(group: &Group, ctxt: &Ctxt) -> Breaker {
    let mut breaker = Breaker::default();
    for (name, expr) in nested(group, "breaker", names::BREAKER, redirect::breaker, ctxt) {
        let text = name.to_string();
        match text.as_str() {
            "wait_duration" => {
                breaker.wait_duration = wait(&expr, ctxt).map(|value| Opt { name, value });
            }
            "slow_call_duration" => {
                breaker.slow_call_duration =
                    Time::positive(&text, "", &expr, ctxt).map(|value| Opt { name, value });
            }
            "window" => breaker.window = window(&expr, ctxt).map(|value| Opt { name, value }),
            "failure_rate_threshold" | "slow_call_rate_threshold" => {
                let share = Share::parse(&text, &expr, ctxt).map(|value| Opt { name, value });
                match text.as_str() {
                    "failure_rate_threshold" => breaker.failure_rate_threshold = share,
                    _ => breaker.slow_call_rate_threshold = share,
                }
            }
            _ => {
                let count = Count::positive(&text, &expr, ctxt).map(|value| Opt { name, value });
                match text.as_str() {
                    "failure_threshold" => breaker.failure_threshold = count,
                    "success_threshold" => breaker.success_threshold = count,
                    "minimum_calls" => breaker.minimum_calls = count,
                    _ => breaker.distinct_calls = count.filter(|calls| few(calls, ctxt)),
                }
            }
        }
    }
    breaker
}

/// What the runtime keeps of a breaker, as its builder checks constants.
pub(crate) const DEFAULT_WINDOW: u32 = 100;
const MAX_WINDOW: u32 = 100_000;
const MIN_SPAN: Duration = Duration::from_millis(1);
const MAX_DISTINCT_CALLS: u32 = 100;

fn few(calls: &Opt<Count>, ctxt: &Ctxt) -> bool {
    let few = calls
        .value
        .literal
        .is_none_or(|calls| calls <= MAX_DISTINCT_CALLS);
    few || wrong(
        ctxt,
        &calls.value.expr,
        &format!("`distinct_calls` must be at most {MAX_DISTINCT_CALLS}"),
    )
}

fn window(expr: &Expr, ctxt: &Ctxt) -> Option<Window> {
    match peel(expr) {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Int(int) if int.suffix().is_empty() => Count::positive("window", expr, ctxt)
                .filter(|count| {
                    let many = count.literal.is_some_and(|calls| calls > MAX_WINDOW);
                    let message = format!("`window` must be at most {MAX_WINDOW} outcomes");
                    !many || wrong(ctxt, expr, &message)
                })
                .map(Window::Count),
            _ => Time::positive("window", "", expr, ctxt)
                .filter(|time| {
                    let short = time.literal.is_some_and(|span| span < MIN_SPAN);
                    !short || wrong(ctxt, expr, "`window` must be at least 1 ms")
                })
                .map(Window::Time),
        },
        _ => Some(Window::Expr(expr.clone())),
    }
}

fn wait(expr: &Expr, ctxt: &Ctxt) -> Option<Wait> {
    let time = |expr: &Expr| Time::positive("wait_duration", "", expr, ctxt);
    if let Expr::Lit(lit) = peel(expr)
        && let Lit::Str(text) = &lit.lit
        && let Some((first, longest)) = text.value().split_once("..")
    {
        let part = |part: &str| {
            let literal = LitStr::new(part, text.span());
            time(&syn::parse_quote!(#literal))
        };
        let (first, longest) = (part(first)?, part(longest)?);
        if first.literal > longest.literal {
            ctxt.error(expr, "`wait_duration` begins above its end");
            return None;
        }
        return Some(Wait {
            first,
            longest: Some(longest),
        });
    }
    Some(Wait {
        first: time(expr)?,
        longest: None,
    })
}

/// The `name = value` pairs of a nested list, each name out of `known` and written once.
pub(crate) fn nested(
    group: &Group,
    of: &str,
    known: &'static [&'static str],
    redirect: fn(&str) -> Option<&'static str>,
    ctxt: &Ctxt,
) -> Vec<(Ident, Expr)> {
    let mut pairs: Vec<(Ident, Expr)> = Vec::new();
    for RawArg { name, value } in grammar::parse(group.stream(), ctxt) {
        let text = name.to_string();
        if !known.contains(&text.as_str()) {
            let hint = match redirect(&text).or_else(|| names::nearest(&text, known)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", enumerate(known)),
            };
            ctxt.error(&name, format!("`{of}` has no option `{text}`; {hint}"));
        } else if pairs.iter().any(|(other, _)| *other == name) {
            ctxt.error(&name, format!("`{text}` is written twice"));
        } else if let Some(expr) = expr(&name, value, "..", ctxt) {
            pairs.push((name, expr));
        }
    }
    pairs
}
