//! How the call looks at what came out: the way from an error to its classification, and from an
//! answer of ours to the function's error type. All of it is made where it is used and gone
//! before the next `await`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{GenericArgument, PathArguments, Type};

use crate::inputs::peel;
use crate::model::Model;

/// An expression for the `How`. `__resilience_call` and `__resilience_out` are in scope.
///
/// ```text
/// How::rejecting(&call, probe.classify(), probe.text(), reject(&call))
/// ```
pub(crate) fn how(model: &Model, private: &TokenStream) -> TokenStream {
    let classify = match &model.args.classify {
        Some(option) => option.value.to_token_stream(),
        None => probe(private, &quote!(__resilience_classify)),
    };
    let text = probe(private, &quote!(__resilience_text));
    let how = quote_spanned!(Span::mixed_site()=> #private::How);
    let (constructor, reject) = if let Some(option) = &model.args.reject_with {
        (quote!(rejecting), option.value.to_token_stream())
    } else if model.args.can_reject() {
        // The one bound on the error type, spanned at it.
        let span = error_span(&model.output);
        let reject = quote_spanned!(span=> #private::reject);
        let call = Ident::new("__resilience_call", Span::mixed_site().located_at(span));
        (quote!(rejecting), quote_spanned!(span=> #reject(&#call)))
    } else {
        (
            quote!(perhaps_rejecting),
            probe(private, &quote!(__resilience_reject)),
        )
    };
    let mut tokens = quote_spanned! {Span::mixed_site()=>
        #how::#constructor(&__resilience_call, #classify, #text, #reject)
    };
    if let Some(option) = &model.args.retry_if {
        let predicate = &option.value;
        tokens = quote_spanned! {Span::mixed_site()=>
            #how::retry_if(#tokens, &__resilience_out, #predicate)
        };
    }
    if let Some(option) = &model.args.retry_if_ok {
        let predicate = &option.value;
        tokens = quote_spanned! {Span::mixed_site()=>
            #how::retry_if_ok(#tokens, &__resilience_out, #predicate)
        };
    }
    tokens
}

/// The step after an attempt that others may follow.
pub(crate) fn next(model: &Model, private: &TokenStream) -> TokenStream {
    match &model.args.before_retry {
        None => quote_spanned! {Span::mixed_site()=>
            #private::Call::next(&mut __resilience_call, __resilience_out, __resilience_how)
        },
        Some(option) => {
            let hook = &option.value;
            quote_spanned! {Span::mixed_site()=>
                #private::Call::next_after(
                    &mut __resilience_call,
                    __resilience_out,
                    __resilience_how,
                    #hook,
                )
            }
        }
    }
}

/// Asks the error type what it can do, by the number of references: the method of the most
/// telling trait is found first. No user code stands in the block that imports the traits.
fn probe(private: &TokenStream, method: &TokenStream) -> TokenStream {
    quote_spanned! {Span::mixed_site()=>
        {
            #[allow(unused_imports)]
            use #private::probe::*;
            (&&&&&&&#private::Probe::of(&__resilience_call)).#method()
        }
    }
}

/// Where the error type is spelt out, else the whole return type.
fn error_span(output: &Type) -> Span {
    let spelt_out = match peel(output) {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .and_then(|last| match &last.arguments {
                PathArguments::AngleBracketed(args) if args.args.len() == 2 => {
                    match &args.args[1] {
                        GenericArgument::Type(ty) => Some(ty.span()),
                        _ => None,
                    }
                }
                _ => None,
            }),
        _ => None,
    };
    spelt_out.unwrap_or_else(|| output.span())
}
