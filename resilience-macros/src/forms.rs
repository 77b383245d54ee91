//! The forms in which values are written, each with an error for the other forms.

use proc_macro2::Group;
use quote::ToTokens as _;
use syn::{Expr, Lit, LitStr, Path};

use crate::args::Opt;
use crate::ctxt::Ctxt;
use crate::grammar::{RawArg, RawValue, peel};

/// The value of `name = value`. `form` is how it is written.
pub(crate) fn expr(arg: &RawArg, form: &str, ctxt: &Ctxt) -> Option<Expr> {
    let name = &arg.name;
    match &arg.value {
        RawValue::Expr(expr) => return Some((**expr).clone()),
        RawValue::None => ctxt.error(name, format!("`{name}` needs a value: write `{form}`")),
        RawValue::List(group) => {
            let form = match syn::parse2::<Expr>(group.stream()) {
                Ok(value @ (Expr::Lit(_) | Expr::Path(_))) => {
                    let value = value.to_token_stream().to_string().replace(' ', "");
                    format!("{name} = {value}")
                }
                _ => form.to_owned(),
            };
            ctxt.error(group, format!("`{name}` has one value: write `{form}`"));
        }
    }
    None
}

/// The list of `name(..)`.
pub(crate) fn list(arg: &RawArg, form: &str, ctxt: &Ctxt) -> Option<Group> {
    let name = &arg.name;
    match &arg.value {
        RawValue::List(group) if !group.stream().is_empty() => return Some(group.clone()),
        RawValue::List(group) => ctxt.error(group, format!("`{name}` is empty: write `{form}`")),
        RawValue::None => ctxt.error(name, format!("`{name}` needs a list: write `{form}`")),
        RawValue::Expr(expr) => ctxt.error(expr, format!("`{name}` is a list: write `{form}`")),
    }
    None
}

/// A path to a function, or a closure. A name in quotes is a mistake of people who come from
/// attributes that want it that way.
pub(crate) fn function(arg: &RawArg, form: &str, ctxt: &Ctxt) -> Option<Opt<Expr>> {
    let name = &arg.name;
    let expr = expr(arg, form, ctxt)?;
    let Expr::Lit(lit) = peel(&expr) else {
        return Some(arg.opt(expr));
    };
    let message = match &lit.lit {
        Lit::Str(text) if syn::parse_str::<Path>(&text.value()).is_ok() => {
            let path = text.value();
            format!("`{name}` is a path or a closure, without quotes: write `{name} = {path}`")
        }
        _ => format!("`{name}` is a path or a closure: write `{form}`"),
    };
    ctxt.error(&expr, message);
    None
}

/// A name in quotes, or an expression.
pub(crate) enum Named<'a> {
    Text(&'a LitStr),
    Expr(&'a Expr),
}

/// The value of an option that has names of its own, `known`, and is also a constant. `what` says
/// what it is.
pub(crate) fn named<'a>(
    expr: &'a Expr,
    what: &str,
    known: &[&str],
    ctxt: &Ctxt,
) -> Option<Named<'a>> {
    let example = match peel(expr) {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Str(text) => return Some(Named::Text(text)),
            _ => known.first(),
        },
        Expr::Path(path) => known.iter().find(|name| path.path.is_ident(name)),
        _ => None,
    };
    let Some(example) = example else {
        return Some(Named::Expr(expr));
    };
    let message = format!("{what} is a name in quotes, or a constant: write `\"{example}\"`");
    ctxt.error(expr, message);
    None
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

/// Whether it is a word of others for `off`.
pub(crate) fn means_off(expr: &Expr) -> bool {
    let other = |word: &str| ["none", "never", "disabled", "false"].contains(&word);
    match peel(expr) {
        Expr::Path(path) => path
            .path
            .get_ident()
            .is_some_and(|word| other(&word.to_string().to_lowercase())),
        Expr::Lit(lit) => match &lit.lit {
            Lit::Bool(on) => !on.value,
            Lit::Str(text) => other(text.value().trim()) || text.value().trim() == "off",
            _ => false,
        },
        _ => false,
    }
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
