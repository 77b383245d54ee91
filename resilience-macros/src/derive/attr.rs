//! What `#[classify(..)]` says of a struct or of a variant.

use proc_macro2::{Ident, Span};
use syn::{Attribute, Expr, Lit, Meta, Path};

use crate::category::Category;
use crate::ctxt::Ctxt;
use crate::forms::{Named, expr, krate, named};
use crate::grammar::{self, RawArg, RawValue, peel};
use crate::names;
use crate::redirect::unknown_in;
use crate::spelling::{enumerate, nearest, ours};
use crate::time::Time;
use crate::word::flag;

/// The arguments of one attribute.
#[derive(Clone, Default)]
pub(crate) struct Says {
    pub(crate) transparent: Option<Ident>,
    pub(crate) category: Option<Category>,
    pub(crate) severity: Option<Severity>,
    pub(crate) retryable: Option<Retryable>,
    pub(crate) retry_after: Option<After>,
    pub(crate) user: Option<Expr>,
    pub(crate) krate: Option<Path>,
}

#[derive(Clone)]
pub(crate) enum Severity {
    Named(&'static str, Span),
    Expr(Expr),
}

/// `retryable`, `retryable = false`, or an expression for a `bool`.
#[derive(Clone)]
pub(crate) struct Retryable {
    pub(crate) name: Ident,
    pub(crate) value: Option<Expr>,
    pub(crate) literal: Option<bool>,
}

/// A field, a duration in quotes, or an expression.
#[derive(Clone)]
pub(crate) enum After {
    Field(Ident),
    Time(Time),
}

impl Says {
    pub(crate) fn of_container(attrs: &[Attribute], ctxt: &Ctxt) -> Self {
        Self::parse(attrs, true, ctxt)
    }

    pub(crate) fn of_variant(attrs: &[Attribute], ctxt: &Ctxt) -> Self {
        Self::parse(attrs, false, ctxt)
    }

    /// What a variant leaves open, its enum says; unless it means nothing there: a time after which
    /// to retry beside the variant's own `retryable = false`, `retryable` beside its own critical
    /// severity.
    pub(crate) fn or(self, container: &Self) -> Self {
        if self.transparent.is_some() {
            return self;
        }
        let mut container = container.clone();
        if matches!(&self.retryable, Some(own) if own.literal == Some(false)) {
            container.retry_after = None;
        }
        if matches!(self.severity, Some(Severity::Named("critical", _))) {
            container.retryable = None;
        }
        Self {
            transparent: None,
            category: self.category.or(container.category),
            severity: self.severity.or(container.severity),
            retryable: self.retryable.or(container.retryable),
            retry_after: self.retry_after.or(container.retry_after),
            user: self.user.or(container.user),
            krate: container.krate,
        }
    }

    /// Whether anything is said about what kind of failure it is.
    pub(crate) fn classifies(&self) -> bool {
        self.category.is_some()
            || self.severity.is_some()
            || self.retryable.is_some()
            || self.retry_after.is_some()
    }

    fn parse(attrs: &[Attribute], container: bool, ctxt: &Ctxt) -> Self {
        let mut says = Self::default();
        let mut seen: Vec<Ident> = Vec::new();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("classify")) {
            let Meta::List(list) = &attr.meta else {
                ctxt.error(attr, "write `#[classify(category = \"..\")]`");
                continue;
            };
            for arg in grammar::parse(list.tokens.clone(), ctxt) {
                if seen.contains(&arg.name) {
                    ctxt.error(&arg.name, format!("`{}` is written twice", arg.name));
                    continue;
                }
                seen.push(arg.name.clone());
                says.set(&arg, container, ctxt);
            }
        }
        says
    }

    fn set(&mut self, arg: &RawArg, container: bool, ctxt: &Ctxt) {
        let name = arg.name.to_string();
        let Some(form) = names::form("classify", &name) else {
            return unknown(arg, ctxt);
        };
        let one = || expr(arg, form, ctxt);
        match name.as_str() {
            "transparent" => match arg.value {
                RawValue::None => self.transparent = Some(arg.name.clone()),
                _ => ctxt.error(arg, "`transparent` has no value"),
            },
            "category" => self.category = one().and_then(|expr| Category::parse(&expr, ctxt)),
            "severity" => self.severity = one().and_then(|expr| severity(&expr, ctxt)),
            "retryable" => self.retryable = retryable(arg, ctxt),
            "retry_after" => self.retry_after = one().and_then(|expr| after(&expr, ctxt)),
            "user" => self.user = one(),
            "crate" if container => self.krate = one().and_then(|expr| krate(&expr, ctxt)),
            _ => ctxt.error(&arg.name, "`crate = path` belongs on the type itself"),
        }
    }
}

/// Says what to write instead of an option that there is none of.
fn unknown(arg: &RawArg, ctxt: &Ctxt) {
    let name = arg.name.to_string();
    let bare = matches!(arg.value, RawValue::None);
    let hint = match ours(&name).as_str() {
        word if bare && names::CATEGORIES.contains(&word) => format!("category = \"{word}\""),
        word if bare && names::SEVERITIES.contains(&word) => format!("severity = \"{word}\""),
        "permanent" | "fatal" | "terminal" => "retryable = false".to_owned(),
        _ => return unknown_in("classify", "`#[classify]`", arg, ctxt),
    };
    let message = format!("`#[classify]` has no option `{name}`; write `{hint}`");
    ctxt.error(&arg.name, message);
}

/// `retryable`, `retryable = false`, or an expression for a `bool`.
fn retryable(arg: &RawArg, ctxt: &Ctxt) -> Option<Retryable> {
    let name = arg.name.clone();
    if matches!(arg.value, RawValue::None) {
        return Some(Retryable {
            name,
            value: None,
            literal: Some(true),
        });
    }
    let value = flag("retryable", &expr(arg, "retryable = false", ctxt)?, ctxt)?;
    let literal = match peel(&value) {
        Expr::Lit(lit) => Some(matches!(&lit.lit, Lit::Bool(yes) if yes.value)),
        _ => None,
    };
    Some(Retryable {
        name,
        value: Some(value),
        literal,
    })
}

fn severity(expr: &Expr, ctxt: &Ctxt) -> Option<Severity> {
    let text = match named(expr, "a severity", names::SEVERITIES, ctxt)? {
        Named::Text(text) => text,
        Named::Expr(expr) => return Some(Severity::Expr(expr.clone())),
    };
    let name = text.value();
    if let Some(known) = names::SEVERITIES.iter().find(|known| **known == name) {
        return Some(Severity::Named(known, text.span()));
    }
    let hint = nearest(&name, names::SEVERITIES)
        .map(|near| format!("; did you mean `\"{near}\"`?"))
        .unwrap_or_default();
    ctxt.error(
        expr,
        format!(
            "a severity is one of {}{hint}",
            enumerate(names::SEVERITIES)
        ),
    );
    None
}

fn after(expr: &Expr, ctxt: &Ctxt) -> Option<After> {
    match peel(expr) {
        Expr::Path(path) if path.path.get_ident().is_some() => {
            path.path.get_ident().cloned().map(After::Field)
        }
        _ => Time::parse("retry_after", expr, ctxt).map(After::Time),
    }
}
