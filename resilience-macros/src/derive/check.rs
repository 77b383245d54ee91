//! Rules across the options of one `#[classify]`, and about where it stands. Each is a Rust function
//! with an example of what it refuses.

use proc_macro2::Ident;
use syn::Fields;

use super::attr::{After, Retryable, Says, Severity};
use super::expand::binding;
use crate::ctxt::Ctxt;
use crate::spelling::enumerate;

/// The rules about a variant, or a struct, of this name.
pub(crate) fn check(says: &Says, fields: &Fields, name: &Ident, ctxt: &Ctxt) {
    above_and_not_inside(fields, name, ctxt);
    transparent_has_one_field(says, fields, name, ctxt);
    retry_after_is_there(says, fields, name, ctxt);
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
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let hint = match names[..] {
        [] => String::new(),
        _ => format!("; it has {}", enumerate(&names)),
    };
    ctxt.error(field, format!("`{name}` has no field `{field}`{hint}"));
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
