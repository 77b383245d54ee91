//! The numbers of the rate limit, the bulkhead and the retry budget.

use std::time::Duration;

use proc_macro2::{Group, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Expr, Lit, LitStr};

use crate::args::{Opt, Switch};
use crate::ctxt::Ctxt;
use crate::forms::{expr, is_off, list, means_off};
use crate::grammar::{RawArg, RawValue, peel};
use crate::number::{Count, Ratio};
use crate::policy::{nested, switch};
use crate::time::Time;
use crate::word::flag;

/// `rate_limit(..)`
#[derive(Default)]
pub(crate) struct RateLimit {
    pub(crate) limit: Option<Opt<Rate>>,
    pub(crate) burst: Option<Opt<Count>>,
    pub(crate) max_wait: Option<Opt<Time>>,
    pub(crate) exact: Option<Opt<Expr>>,
}

/// `rate_limit = "100/60s"`, `rate_limit = LIMIT` or `rate_limit(..)`
pub(crate) enum Limit {
    Short(Rate),
    /// An expression for a `RateLimitOptions`.
    Expr(Expr),
    Long(Box<RateLimit>),
}

/// So many attempts in this time, with the place of the text that says so.
pub(crate) struct Rate {
    attempts: u32,
    period: Time,
}

/// `bulkhead(..)`
#[derive(Default)]
pub(crate) struct Bulkhead {
    pub(crate) concurrency: Option<Opt<Count>>,
    pub(crate) queue: Option<Opt<Count>>,
}

/// `budget(..)`
#[derive(Default)]
pub(crate) struct Budget {
    pub(crate) ratio: Option<Opt<Ratio>>,
    pub(crate) min_per_second: Option<Opt<Count>>,
}

impl Rate {
    fn parse(name: &str, expr: &Expr, ctxt: &Ctxt) -> Option<Self> {
        let Expr::Lit(lit) = peel(expr) else {
            ctxt.error(
                expr,
                format!("`{name}` is a text: so many in a time, like `{name} = \"100/60s\"`"),
            );
            return None;
        };
        let text = match &lit.lit {
            Lit::Str(text) => text,
            other => {
                ctxt.error(expr, in_what_time(name, other));
                return None;
            }
        };
        match rate(&text.value()) {
            Ok((attempts, period)) => {
                let period = LitStr::new(&period, text.span());
                let period = Time::positive(name, "", &syn::parse_quote!(#period), ctxt)?;
                Some(Self { attempts, period })
            }
            Err(message) => {
                ctxt.error(expr, message);
                None
            }
        }
    }
}

/// The two values of `.limit(attempts, period)`.
impl ToTokens for Rate {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attempts, period } = self;
        tokens.extend(quote_spanned!(period.expr.span()=> #attempts, #period));
    }
}

/// What stands on both sides of the slash, or what is wrong with it and how to write it.
fn rate(text: &str) -> Result<(u32, String), String> {
    let trimmed = text.trim();
    let wrong = |why: &str| Err(format!("`{text}` is no rate: {why}"));
    let Some((attempts, period)) = trimmed.split_once('/') else {
        return match number(trimmed) {
            Some(n) => wrong(&format!("in what time? write `\"{n}/60s\"`")),
            None => wrong("write so many in a time, as in `\"100/60s\"`"),
        };
    };
    let (attempts, period) = (attempts.trim(), period.trim());
    let Some(attempts) = number(attempts) else {
        return wrong(&format!(
            "`{attempts}` is no whole number; write it as in `\"100/60s\"`"
        ));
    };
    if attempts == 0 {
        return wrong("it must let at least one attempt through; `off` is no limit");
    }
    let Ok(attempts) = u32::try_from(attempts) else {
        return wrong(&format!("the number is above {}", u32::MAX));
    };
    // `100/s` is understood everywhere, but is no duration.
    if !period.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        return match humantime::parse_duration(&format!("1{period}")) {
            Ok(_) => wrong(&format!("write `\"{attempts}/1{period}\"`")),
            Err(_) => wrong("behind the slash stands a time, as in `\"100/60s\"`"),
        };
    }
    if period.bytes().all(|b| b.is_ascii_digit()) {
        return wrong(&format!(
            "the time needs a unit: write `\"{attempts}/{period}s\"`"
        ));
    }
    match humantime::parse_duration(period) {
        Ok(Duration::ZERO) => wrong("the time must be longer than zero"),
        Ok(_) => Ok((attempts, period.to_owned())),
        Err(_) => wrong(&format!(
            "`{period}` is no time; write it as in `\"{attempts}/60s\"`"
        )),
    }
}

fn number(text: &str) -> Option<u64> {
    text.replace('_', "").parse().ok()
}

fn in_what_time(name: &str, lit: &Lit) -> String {
    match lit {
        Lit::Int(int) if int.suffix().is_empty() => {
            let digits = int.base10_digits();
            format!("in what time? write `{name} = \"{digits}/60s\"`")
        }
        _ => format!("`{name}` is a text: so many in a time, like `{name} = \"100/60s\"`"),
    }
}

pub(crate) fn switch_rate_limit(
    arg: &RawArg,
    form: &str,
    ctxt: &Ctxt,
) -> Option<Opt<Switch<Limit>>> {
    let limit = match &arg.value {
        RawValue::Expr(expr) if is_off(expr) => return Some(arg.opt(Switch::Off)),
        RawValue::Expr(expr) if means_off(expr) => {
            ctxt.error(expr, "write `rate_limit = off`");
            return None;
        }
        RawValue::Expr(expr) => match peel(expr) {
            Expr::Lit(_) => Limit::Short(Rate::parse("rate_limit", expr, ctxt)?),
            _ => Limit::Expr((**expr).clone()),
        },
        RawValue::None => {
            expr(arg, form, ctxt)?;
            return None;
        }
        RawValue::List(_) => {
            let form = "rate_limit(limit = \"100/60s\")";
            Limit::Long(Box::new(rate_limit(&list(arg, form, ctxt)?, ctxt)))
        }
    };
    Some(arg.opt(Switch::On(limit)))
}

fn rate_limit(group: &Group, ctxt: &Ctxt) -> RateLimit {
    let mut limit = RateLimit::default();
    for (arg, expr) in nested(group, "rate_limit", ctxt) {
        let name = arg.name.to_string();
        match name.as_str() {
            "limit" => {
                limit.limit = Rate::parse(&name, &expr, ctxt).map(|value| arg.opt(value));
            }
            "burst" => {
                limit.burst = Count::positive(&name, &expr, ctxt).map(|value| arg.opt(value));
            }
            "max_wait" => {
                limit.max_wait = Time::parse(&name, &expr, ctxt).map(|value| arg.opt(value));
            }
            _ => limit.exact = flag(&name, &expr, ctxt).map(|value| arg.opt(value)),
        }
    }
    limit
}

pub(crate) fn switch_bulkhead(
    arg: &RawArg,
    form: &str,
    ctxt: &Ctxt,
) -> Option<Opt<Switch<Bulkhead>>> {
    let on = |group: &Group| bulkhead(group, ctxt);
    switch(arg, form, "concurrency", on, ctxt)
}

fn bulkhead(group: &Group, ctxt: &Ctxt) -> Bulkhead {
    let mut bulkhead = Bulkhead::default();
    for (arg, expr) in nested(group, "bulkhead", ctxt) {
        let name = arg.name.to_string();
        match name.as_str() {
            "concurrency" => {
                let slots = Count::positive(&name, &expr, ctxt);
                bulkhead.concurrency = slots.map(|value| arg.opt(value));
            }
            _ => bulkhead.queue = Count::parse(&name, &expr, ctxt).map(|value| arg.opt(value)),
        }
    }
    bulkhead
}

pub(crate) fn switch_budget(arg: &RawArg, form: &str, ctxt: &Ctxt) -> Option<Opt<Switch<Budget>>> {
    let on = |group: &Group| budget(group, ctxt);
    switch(arg, form, "min_per_second", on, ctxt)
}

fn budget(group: &Group, ctxt: &Ctxt) -> Budget {
    let mut budget = Budget::default();
    for (arg, expr) in nested(group, "budget", ctxt) {
        let name = arg.name.to_string();
        match name.as_str() {
            "ratio" => budget.ratio = Ratio::parse(&expr, ctxt).map(|value| arg.opt(value)),
            _ => budget.min_per_second = Count::parse(&name, &expr, ctxt).map(|n| arg.opt(n)),
        }
    }
    budget
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_and_a_time() {
        assert_eq!(rate("100/60s"), Ok((100, "60s".to_owned())));
        assert_eq!(rate(" 1_000 / 1m 30s "), Ok((1000, "1m 30s".to_owned())));
        assert_eq!(
            rate("4294967295/1s"),
            Ok((u32::MAX, "1s".to_owned())),
            "the largest"
        );
    }

    #[test]
    fn a_malformed_rate_says_what_to_write() {
        for (text, part) in [
            ("100", "write `\"100/60s\"`"),
            ("100 per minute", "as in `\"100/60s\"`"),
            ("100/60", "write `\"100/60s\"`"),
            ("100/s", "write `\"100/1s\"`"),
            ("100/", "behind the slash stands a time"),
            ("100/soon", "behind the slash stands a time"),
            ("100/6x", "`6x` is no time"),
            ("100/-1s", "`-1s` is no time"),
            ("1.5/1s", "`1.5` is no whole number"),
            ("-1/1s", "`-1` is no whole number"),
            ("/1s", "`` is no whole number"),
            ("0/1s", "at least one attempt"),
            ("4294967296/1s", "above 4294967295"),
            ("10/0s", "longer than zero"),
        ] {
            let error = rate(text).expect_err(part);
            assert!(error.contains(part), "{error}");
        }
    }
}
