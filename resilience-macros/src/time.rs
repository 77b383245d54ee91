//! Durations: strings with units are read here, anything else is left to the compiler.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Expr, Lit};

use crate::ctxt::Ctxt;
use crate::forms::is_off;
use crate::grammar::peel;

/// A duration: a string with units, or an expression for a `Duration`.
#[derive(Clone)]
pub(crate) struct Time {
    pub(crate) expr: Expr,
    /// The value, where it is a literal.
    pub(crate) literal: Option<Duration>,
}

impl Time {
    pub(crate) fn parse(name: &str, expr: &Expr, ctxt: &Ctxt) -> Option<Self> {
        let literal = match peel(expr) {
            Expr::Lit(lit) => match &lit.lit {
                Lit::Str(text) => match duration(&text.value()) {
                    Ok(duration) => Some(duration),
                    Err(message) => {
                        ctxt.error(expr, message);
                        return None;
                    }
                },
                other => {
                    ctxt.error(expr, duration_hint(name, other));
                    return None;
                }
            },
            _ if is_off(expr) => {
                ctxt.error(expr, format!("`{name}` cannot be `off`"));
                return None;
            }
            _ => None,
        };
        Some(Self {
            expr: expr.clone(),
            literal,
        })
    }

    /// As [`parse`](Self::parse), above zero. `instead` says what to write for a zero.
    pub(crate) fn positive(name: &str, instead: &str, expr: &Expr, ctxt: &Ctxt) -> Option<Self> {
        let time = Self::parse(name, expr, ctxt)?;
        if time.literal == Some(Duration::ZERO) {
            ctxt.error(expr, format!("`{name}` must be longer than zero{instead}"));
            return None;
        }
        Some(time)
    }
}

impl ToTokens for Time {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Some(duration) = self.literal else {
            return self.expr.to_tokens(tokens);
        };
        let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
        tokens.extend(quote_spanned! {self.expr.span()=>
            ::core::time::Duration::new(#seconds, #nanos)
        });
    }
}

/// What a string says, or what is wrong with it and how to write it.
fn duration(text: &str) -> Result<Duration, String> {
    let parsed = humantime::parse_duration(text);
    if let Ok(duration) = parsed {
        return Ok(duration);
    }
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err("an empty string is no duration: write `\"30s\"`".into());
    }
    if trimmed.parse::<f64>().is_ok() {
        return Err(format!(
            "a duration needs a unit: write `\"{trimmed}s\"` or `\"{trimmed}ms\"`"
        ));
    }
    if trimmed.starts_with('-') {
        return Err("a duration cannot be negative".into());
    }
    let why = match parsed {
        Err(humantime::DurationError::UnknownUnit { unit, .. }) => {
            format!("unknown unit `{unit}`; units are `ms`, `s`, `m`, `h`, as in `\"1m 30s\"`")
        }
        Err(humantime::DurationError::NumberOverflow) => "the number is too large".into(),
        _ => "write numbers with units, as in `\"500ms\"`, `\"30s\"` or `\"1m 30s\"`".into(),
    };
    Err(format!("`{text}` is no duration: {why}"))
}

/// What to write instead of a number without a unit.
fn duration_hint(name: &str, lit: &Lit) -> String {
    match lit {
        // `30s` without quotes is an integer with a suffix.
        Lit::Int(int) if !int.suffix().is_empty() && duration(&int.to_string()).is_ok() => {
            format!("a duration is a string: write `{name} = \"{int}\"`")
        }
        Lit::Int(int) => {
            let digits = int.base10_digits();
            format!("a duration needs a unit: write `{name} = \"{digits}s\"` or `\"{digits}ms\"`")
        }
        Lit::Float(float) if !float.suffix().is_empty() && duration(&float.to_string()).is_ok() => {
            format!("a duration is a string: write `{name} = \"{float}\"`")
        }
        Lit::Float(float) => {
            let digits = float.base10_digits();
            format!("a duration needs a unit: write `{name} = \"{digits}s\"`")
        }
        _ => format!("a duration is a string with a unit: write `{name} = \"30s\"`"),
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;
    use syn::parse_quote;

    use super::*;

    fn time(expr: &Expr) -> Result<Duration, String> {
        let ctxt = Ctxt::new();
        match Time::parse("timeout", expr, &ctxt) {
            Some(time) => Ok(time.literal.unwrap_or_default()),
            None => Err(ctxt.messages().concat()),
        }
    }

    #[test]
    fn m7_a_malformed_duration_is_an_error_that_says_what_to_write() {
        assert_eq!(time(&parse_quote!("1m 30s")), Ok(Duration::from_secs(90)));
        for (expr, part) in [
            (parse_quote!(30), "`timeout = \"30s\"` or `\"30ms\"`"),
            (parse_quote!(30s), "write `timeout = \"30s\"`"),
            (parse_quote!("30"), "write `\"30s\"` or `\"30ms\"`"),
            (parse_quote!("30 parsecs"), "unknown unit `parsecs`"),
            (parse_quote!("soon"), "no duration"),
            (parse_quote!(""), "empty"),
            (parse_quote!("-1s"), "negative"),
            (parse_quote!(off), "cannot be `off`"),
        ] {
            let error = time(&expr).expect_err(part);
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_literal_becomes_a_constant_of_seconds_and_nanoseconds() {
        let ctxt = Ctxt::new();
        let time = Time::parse("timeout", &parse_quote!("1500ms"), &ctxt).expect("valid");
        assert_eq!(
            quote!(#time).to_string(),
            quote!(::core::time::Duration::new(1u64, 500000000u32)).to_string()
        );
    }
}
