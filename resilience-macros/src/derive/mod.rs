//! `#[derive(Classify)]`: what kind of failure each variant of an error type is.

mod attr;
mod check;
mod expand;

use proc_macro2::TokenStream;
use syn::{Data, DeriveInput};

use crate::ctxt::Ctxt;
use attr::Says;
use check::{check, contradictions};

pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let ctxt = Ctxt::new();
    let Some(input) = ctxt.ok(syn::parse2::<DeriveInput>(input)) else {
        return ctxt.into_compile_errors();
    };
    let container = Says::of_container(&input.attrs, &ctxt);
    contradictions(&container, &ctxt);
    let arms = match &input.data {
        Data::Struct(data) => {
            let says = container.clone();
            check(&says, &data.fields, &input.ident, &ctxt);
            vec![expand::Arm {
                variant: None,
                fields: &data.fields,
                says,
            }]
        }
        Data::Enum(data) => data
            .variants
            .iter()
            .map(|variant| {
                let own = Says::of_variant(&variant.attrs, &ctxt);
                let is_silent = !own.classifies();
                let says = own.or(&container);
                check(&says, &variant.fields, &variant.ident, &ctxt);
                if !is_silent {
                    contradictions(&says, &ctxt);
                }
                expand::Arm {
                    variant: Some(&variant.ident),
                    fields: &variant.fields,
                    says,
                }
            })
            .collect(),
        Data::Union(data) => {
            ctxt.error(data.union_token, "`Classify` is for structs and enums");
            Vec::new()
        }
    };
    if matches!(input.data, Data::Enum(_)) && container.transparent.is_some() {
        ctxt.error(
            &container.transparent,
            "`transparent` belongs on a variant with one field",
        );
    }
    // Also with errors: whoever needs the impl does not have to hear that it is missing.
    let mut tokens = expand::implementation(&input, &arms, container.krate.as_ref());
    if !ctxt.is_empty() {
        tokens = expand::dummy(&input, container.krate.as_ref());
        tokens.extend(ctxt.into_compile_errors());
    }
    tokens
}
