//! The values of options: literals are checked here, anything else is left to the compiler.

use std::time::Duration;

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Expr, ExprUnary, Lit, UnOp};

use crate::ctxt::Ctxt;
use crate::grammar::peel;
use crate::names::{self, enumerate};

/// A number, or an expression for one.
pub(crate) struct Count {
    pub(crate) expr: Expr,
    /// The value, where it is a literal.
    pub(crate) literal: Option<u32>,
}

impl Count {
    pub(crate) fn parse(name: &str, expr: &Expr, ctxt: &Ctxt) -> Option<Self> {
        let literal = match peel(expr) {
            Expr::Lit(lit) => match &lit.lit {
                Lit::Int(int) if int.suffix().is_empty() || int.suffix() == "u32" => {
                    Some(ctxt.ok(int.base10_parse::<u32>())?)
                }
                Lit::Str(text) if text.value().parse::<u32>().is_ok() => {
                    let number = text.value();
                    ctxt.error(
                        expr,
                        format!("a number has no quotes: write `{name} = {number}`"),
                    );
                    return None;
                }
                _ => {
                    ctxt.error(
                        expr,
                        format!("`{name}` is a whole number, like `{name} = 3`"),
                    );
                    return None;
                }
            },
            Expr::Unary(ExprUnary {
                op: UnOp::Neg(_), ..
            }) => {
                ctxt.error(expr, format!("`{name}` cannot be negative"));
                return None;
            }
            _ => None,
        };
        Some(Self {
            expr: expr.clone(),
            literal,
        })
    }

    /// As [`parse`](Self::parse), at least one.
    pub(crate) fn positive(name: &str, expr: &Expr, ctxt: &Ctxt) -> Option<Self> {
        let count = Self::parse(name, expr, ctxt)?;
        if count.literal == Some(0) {
            ctxt.error(expr, format!("`{name}` must be at least 1"));
            return None;
        }
        Some(count)
    }
}

impl ToTokens for Count {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.expr.to_tokens(tokens);
    }
}

/// The factor by which delays grow: `2`, `1.5`, or an expression for an `f64`.
pub(crate) struct Factor(Float);

impl Factor {
    pub(crate) fn parse(expr: &Expr, ctxt: &Ctxt) -> Option<Self> {
        let float = Float::parse("factor", "2", expr, ctxt)?;
        if float.literal.is_some_and(|value| value < 1.0) {
            ctxt.error(expr, "`factor` must be a number of at least 1");
            return None;
        }
        Some(Self(float))
    }
}

impl ToTokens for Factor {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}

/// A share of all outcomes: above 0 and at most 1, or an expression for an `f64`.
pub(crate) struct Share(Float);

impl Share {
    pub(crate) fn parse(name: &str, expr: &Expr, ctxt: &Ctxt) -> Option<Self> {
        let float = Float::parse(name, "0.5", expr, ctxt)?;
        match float.literal {
            Some(percent) if percent > 1.0 && percent <= 100.0 => {
                let share = percent / 100.0;
                ctxt.error(
                    expr,
                    format!("`{name}` is a share of 1: write `{name} = {share}`"),
                );
                None
            }
            Some(value) if value <= 0.0 || value > 1.0 => {
                ctxt.error(expr, format!("`{name}` is a share: above 0 and at most 1"));
                None
            }
            _ => Some(Self(float)),
        }
    }
}

impl ToTokens for Share {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}

/// Retries for each call: 0, or from 0.01 to 10, or an expression for an `f64`.
pub(crate) struct Ratio(Float);

impl Ratio {
    pub(crate) fn parse(expr: &Expr, ctxt: &Ctxt) -> Option<Self> {
        let float = Float::parse("ratio", "0.2", expr, ctxt)?;
        let message = match float.literal {
            Some(percent) if percent > 10.0 && percent <= 100.0 => {
                let share = percent / 100.0;
                format!("`ratio` is a share of the calls: write `ratio = {share}`")
            }
            Some(value) if value > 10.0 => "`ratio` is a share of the calls, at most 10".into(),
            Some(value) if value > 0.0 && value < 0.01 => "`ratio` is at least 0.01, or 0".into(),
            _ => return Some(Self(float)),
        };
        ctxt.error(expr, message);
        None
    }
}

impl ToTokens for Ratio {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}

/// What a call does when one inside its attempt has given up.
pub(crate) struct Nested(proc_macro2::Ident);

impl Nested {
    pub(crate) fn parse(expr: &Expr, ctxt: &Ctxt) -> Option<Self> {
        let expected = names::NESTED
            .iter()
            .map(|name| format!("`\"{name}\"`"))
            .collect::<Vec<_>>()
            .join(" or ");
        let variant = match peel(expr) {
            Expr::Lit(lit) => match &lit.lit {
                Lit::Str(text) if text.value() == "stop" => Some("Stop"),
                Lit::Str(text) if text.value() == "retry" => Some("Retry"),
                _ => None,
            },
            _ => None,
        };
        let Some(variant) = variant else {
            ctxt.error(
                expr,
                format!(
                    "`nested` is {expected}: whether to try again when a call inside has given up"
                ),
            );
            return None;
        };
        Some(Self(proc_macro2::Ident::new(variant, expr.span())))
    }

    pub(crate) fn tokens(&self, private: &TokenStream) -> TokenStream {
        let variant = &self.0;
        quote_spanned!(variant.span()=> #private::Nested::#variant)
    }
}

/// Yes or no, or an expression for a `bool`.
pub(crate) fn flag(name: &str, expr: &Expr, ctxt: &Ctxt) -> Option<Expr> {
    match peel(expr) {
        Expr::Lit(lit) if !matches!(lit.lit, Lit::Bool(_)) => {
            ctxt.error(expr, format!("`{name}` is `true` or `false`"));
            None
        }
        Expr::Path(path) if path.path.is_ident("off") || path.path.is_ident("no") => {
            ctxt.error(expr, format!("write `{name} = false`"));
            None
        }
        _ => Some(expr.clone()),
    }
}

/// A number that need not be whole.
struct Float {
    tokens: TokenStream,
    literal: Option<f64>,
}

impl Float {
    fn parse(name: &str, example: &str, expr: &Expr, ctxt: &Ctxt) -> Option<Self> {
        let literal = match peel(expr) {
            Expr::Lit(lit) => match &lit.lit {
                Lit::Int(int) => ctxt.ok(int.base10_parse::<u32>()).map(f64::from)?,
                Lit::Float(float) => ctxt.ok(float.base10_parse::<f64>())?,
                _ => {
                    ctxt.error(
                        expr,
                        format!("`{name}` is a number, like `{name} = {example}`"),
                    );
                    return None;
                }
            },
            Expr::Unary(ExprUnary {
                op: UnOp::Neg(_), ..
            }) => {
                ctxt.error(expr, format!("`{name}` cannot be negative"));
                return None;
            }
            other => {
                return Some(Self {
                    tokens: other.to_token_stream(),
                    literal: None,
                });
            }
        };
        let mut tokens = Literal::f64_suffixed(literal);
        tokens.set_span(expr.span());
        Some(Self {
            tokens: tokens.to_token_stream(),
            literal: Some(literal),
        })
    }
}

impl ToTokens for Float {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.tokens.to_tokens(tokens);
    }
}

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
            Expr::Path(path) if path.path.is_ident("none") || path.path.is_ident("None") => {
                ctxt.error(expr, format!("write `{name} = off`"));
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
    if ["off", "none", "never", "disabled"].contains(&trimmed) {
        return Err("`off` is written without quotes".into());
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
        Lit::Bool(value) if !value.value => format!("write `{name} = off`"),
        _ => format!("a duration is a string with a unit: `{name} = \"30s\"`"),
    }
}

/// The names of the ways to spread delays.
pub(crate) struct Jitter(proc_macro2::Ident);

impl Jitter {
    pub(crate) fn parse(expr: &Expr, ctxt: &Ctxt) -> Option<Self> {
        let expected = enumerate(names::JITTER);
        let name = match peel(expr) {
            Expr::Lit(lit) => match &lit.lit {
                Lit::Str(text) => text.value(),
                Lit::Bool(on) => if on.value { "proportional" } else { "none" }.to_owned(),
                _ => String::new(),
            },
            Expr::Path(path) => path
                .path
                .get_ident()
                .map(ToString::to_string)
                .unwrap_or_default(),
            _ => String::new(),
        };
        let quoted = matches!(peel(expr), Expr::Lit(lit) if matches!(lit.lit, Lit::Str(_)));
        let variant = match name.as_str() {
            "proportional" => "Proportional",
            "full" => "Full",
            "decorrelated" => "Decorrelated",
            "none" => "None",
            _ => {
                let hint = match names::nearest(&name, names::JITTER) {
                    Some(near) if !name.is_empty() => format!("; did you mean `\"{near}\"`?"),
                    _ => String::new(),
                };
                ctxt.error(
                    expr,
                    format!("`jitter` is one of {expected}, in quotes{hint}"),
                );
                return None;
            }
        };
        if !quoted {
            ctxt.error(expr, format!("write `jitter = \"{name}\"`"));
            return None;
        }
        Some(Self(proc_macro2::Ident::new(variant, expr.span())))
    }

    pub(crate) fn tokens(&self, private: &TokenStream) -> TokenStream {
        let variant = &self.0;
        quote_spanned!(variant.span()=> #private::Jitter::#variant)
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
            (parse_quote!(false), "write `timeout = off`"),
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
