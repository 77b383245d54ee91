//! Numbers: literals are checked here, anything else is left to the compiler.

use proc_macro2::{Literal, TokenStream};
use quote::ToTokens;
use syn::spanned::Spanned as _;
use syn::{Expr, ExprUnary, Lit, UnOp};

use crate::ctxt::Ctxt;
use crate::forms::is_off;
use crate::grammar::peel;

/// A number, or an expression for one.
pub(crate) struct Count {
    pub(crate) expr: Expr,
    /// The value, where it is a literal.
    pub(crate) literal: Option<u32>,
}

impl Count {
    pub(crate) fn parse(name: &str, expr: &Expr, ctxt: &Ctxt) -> Option<Self> {
        if is_no_number(name, expr, ctxt) {
            return None;
        }
        let literal = match peel(expr) {
            Expr::Lit(lit) => match whole(name, &lit.lit) {
                Ok(number) => Some(number),
                Err(message) => {
                    ctxt.error(expr, message);
                    return None;
                }
            },
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

/// A number that need not be whole.
struct Float {
    tokens: TokenStream,
    literal: Option<f64>,
}

impl Float {
    fn parse(name: &str, example: &str, expr: &Expr, ctxt: &Ctxt) -> Option<Self> {
        if is_no_number(name, expr, ctxt) {
            return None;
        }
        let literal = match peel(expr) {
            Expr::Lit(lit) => match &lit.lit {
                Lit::Int(int) => int.base10_parse::<f64>().ok(),
                Lit::Float(float) => float.base10_parse::<f64>().ok(),
                _ => None,
            },
            other => {
                return Some(Self {
                    tokens: other.to_token_stream(),
                    literal: None,
                });
            }
        };
        match literal {
            None => {
                let message = format!("`{name}` is a number: write `{name} = {example}`");
                ctxt.error(expr, message);
                None
            }
            // What is written too large reads as infinite.
            Some(number) if number.is_infinite() => {
                ctxt.error(expr, format!("`{name}` is too large"));
                None
            }
            Some(number) => {
                let mut tokens = Literal::f64_suffixed(number);
                tokens.set_span(expr.span());
                Some(Self {
                    tokens: tokens.to_token_stream(),
                    literal,
                })
            }
        }
    }
}

impl ToTokens for Float {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.tokens.to_tokens(tokens);
    }
}

/// A whole number, or what to write instead.
fn whole(name: &str, lit: &Lit) -> Result<u32, String> {
    match lit {
        Lit::Int(int) => match int.base10_parse::<u32>() {
            Ok(number) if ["", "u32"].contains(&int.suffix()) => Ok(number),
            Ok(number) => Err(format!("`{name}` is a `u32`: write `{name} = {number}`")),
            Err(_) => Err(format!("`{name}` is at most {}", u32::MAX)),
        },
        Lit::Str(text) if text.value().parse::<u32>().is_ok() => Err(format!(
            "a number has no quotes: write `{name} = {}`",
            text.value()
        )),
        _ => Err(format!("`{name}` is a whole number: write `{name} = 3`")),
    }
}

/// Whether there is a minus or `off`, which is then reported.
fn is_no_number(name: &str, expr: &Expr, ctxt: &Ctxt) -> bool {
    let what = match peel(expr) {
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_), ..
        }) => "negative",
        _ if is_off(expr) => "`off`",
        _ => return false,
    };
    ctxt.error(expr, format!("`{name}` cannot be {what}"));
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> Result<Option<u32>, String> {
        let expr = syn::parse_str(text).expect("an expression");
        let ctxt = Ctxt::new();
        match Count::parse("retries", &expr, &ctxt) {
            Some(count) => Ok(count.literal),
            None => Err(ctxt.messages().concat()),
        }
    }

    #[test]
    fn a_number_that_is_none_is_told_what_to_write() {
        assert_eq!(count("3"), Ok(Some(3)));
        assert_eq!(count("(1_000u32)"), Ok(Some(1000)));
        assert_eq!(count("N + 1"), Ok(None));
        for (text, part) in [
            ("1_000u64", "is a `u32`: write `retries = 1000`"),
            ("99999999999999999999999", "at most 4294967295"),
            ("\"3\"", "write `retries = 3`"),
            ("-1", "cannot be negative"),
            ("off", "cannot be `off`"),
            ("1.5", "whole number"),
            ("'a'", "whole number"),
        ] {
            let error = count(text).expect_err(part);
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_float_that_is_too_large_is_an_error() {
        for text in ["1e400", "\"2\"", "-2", "0.5"] {
            let ctxt = Ctxt::new();
            let expr = syn::parse_str(text).expect("an expression");
            assert!(Factor::parse(&expr, &ctxt).is_none());
            assert_eq!(ctxt.messages().len(), 1, "{text}");
        }
    }
}
