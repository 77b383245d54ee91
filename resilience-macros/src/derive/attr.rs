//! What `#[classify(..)]` says of a struct or of a variant.

use proc_macro2::{Ident, Span};
use quote::ToTokens as _;
use syn::{Attribute, Expr, Fields, Lit, Meta, Path};

use crate::category::Category;
use crate::ctxt::Ctxt;
use crate::forms::krate;
use crate::grammar::{self, RawArg, RawValue, peel};
use crate::names::{enumerate, nearest};
use crate::time::Time;

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

const OPTIONS: &[&str] = &[
    "transparent",
    "category",
    "severity",
    "retryable",
    "retry_after",
    "user",
    "crate",
];

const SEVERITIES: &[&str] = &["low", "medium", "high", "critical"];

impl Says {
    pub(crate) fn of_container(attrs: &[Attribute], ctxt: &Ctxt) -> Self {
        Self::parse(attrs, true, ctxt)
    }

    pub(crate) fn of_variant(attrs: &[Attribute], ctxt: &Ctxt) -> Self {
        Self::parse(attrs, false, ctxt)
    }

    /// What a variant leaves open, its enum says.
    pub(crate) fn or(self, container: &Self) -> Self {
        if self.transparent.is_some() {
            return self;
        }
        let container = container.clone();
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
                says.set(arg, container, ctxt);
            }
        }
        says
    }

    fn set(&mut self, arg: RawArg, container: bool, ctxt: &Ctxt) {
        let RawArg { name, value } = arg;
        let text = name.to_string();
        match (text.as_str(), value) {
            ("transparent", RawValue::None) => self.transparent = Some(name),
            ("transparent", _) => ctxt.error(name, "`transparent` has no value"),
            ("retryable", RawValue::None) => {
                self.retryable = Some(Retryable {
                    name,
                    value: None,
                    literal: Some(true),
                });
            }
            ("category", RawValue::Expr(expr)) => self.category = Category::parse(&expr, ctxt),
            ("severity", RawValue::Expr(expr)) => self.severity = severity(&expr, ctxt),
            ("retryable", RawValue::Expr(expr)) => {
                let literal = match peel(&expr) {
                    Expr::Lit(lit) if !matches!(lit.lit, Lit::Bool(_)) => {
                        ctxt.error(expr, "write `retryable` or `retryable = false`");
                        return;
                    }
                    Expr::Lit(lit) => Some(matches!(&lit.lit, Lit::Bool(yes) if yes.value)),
                    _ => None,
                };
                self.retryable = Some(Retryable {
                    name,
                    value: Some(*expr),
                    literal,
                });
            }
            ("retry_after", RawValue::Expr(expr)) => self.retry_after = after(&expr, ctxt),
            ("user", RawValue::Expr(expr)) => self.user = Some(*expr),
            ("crate", RawValue::Expr(expr)) if container => self.krate = krate(&expr, ctxt),
            ("crate", _) => ctxt.error(name, "`crate = path` belongs on the type itself"),
            (known, _) if OPTIONS.contains(&known) => {
                ctxt.error(&name, format!("`{known}` needs a value: `{known} = ..`"));
            }
            (other, _) => {
                let hint = match redirect(other).or_else(|| nearest(other, OPTIONS)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("there are {}", enumerate(OPTIONS)),
                };
                ctxt.error(
                    &name,
                    format!("`#[classify]` has no option `{other}`; {hint}"),
                );
            }
        }
    }
}

fn redirect(word: &str) -> Option<&'static str> {
    Some(match word {
        "retry" | "retriable" | "transient" | "temporary" => "retryable",
        "message" | "user_message" | "msg" => "user",
        "kind" => "category",
        "level" => "severity",
        "after" | "wait" => "retry_after",
        "forward" | "source" => "transparent",
        _ => return None,
    })
}

fn severity(expr: &Expr, ctxt: &Ctxt) -> Option<Severity> {
    let Expr::Lit(lit) = peel(expr) else {
        return Some(Severity::Expr(expr.clone()));
    };
    let Lit::Str(text) = &lit.lit else {
        ctxt.error(
            expr,
            format!("a severity is one of {}, in quotes", enumerate(SEVERITIES)),
        );
        return None;
    };
    let name = text.value();
    if let Some(known) = SEVERITIES.iter().find(|known| **known == name) {
        return Some(Severity::Named(known, text.span()));
    }
    let hint = nearest(&name, SEVERITIES)
        .map(|near| format!("; did you mean `\"{near}\"`?"))
        .unwrap_or_default();
    ctxt.error(
        expr,
        format!("a severity is one of {}{hint}", enumerate(SEVERITIES)),
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

/// Rules across the arguments of one attribute.
///
/// ```text
/// #[classify(transparent, category = "network")] Http(reqwest::Error)
/// #[classify(transparent)] Both(A, B)
/// #[classify(retryable = false, retry_after = "1s")] Busy
/// #[classify(retryable, severity = "critical")] Lost
/// ```
pub(crate) fn check(says: &Says, fields: &Fields, name: &Ident, ctxt: &Ctxt) {
    if let Some(transparent) = &says.transparent {
        if says.classifies() {
            ctxt.error(
                transparent,
                "`transparent` leaves the classification to the field: nothing but `user` can \
                 stand beside it",
            );
        }
        if fields.len() != 1 {
            let found = fields.len();
            ctxt.error(
                transparent,
                format!("`transparent` needs exactly one field; `{name}` has {found}"),
            );
        }
    }
    if let Some(Retryable {
        name,
        literal: Some(retryable),
        ..
    }) = &says.retryable
    {
        if !retryable && says.retry_after.is_some() {
            ctxt.error(
                name,
                "what is not retryable has no time after which to retry",
            );
        }
        if *retryable && matches!(says.severity, Some(Severity::Named("critical", _))) {
            ctxt.error(name, "a critical failure is never retried");
        }
    }
    if let Some(After::Field(field)) = &says.retry_after {
        let is_field = fields.iter().enumerate().any(|(index, candidate)| {
            candidate
                .ident
                .as_ref()
                .map_or_else(|| *field == format!("_{index}"), |own| own == field)
        });
        let is_constant = field
            .to_string()
            .chars()
            .all(|c| c.is_uppercase() || c == '_');
        if !is_field && !is_constant {
            let names: Vec<_> = fields
                .iter()
                .enumerate()
                .map(|(index, field)| {
                    field
                        .ident
                        .as_ref()
                        .map_or_else(|| format!("_{index}"), ToString::to_string)
                })
                .collect();
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let there = enumerate(&names);
            let hint = if names.is_empty() {
                String::new()
            } else {
                format!("; there are {there}")
            };
            ctxt.error(
                field.to_token_stream(),
                format!("`{name}` has no field `{field}`{hint}"),
            );
        }
    }
}
