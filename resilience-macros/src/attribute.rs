//! From an attribute and its item to what the compiler gets: parse, check, model, expand.

use proc_macro2::TokenStream;
use quote::ToTokens;

use crate::args::{Args, Attribute};
use crate::block::{self, RawBlock};
use crate::check::{check, ours};
use crate::ctxt::Ctxt;
use crate::expand;
use crate::grammar::{self, RawArg};
use crate::item::RawFn;
use crate::model::Model;

/// The expansion of a function or of a block of methods.
pub(crate) fn expand(attribute: Attribute, args: TokenStream, item: TokenStream) -> TokenStream {
    let ctxt = Ctxt::new();
    let args = grammar::parse(args, &ctxt);
    if let Ok(block) = syn::parse2::<RawBlock>(item.clone()) {
        return block::expand(attribute, &args, &block, ctxt);
    }
    match syn::parse2::<RawFn>(item.clone()) {
        Ok(item) => function(attribute, args, item, ctxt),
        Err(error) => {
            ctxt.push(not_a_function(attribute, &item, error));
            item.into_iter().chain(ctxt.into_compile_errors()).collect()
        }
    }
}

/// The expansion; or the user's own function, which has the same signature, and every error.
pub(crate) fn function(
    attribute: Attribute,
    args: Vec<RawArg>,
    mut item: RawFn,
    ctxt: Ctxt,
) -> TokenStream {
    let args = Args::parse(attribute, args, &ctxt);
    check(&args, &item, &ctxt);
    if !ctxt.is_empty() {
        // A second attribute of ours would report the same item once more.
        item.attrs.retain(|attr| ours(attr).is_none());
        let mut tokens = item.into_token_stream();
        tokens.extend(ctxt.into_compile_errors());
        return tokens;
    }
    let unchanged = item.to_token_stream();
    // `check` has found everything that a model needs.
    Model::new(args, item).map_or(unchanged, |model| expand::expand(&model))
}

/// What the attribute can stand on, unless the item is a function that could not be read.
fn not_a_function(attribute: Attribute, item: &TokenStream, error: syn::Error) -> syn::Error {
    let is_function = item.clone().into_iter().any(|tree| match tree {
        proc_macro2::TokenTree::Ident(ident) => ident == "fn",
        _ => false,
    });
    if is_function {
        return error;
    }
    let name = attribute.name();
    syn::Error::new(
        error.span(),
        format!("`#[{name}]` belongs on an async function, an `impl` block or a trait"),
    )
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn expand(args: TokenStream, item: TokenStream) -> String {
        super::expand(Attribute::Resilient, args, item).to_string()
    }

    #[test]
    fn every_error_is_reported_and_the_item_is_kept() {
        let item = quote!(
            pub fn f(a: u8) -> u8 {
                a
            }
        );
        let tokens = expand(quote!(retires = 3, timeout = 30), item.clone());
        assert!(tokens.starts_with(&item.to_string()), "{tokens}");
        assert_eq!(tokens.matches("compile_error").count(), 3, "{tokens}");
    }

    #[test]
    fn the_signature_and_its_attributes_are_kept() {
        let tokens = expand(
            quote!(),
            quote! {
                #[doc = "D"] #[must_use] pub(crate) async unsafe fn f<'a, T>(a: &'a T) -> Result<u8, E>
                where T: Sync { Ok(1) }
            },
        );
        let head = quote! {
            #[doc = "D"] #[must_use] pub(crate) async unsafe fn f<'a, T>(a: &'a T) -> Result<u8, E>
            where T: Sync
        };
        assert!(tokens.starts_with(&head.to_string()), "{tokens}");
    }

    #[test]
    fn m2_the_expansion_asks_no_feature_of_the_callers_crate() {
        let tokens = expand(
            quote!(retries = 2),
            quote!(
                async fn f(a: String) -> R {
                    g(a)?
                }
            ),
        );
        assert!(!tokens.contains("cfg"), "{tokens}");
    }

    #[test]
    fn one_attempt_has_no_loop_and_clones_nothing() {
        let tokens = expand(
            quote!(retries = 0),
            quote!(
                async fn f(a: String) -> R {
                    g(a)?
                }
            ),
        );
        assert!(
            !tokens.contains("reuse") && !tokens.contains("break"),
            "{tokens}"
        );
        assert!(tokens.contains("one_attempt"), "{tokens}");
    }
}
