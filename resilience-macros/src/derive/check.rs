//! Rules across the options of one `#[classify]`, and about where it stands. Each is a Rust function
//! with an example of what it refuses.

use proc_macro2::Ident;
use syn::{Fields, Member};

use super::attr::{After, Retryable, Says, Severity};
use super::expand::{binding, by_name, literal};
use crate::ctxt::Ctxt;
use crate::spelling::enumerate;

/// The rules about a variant, or a struct, of this name.
pub(crate) fn check(says: &Says, fields: &Fields, name: &Ident, ctxt: &Ctxt) {
    above_and_not_inside(fields, name, ctxt);
    transparent_has_one_field(says, fields, name, ctxt);
    retry_after_is_there(says, fields, name, ctxt);
    numbers_in_user_are_there(says, fields, name, ctxt);
}

/// ```text
/// Http(#[classify(transparent)] reqwest::Error)
/// ```
fn above_and_not_inside(fields: &Fields, name: &Ident, ctxt: &Ctxt) {
    let attrs = fields.iter().flat_map(|field| &field.attrs);
    for attr in attrs.filter(|attr| attr.path().is_ident("classify")) {
        ctxt.error(
            attr,
            format!("`#[classify]` stands above `{name}`, and not on a field of it"),
        );
    }
}

/// ```text
/// #[classify(transparent, category = "network")] Http(reqwest::Error)
/// #[classify(transparent)] Both(A, B)
/// ```
fn transparent_has_one_field(says: &Says, fields: &Fields, name: &Ident, ctxt: &Ctxt) {
    let Some(transparent) = &says.transparent else {
        return;
    };
    if says.classifies() {
        ctxt.error(
            transparent,
            "`transparent` leaves the classification to the field: nothing but `user` can stand \
             beside it",
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

/// ```text
/// #[classify(retry_after = wait)] Busy { after: Duration }
/// ```
fn retry_after_is_there(says: &Says, fields: &Fields, name: &Ident, ctxt: &Ctxt) {
    let Some(After::Field(field)) = &says.retry_after else {
        return;
    };
    let written = field.to_string();
    let is_constant =
        written == written.to_uppercase() && written.contains(|c: char| c.is_uppercase());
    let names: Vec<_> = fields
        .members()
        .map(|member| binding(&member).to_string())
        .collect();
    if is_constant || names.contains(&written) {
        return;
    }
    let hint = has(names.into_iter());
    ctxt.error(field, format!("`{name}` has no field `{field}`{hint}"));
}

/// A name that is no field is the compiler's to report.
///
/// ```text
/// #[classify(user = "Wait for {1}.")] Busy(Duration)
/// ```
fn numbers_in_user_are_there(says: &Says, fields: &Fields, name: &Ident, ctxt: &Ctxt) {
    let Some(text) = says.user.as_ref().and_then(literal) else {
        return;
    };
    let bindings: Vec<_> = fields
        .members()
        .map(|member| binding(&member).to_string())
        .collect();
    let (_, names) = by_name(&text.value());
    for missing in names.iter().filter(|name| !bindings.contains(name)) {
        let number = missing.strip_prefix('_').unwrap_or_default();
        if number.parse::<usize>().is_ok() {
            let hint = has(fields.members().map(|member| match member {
                Member::Named(name) => name.to_string(),
                Member::Unnamed(index) => index.index.to_string(),
            }));
            ctxt.error(text, format!("`{name}` has no field `{number}`{hint}"));
        }
    }
}

/// The fields that there are.
fn has(names: impl Iterator<Item = String>) -> String {
    let names: Vec<_> = names.collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    match names[..] {
        [] => String::new(),
        _ => format!("; it has {}", enumerate(&names)),
    }
}

/// What is said of one variant, or of all of an enum's.
///
/// ```text
/// #[classify(retryable = false, retry_after = "1s")] Busy
/// #[classify(retryable, severity = "critical")] Lost
/// ```
pub(crate) fn contradictions(says: &Says, ctxt: &Ctxt) {
    let Some(Retryable {
        name,
        literal: Some(retryable),
        ..
    }) = &says.retryable
    else {
        return;
    };
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
