//! `fallback = path`, `fallback = [a, b]` and `fallback(path, on("rate_limit", "circuit_open"))`.

use proc_macro2::{Group, TokenStream};
use quote::{ToTokens as _, quote};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprCall, Lit, LitStr, Path, Token};

use crate::category::{self, Category};
use crate::ctxt::Ctxt;
use crate::forms::{expr, is_off};
use crate::grammar::{RawArg, RawValue, inside, peel};
use crate::names;
use crate::spelling::{enumerate, nearest};

/// What runs when the call would fail.
pub(crate) struct Fallback {
    /// At least one; each gets the error of the one before.
    pub(crate) functions: Vec<Expr>,
    /// The failures that it is for; empty for all.
    pub(crate) on: Vec<On>,
}

/// A failure in `on(..)`.
pub(crate) enum On {
    Category(Category),
    /// A kind of rejection.
    Kind(LitStr),
}

impl On {
    pub(crate) fn tokens(&self, private: &TokenStream) -> TokenStream {
        match self {
            Self::Category(category) => {
                let category = category.tokens(private);
                quote!(#private::On::Category(#category))
            }
            Self::Kind(kind) => quote!(#private::On::Kind(#kind)),
        }
    }
}

const FORM: &str = "write `fallback(function, on(\"circuit_open\"))`";

pub(crate) fn parse(arg: &RawArg, form: &str, ctxt: &Ctxt) -> Option<Fallback> {
    if let RawValue::List(group) = &arg.value {
        return narrowed(group, ctxt);
    }
    Some(Fallback {
        functions: functions(&expr(arg, form, ctxt)?, ctxt)?,
        on: Vec::new(),
    })
}

fn narrowed(group: &Group, ctxt: &Ctxt) -> Option<Fallback> {
    let list = Punctuated::<Expr, Token![,]>::parse_terminated;
    let parts = ctxt.ok(inside(group, list))?;
    let mut parts = parts.iter();
    let Some(first) = parts.next() else {
        ctxt.error(group, format!("`fallback` is empty: {FORM}"));
        return None;
    };
    if list_of_on(first).is_some() {
        ctxt.error(first, format!("the function comes first: {FORM}"));
        return None;
    }
    let functions = functions(first, ctxt)?;
    let Some(narrow) = parts.next() else {
        return Some(Fallback {
            functions,
            on: Vec::new(),
        });
    };
    let Some(names) = list_of_on(narrow) else {
        let message = match peel(narrow) {
            Expr::Lit(_) | Expr::Assign(_) => format!("what it is for stands in `on(..)`: {FORM}"),
            _ => {
                format!("several functions stand in a list: `fallback = [a, b]`; to narrow, {FORM}")
            }
        };
        ctxt.error(narrow, message);
        return None;
    };
    if let Some(more) = parts.next() {
        ctxt.error(more, format!("nothing comes behind `on(..)`: {FORM}"));
        return None;
    }
    if names.args.is_empty() {
        ctxt.error(narrow, format!("`on` is empty: {FORM}"));
        return None;
    }
    let on: Option<Vec<On>> = names.args.iter().map(|name| self::on(name, ctxt)).collect();
    Some(Fallback { functions, on: on? })
}

/// `on(..)`
fn list_of_on(expr: &Expr) -> Option<&ExprCall> {
    match peel(expr) {
        Expr::Call(call) => match peel(&call.func) {
            Expr::Path(path) if path.path.is_ident("on") => Some(call),
            _ => None,
        },
        _ => None,
    }
}

fn on(expr: &Expr, ctxt: &Ctxt) -> Option<On> {
    let Expr::Lit(lit) = peel(expr) else {
        return Category::parse(expr, ctxt).map(On::Category);
    };
    let Lit::Str(text) = &lit.lit else {
        ctxt.error(
            expr,
            "`on` takes names of categories and of rejections, like `on(\"circuit_open\")`",
        );
        return None;
    };
    let name = text.value();
    if names::REJECTIONS.contains(&name.as_str()) {
        return Some(On::Kind(text.clone()));
    }
    if names::CATEGORIES.contains(&name.as_str()) {
        return Category::parse(expr, ctxt).map(On::Category);
    }
    let near = nearest(&name, names::REJECTIONS).or_else(|| category::nearest_to(&name));
    let hint = match near {
        Some(near) => format!("did you mean `\"{near}\"`?"),
        None => format!(
            "rejections are {}; a category of one's own is a constant, without quotes",
            enumerate(names::REJECTIONS)
        ),
    };
    ctxt.error(
        expr,
        format!("no category or rejection is called `{name}`; {hint}"),
    );
    None
}

/// One function, or several in a list.
fn functions(expr: &Expr, ctxt: &Ctxt) -> Option<Vec<Expr>> {
    match peel(expr) {
        Expr::Array(list) if list.elems.is_empty() => {
            ctxt.error(expr, "`fallback` is empty: write `fallback = other`");
            None
        }
        Expr::Array(list) => {
            let functions = list.elems.iter().map(|one| function(one, ctxt));
            functions.collect::<Vec<_>>().into_iter().collect()
        }
        _ => function(expr, ctxt).map(|one| vec![one]),
    }
}

fn function(expr: &Expr, ctxt: &Ctxt) -> Option<Expr> {
    let message = match peel(expr) {
        _ if is_off(expr) => "there is no fallback where none is written".to_owned(),
        _ if list_of_on(expr).is_some() => format!("`on(..)` stands behind the functions: {FORM}"),
        Expr::Lit(lit) => match &lit.lit {
            Lit::Str(text) if syn::parse_str::<Path>(&text.value()).is_ok() => {
                let path = text.value();
                format!(
                    "`fallback` is a path or a closure, without quotes: write `fallback = {path}`"
                )
            }
            _ => "`fallback` is a path or a closure: write `fallback = other`".to_owned(),
        },
        Expr::Call(call) => {
            let path = call.func.to_token_stream().to_string().replace(' ', "");
            if is_variant(&path) {
                format!(
                    "`fallback` is a function and not a value: write a closure, \
                     `fallback = |.., error| {path}(..)`"
                )
            } else {
                format!("`fallback` is a function and not a call of it: write `fallback = {path}`")
            }
        }
        _ => return Some(expr.clone()),
    };
    ctxt.error(expr, message);
    None
}

/// `Ok` or `Answer::Cached`, which make a value.
fn is_variant(path: &str) -> bool {
    let last = path.rsplit("::").next().unwrap_or(path);
    last.starts_with(|c: char| c.is_uppercase())
}
