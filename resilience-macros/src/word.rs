//! Words: the options whose value is one of a few names, or yes or no.

use proc_macro2::{Ident, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned as _;
use syn::{Expr, Lit};

use crate::ctxt::Ctxt;
use crate::grammar::peel;
use crate::names;
use crate::spelling::{enumerate, nearest};

/// What a call does when one inside its attempt has given up.
pub(crate) struct Nested(Ident);

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
        Some(Self(Ident::new(variant, expr.span())))
    }

    pub(crate) fn tokens(&self, private: &TokenStream) -> TokenStream {
        let variant = &self.0;
        quote_spanned!(variant.span()=> #private::Nested::#variant)
    }
}

/// The names of the ways to spread delays.
pub(crate) struct Jitter(Ident);

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
                let hint = match nearest(&name, names::JITTER) {
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
        Some(Self(Ident::new(variant, expr.span())))
    }

    pub(crate) fn tokens(&self, private: &TokenStream) -> TokenStream {
        let variant = &self.0;
        quote_spanned!(variant.span()=> #private::Jitter::#variant)
    }
}

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
        Expr::Path(path) if path.path.is_ident("off") || path.path.is_ident("no") => {
            ctxt.error(expr, format!("write `{name} = false`"));
            None
        }
        _ => Some(expr.clone()),
    }
}
