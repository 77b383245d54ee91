//! The forms in which values are written, each with an error for the other forms.

use proc_macro2::{Group, Ident};
use quote::ToTokens as _;
use syn::{Expr, Lit, Path};

use crate::args::Opt;
use crate::ctxt::Ctxt;
use crate::grammar::{RawValue, peel};

/// The value of `name = value`.
pub(crate) fn expr(name: &Ident, value: RawValue, example: &str, ctxt: &Ctxt) -> Option<Expr> {
    match value {
        RawValue::Expr(expr) => Some(*expr),
        RawValue::None => {
            ctxt.error(
                name,
                format!("`{name}` needs a value: `{name} = {example}`"),
            );
            None
        }
        RawValue::List(group) => {
            ctxt.error(
                group,
                format!("`{name}` has one value: write `{name} = {example}`"),
            );
            None
        }
    }
}

/// The list of `name(..)`.
pub(crate) fn list(name: &Ident, value: RawValue, example: &str, ctxt: &Ctxt) -> Option<Group> {
    match value {
        RawValue::List(group) if !group.stream().is_empty() => Some(group),
        RawValue::List(group) => {
            ctxt.error(
                group,
                format!("`{name}` is empty: write `{name}({example})`"),
            );
            None
        }
        RawValue::None => {
            ctxt.error(
                name,
                format!("`{name}` needs a list: write `{name}({example})`"),
            );
            None
        }
        RawValue::Expr(expr) => {
            ctxt.error(
                expr,
                format!("`{name}` is a list: write `{name}({example})`"),
            );
            None
        }
    }
}

/// A path to a function, or a closure. A name in quotes is a mistake of people who come from
/// attributes that want it that way.
pub(crate) fn function(
    name: Ident,
    value: RawValue,
    example: &str,
    ctxt: &Ctxt,
) -> Option<Opt<Expr>> {
    let expr = expr(&name, value, example, ctxt)?;
    match peel(&expr) {
        Expr::Lit(lit) => {
            let written = match &lit.lit {
                Lit::Str(text) if syn::parse_str::<Path>(&text.value()).is_ok() => text.value(),
                _ => example.to_owned(),
            };
            ctxt.error(
                &expr,
                format!(
                    "`{name}` is a path or a closure, without quotes: write `{name} = {written}`"
                ),
            );
            None
        }
        _ => Some(Opt { name, value: expr }),
    }
}

/// The path under which generated code finds this crate. It stands in code of other modules, so
/// it has to be absolute.
pub(crate) fn krate(expr: &Expr, ctxt: &Ctxt) -> Option<Path> {
    let path = match peel(expr) {
        Expr::Path(path) if path.qself.is_none() => path.path.clone(),
        Expr::Lit(lit) => {
            let text = match &lit.lit {
                Lit::Str(text) if is_absolute(&text.value()) => text.value(),
                Lit::Str(text) => format!("::{}", text.value()),
                _ => "::resilience".to_owned(),
            };
            ctxt.error(
                expr,
                format!("write the path without quotes: `crate = {text}`"),
            );
            return None;
        }
        _ => {
            ctxt.error(expr, "`crate` is a path, like `crate = ::resilience`");
            return None;
        }
    };
    let first = path
        .segments
        .first()
        .map(|segment| segment.ident.to_string())
        .unwrap_or_default();
    let absolute = path.leading_colon.is_some() || matches!(first.as_str(), "crate" | "$crate");
    if absolute {
        return Some(path);
    }
    let written = path.to_token_stream().to_string().replace(' ', "");
    let hint = match first.as_str() {
        "self" | "super" => "write it from the root of the crate: `crate::..`".to_owned(),
        _ => format!("write `crate = ::{written}` or `crate = crate::{written}`"),
    };
    ctxt.error(expr, format!("the path must be absolute; {hint}"));
    None
}

fn is_absolute(path: &str) -> bool {
    path.starts_with("::") || path.starts_with("crate::")
}

pub(crate) fn is_off(expr: &Expr) -> bool {
    matches!(peel(expr), Expr::Path(path) if path.path.is_ident("off"))
}

pub(crate) fn whole_number(expr: &Expr) -> Option<u64> {
    match peel(expr) {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Int(int) => int.base10_parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// Pushes an error and says no, for filters.
pub(crate) fn wrong(ctxt: &Ctxt, tokens: &Expr, message: &str) -> bool {
    ctxt.error(tokens, message);
    false
}
