//! Words: the options whose value is one of a few names, or yes or no.

use proc_macro2::{Ident, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned as _;
use syn::{Expr, ExprPath, Lit};

use crate::ctxt::Ctxt;
use crate::grammar::peel;
use crate::spelling::{enumerate, nearest};

/// A word out of a few, as the variant of an enum in the runtime.
pub(crate) struct Word {
    of: &'static str,
    variant: Ident,
}

impl Word {
    pub(crate) fn nested(expr: &Expr, ctxt: &Ctxt) -> Option<Self> {
        Self::parse("nested", "Nested", NESTED, expr, ctxt)
    }

    pub(crate) fn jitter(expr: &Expr, ctxt: &Ctxt) -> Option<Self> {
        Self::parse("jitter", "Jitter", JITTER, expr, ctxt)
    }

    fn parse(
        option: &str,
        of: &'static str,
        words: &[(&'static str, &str)],
        expr: &Expr,
        ctxt: &Ctxt,
    ) -> Option<Self> {
        let (word, has_quotes) = match peel(expr) {
            Expr::Lit(lit) => match &lit.lit {
                Lit::Str(text) => (text.value(), true),
                _ => (String::new(), false),
            },
            Expr::Path(path) => {
                let word = path.path.get_ident().map(ToString::to_string);
                (word.unwrap_or_default(), false)
            }
            _ => (String::new(), false),
        };
        if has_quotes && let Some((_, variant)) = words.iter().find(|(known, _)| *known == word) {
            let variant = Ident::new(variant, expr.span());
            return Some(Self { of, variant });
        }
        let known: Vec<_> = words.iter().map(|(known, _)| *known).collect();
        let hint = match nearest(&word, &known) {
            Some(near) if !word.is_empty() => format!(": write `{option} = \"{near}\"`"),
            _ => String::new(),
        };
        let known = enumerate(&known);
        ctxt.error(
            expr,
            format!("`{option}` is one of {known}, in quotes{hint}"),
        );
        None
    }

    pub(crate) fn tokens(&self, private: &TokenStream) -> TokenStream {
        let Self { of, variant } = self;
        let of = Ident::new(of, variant.span());
        quote_spanned!(variant.span()=> #private::#of::#variant)
    }
}

/// What a call does when one inside its attempt has given up.
const NESTED: &[(&str, &str)] = &[("stop", "Stop"), ("retry", "Retry")];

/// The ways to spread delays.
const JITTER: &[(&str, &str)] = &[
    ("proportional", "Proportional"),
    ("full", "Full"),
    ("decorrelated", "Decorrelated"),
    ("none", "None"),
];

/// Yes or no, or an expression for a `bool`.
pub(crate) fn flag(name: &str, expr: &Expr, ctxt: &Ctxt) -> Option<Expr> {
    match peel(expr) {
        Expr::Lit(lit) if !matches!(lit.lit, Lit::Bool(_)) => {
            let message = match &lit.lit {
                Lit::Str(text) if ["true", "false"].contains(&&*text.value()) => {
                    format!("`{name}` has no quotes: write `{name} = {}`", text.value())
                }
                _ => format!("`{name}` is `true` or `false`"),
            };
            ctxt.error(expr, message);
            None
        }
        Expr::Path(path) if is_any(path, &["off", "no"]) => {
            ctxt.error(expr, format!("write `{name} = false`"));
            None
        }
        Expr::Path(path) if is_any(path, &["on", "yes"]) => {
            ctxt.error(expr, format!("write `{name} = true`"));
            None
        }
        _ => Some(expr.clone()),
    }
}

fn is_any(path: &ExprPath, words: &[&str]) -> bool {
    words.iter().any(|word| path.path.is_ident(word))
}
