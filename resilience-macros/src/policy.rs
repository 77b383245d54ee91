//! The numbers of retry pauses, time limits and the breaker.

use std::time::Duration;

use proc_macro2::Group;
use quote::ToTokens as _;
use syn::punctuated::Punctuated;
use syn::{Expr, Lit, LitStr, Token};

use crate::args::{Opt, Switch};
use crate::category::Category;
use crate::ctxt::Ctxt;
use crate::forms::{expr, is_off, list, means_off, whole_number, wrong};
use crate::grammar::{self, RawArg, RawValue, inside, peel};
use crate::names;
use crate::number::{Count, Factor, Share};
use crate::redirect::unknown_in;
use crate::time::Time;
use crate::word::Word;

/// `backoff(..)`
#[derive(Default)]
pub(crate) struct Backoff {
    pub(crate) initial: Option<Opt<Time>>,
    pub(crate) max: Option<Opt<Time>>,
    pub(crate) factor: Option<Opt<Factor>>,
    pub(crate) jitter: Option<Opt<Word>>,
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
    pub(crate) ignore: Option<Opt<Vec<Listed>>>,
    pub(crate) record: Option<Opt<Vec<Listed>>>,
}

/// A category in `ignore(..)` or `record(..)`, and how it is written.
pub(crate) struct Listed {
    pub(crate) category: Category,
    pub(crate) written: Expr,
}

impl Listed {
    /// As it is written.
    pub(crate) fn text(&self) -> String {
        self.written.to_token_stream().to_string()
    }
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

pub(crate) fn switch_time(arg: &RawArg, form: &str, ctxt: &Ctxt) -> Option<Opt<Switch<Time>>> {
    let (name, expr) = (arg.name.to_string(), expr(arg, form, ctxt)?);
    if is_off(&expr) {
        return Some(arg.opt(Switch::Off));
    }
    if means_off(&expr) {
        ctxt.error(&expr, format!("write `{name} = off`"));
        return None;
    }
    let instead = format!(": write `{name} = off` for none");
    let time = Time::positive(&name, &instead, &expr, ctxt)?;
    Some(arg.opt(Switch::On(time)))
}

pub(crate) fn switch_breaker(
    arg: &RawArg,
    form: &str,
    ctxt: &Ctxt,
) -> Option<Opt<Switch<Breaker>>> {
    let on = |group: &Group| breaker(group, ctxt);
    switch(arg, form, "failure_threshold", on, ctxt)
}

/// `name = off`, or a list of numbers. A number alone is most likely meant for the option `main`.
pub(crate) fn switch<T>(
    arg: &RawArg,
    form: &str,
    main: &str,
    on: impl FnOnce(&Group) -> T,
    ctxt: &Ctxt,
) -> Option<Opt<Switch<T>>> {
    let name = &arg.name;
    match &arg.value {
        RawValue::Expr(expr) if is_off(expr) => Some(arg.opt(Switch::Off)),
        RawValue::Expr(expr) => {
            let form = match whole_number(expr) {
                Some(number @ 1..) => format!("{name}({main} = {number})"),
                _ => form.to_owned(),
            };
            ctxt.error(expr, format!("write `{form}`, or `{name} = off`"));
            None
        }
        _ => list(arg, form, ctxt).map(|group| arg.opt(Switch::On(on(&group)))),
    }
}

pub(crate) fn backoff(group: &Group, ctxt: &Ctxt) -> Backoff {
    let mut backoff = Backoff::default();
    for (arg, expr) in nested(group, "backoff", ctxt) {
        let name = arg.name.to_string();
        let time = || Time::parse(&name, &expr, ctxt).map(|value| arg.opt(value));
        match name.as_str() {
            "initial" => backoff.initial = time(),
            "max" => backoff.max = time(),
            "factor" => backoff.factor = Factor::parse(&expr, ctxt).map(|value| arg.opt(value)),
            _ => backoff.jitter = Word::jitter(&expr, ctxt).map(|value| arg.opt(value)),
        }
    }
    backoff
}

fn breaker(group: &Group, ctxt: &Ctxt) -> Breaker {
    let mut breaker = Breaker::default();
    for arg in options(group, "breaker", ctxt) {
        let name = arg.name.to_string();
        let form = names::form("breaker", &name).unwrap_or_default();
        match name.as_str() {
            "ignore" => {
                breaker.ignore = categories(&arg, form, ctxt);
                continue;
            }
            "record" => {
                breaker.record = categories(&arg, form, ctxt);
                continue;
            }
            _ => {}
        }
        let Some(expr) = expr(&arg, form, ctxt) else {
            continue;
        };
        let count = || Count::positive(&name, &expr, ctxt).map(|value| arg.opt(value));
        let share = || Share::parse(&name, &expr, ctxt).map(|value| arg.opt(value));
        match name.as_str() {
            "failure_threshold" => breaker.failure_threshold = count(),
            "distinct_calls" => breaker.distinct_calls = count().filter(|calls| few(calls, ctxt)),
            "failure_rate_threshold" => breaker.failure_rate_threshold = share(),
            "slow_call_duration" => {
                let time = Time::positive(&name, "", &expr, ctxt);
                breaker.slow_call_duration = time.map(|value| arg.opt(value));
            }
            "slow_call_rate_threshold" => breaker.slow_call_rate_threshold = share(),
            "window" => breaker.window = window(&expr, ctxt).map(|value| arg.opt(value)),
            "minimum_calls" => breaker.minimum_calls = count(),
            "success_threshold" => breaker.success_threshold = count(),
            _ => breaker.wait_duration = wait(&expr, ctxt).map(|value| arg.opt(value)),
        }
    }
    breaker
}

/// `ignore("rate_limit", BILLING)`
fn categories(arg: &RawArg, form: &str, ctxt: &Ctxt) -> Option<Opt<Vec<Listed>>> {
    let group = list(arg, form, ctxt)?;
    let exprs = Punctuated::<Expr, Token![,]>::parse_terminated;
    let exprs = ctxt.ok(inside(&group, exprs))?;
    let mut listed: Vec<Listed> = Vec::new();
    for written in exprs {
        let Some(category) = Category::parse(&written, ctxt) else {
            continue;
        };
        let one = Listed { category, written };
        let text = one.text();
        if listed.iter().any(|other| other.text() == text) {
            ctxt.error(&one.written, format!("`{text}` is written twice"));
        } else {
            listed.push(one);
        }
    }
    Some(arg.opt(listed))
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

/// The `name = value` pairs of a list in an attribute, each of its options at most once.
pub(crate) fn nested(group: &Group, of: &str, ctxt: &Ctxt) -> Vec<(RawArg, Expr)> {
    let pair = |arg: RawArg| {
        let form = names::form(of, &arg.name.to_string())?;
        let expr = expr(&arg, form, ctxt)?;
        Some((arg, expr))
    };
    let args = options(group, of, ctxt).into_iter();
    args.filter_map(pair).collect()
}

/// The options of a list in an attribute, each at most once.
fn options(group: &Group, of: &str, ctxt: &Ctxt) -> Vec<RawArg> {
    let mut options: Vec<RawArg> = Vec::new();
    for arg in grammar::parse_list(group, ctxt) {
        let name = &arg.name;
        if names::form(of, &name.to_string()).is_none() {
            unknown_in(of, &format!("`{of}`"), &arg, ctxt);
        } else if options.iter().any(|other| other.name == *name) {
            ctxt.error(name, format!("`{name}` is written twice"));
        } else {
            options.push(arg);
        }
    }
    options
}
