//! The numbers of the rate limit, the bulkhead and the retry budget.

use std::time::Duration;

use proc_macro2::{Group, Ident, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Expr, Lit, LitStr};

use crate::args::{Opt, Switch};
use crate::ctxt::Ctxt;
use crate::forms::{is_off, list, whole_number};
use crate::grammar::{RawValue, peel};
use crate::names;
use crate::number::{Count, Ratio};
use crate::policy::nested;
use crate::redirect;
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
#[allow(
    clippy::large_enum_variant,
    reason = "one of them at a time, for as long as a macro runs"
)]
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
    if ["off", "none", "never", "disabled"].contains(&trimmed) {
        return Err("`off` is written without quotes".into());
    }
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
        Lit::Bool(on) if !on.value => format!("write `{name} = off`"),
        _ => format!("`{name}` is a text: so many in a time, like `{name} = \"100/60s\"`"),
    }
}

pub(crate) fn switch_rate_limit(
    name: &Ident,
    value: RawValue,
    ctxt: &Ctxt,
) -> Option<Switch<Limit>> {
    match value {
        RawValue::Expr(expr) if is_off(&expr) => Some(Switch::Off),
        RawValue::Expr(expr) => match peel(&expr) {
            Expr::Lit(_) => {
                Rate::parse("rate_limit", &expr, ctxt).map(|rate| Switch::On(Limit::Short(rate)))
            }
            _ => Some(Switch::On(Limit::Expr(*expr))),
        },
        RawValue::None => {
            ctxt.error(
                name,
                "`rate_limit` needs a value: `rate_limit = \"100/60s\"`",
            );
            None
        }
        value @ RawValue::List(_) => list(name, value, "limit = \"100/60s\"", ctxt)
            .map(|group| Switch::On(Limit::Long(Box::new(rate_limit(&group, ctxt))))),
    }
}

fn rate_limit(group: &Group, ctxt: &Ctxt) -> RateLimit {
    let mut limit = RateLimit::default();
    let redirect = redirect::rate_limit;
    for (name, expr) in nested(group, "rate_limit", names::RATE_LIMIT, redirect, ctxt) {
        match name.to_string().as_str() {
            "limit" => {
                limit.limit = Rate::parse("limit", &expr, ctxt).map(|value| Opt { name, value });
            }
            "burst" => {
                limit.burst =
                    Count::positive("burst", &expr, ctxt).map(|value| Opt { name, value });
            }
            "max_wait" => {
                limit.max_wait =
                    Time::parse("max_wait", &expr, ctxt).map(|value| Opt { name, value });
            }
            _ => {
                limit.exact = flag("exact", &expr, ctxt).map(|value| Opt { name, value });
            }
        }
    }
    limit
}

pub(crate) fn switch_bulkhead(
    name: &Ident,
    value: RawValue,
    ctxt: &Ctxt,
) -> Option<Switch<Bulkhead>> {
    match value {
        RawValue::Expr(expr) if is_off(&expr) => Some(Switch::Off),
        RawValue::Expr(expr) => {
            let number = whole_number(&expr).unwrap_or(10);
            ctxt.error(
                expr,
                format!("write `bulkhead(concurrency = {number})`, or `bulkhead = off`"),
            );
            None
        }
        value => list(name, value, "concurrency = 10", ctxt)
            .map(|group| Switch::On(bulkhead(&group, ctxt))),
    }
}

fn bulkhead(group: &Group, ctxt: &Ctxt) -> Bulkhead {
    let mut bulkhead = Bulkhead::default();
    let redirect = redirect::bulkhead;
    for (name, expr) in nested(group, "bulkhead", names::BULKHEAD, redirect, ctxt) {
        match name.to_string().as_str() {
            "concurrency" => {
                bulkhead.concurrency =
                    Count::positive("concurrency", &expr, ctxt).map(|value| Opt { name, value });
            }
            _ => {
                bulkhead.queue =
                    Count::parse("queue", &expr, ctxt).map(|value| Opt { name, value });
            }
        }
    }
    bulkhead
}

pub(crate) fn switch_budget(name: &Ident, value: RawValue, ctxt: &Ctxt) -> Option<Switch<Budget>> {
    match value {
        RawValue::Expr(expr) if is_off(&expr) => Some(Switch::Off),
        RawValue::Expr(expr) => {
            ctxt.error(
                expr,
                "write `budget(ratio = 0.2, min_per_second = 10)`, or `budget = off`",
            );
            None
        }
        value => {
            list(name, value, "ratio = 0.2", ctxt).map(|group| Switch::On(budget(&group, ctxt)))
        }
    }
}

fn budget(group: &Group, ctxt: &Ctxt) -> Budget {
    let mut budget = Budget::default();
    for (name, expr) in nested(group, "budget", names::BUDGET, redirect::budget, ctxt) {
        match name.to_string().as_str() {
            "ratio" => {
                budget.ratio = Ratio::parse(&expr, ctxt).map(|value| Opt { name, value });
            }
            _ => {
                budget.min_per_second =
                    Count::parse("min_per_second", &expr, ctxt).map(|value| Opt { name, value });
            }
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
            ("off", "without quotes"),
        ] {
            let error = rate(text).expect_err(part);
            assert!(error.contains(part), "{error}");
        }
    }
}
