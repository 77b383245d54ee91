//! How the call looks at what came out: the way from an error to its classification, and from an
//! answer of ours to the function's error type. All of it is made where it is used and gone
//! before the next `await`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{GenericArgument, PathArguments, Type};

use crate::expand::{call_at, spanned};
use crate::inputs::peel;
use crate::model::Model;

/// An expression for the `How`. `__resilience_call` and `__resilience_out` are in scope.
///
/// ```text
/// How::rejecting(&call, probe.look(), reject())
/// ```
pub(crate) fn how(model: &Model, private: &TokenStream) -> TokenStream {
    let mut look = quote_spanned! {Span::mixed_site()=>
        #private::probe(&__resilience_call).__resilience_look()
    };
    if let Some(option) = &model.args.classify {
        let path = &option.value;
        look = quote_spanned!(Span::mixed_site()=> #private::Look::by(#look, #path));
    }
    let how = quote_spanned!(Span::mixed_site()=> #private::How);
    let (constructor, reject) = if let Some(option) = &model.args.reject_with {
        (quote!(rejecting), option.value.to_token_stream())
    } else if model.args.can_reject() {
        (quote!(rejecting), bound(model, private))
    } else {
        let carrier = quote_spanned! {Span::mixed_site()=>
            #private::carrier(&__resilience_call).__resilience_reject()
        };
        (quote!(perhaps_rejecting), carrier)
    };
    let tokens = quote_spanned! {Span::mixed_site()=>
        #how::#constructor(&__resilience_call, #look, #reject)
    };
    match &model.args.retry_if_ok {
        None => tokens,
        Some(option) => {
            let predicate = &option.value;
            quote_spanned! {Span::mixed_site()=>
                #how::retry_if_ok(#tokens, &__resilience_out, #predicate)
            }
        }
    }
}

/// The one bound on the error type, spanned at it.
fn bound(model: &Model, private: &TokenStream) -> TokenStream {
    let none = TokenStream::new();
    match spelt_out(&model.output) {
        None => call_at(&model.output, private, "reject_in", none),
        Some(error) if model.is_parameter(error) => call_at(error, private, "reject_generic", none),
        Some(error) => call_at(error, private, "reject", none),
    }
}

/// The step after an attempt that others may follow.
pub(crate) fn next(model: &Model, private: &TokenStream) -> TokenStream {
    let mut how = quote_spanned!(Span::mixed_site()=> __resilience_how);
    if let Some(option) = &model.args.retry_if {
        let predicate = &option.value;
        // Spanned at it, so that a closure of another kind is reported there.
        let span = predicate.span().resolved_at(Span::mixed_site());
        let private = spanned(private, span);
        how = quote_spanned!(span=> #private::How::retry_if(#how, &#predicate));
    }
    let Some(option) = &model.args.before_retry else {
        return quote_spanned! {Span::mixed_site()=>
            #private::Call::next(&mut __resilience_call, __resilience_out, #how)
        };
    };
    let hook = &option.value;
    quote_spanned! {Span::mixed_site()=>
        #private::Call::next_after(&mut __resilience_call, __resilience_out, #how, #hook)
    }
}

/// The error type, where the return type is a `Result` of two arguments. An alias of another name may
/// have them in any order.
fn spelt_out(output: &Type) -> Option<&Type> {
    let Type::Path(path) = peel(output) else {
        return None;
    };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(args) = &last.arguments else {
        return None;
    };
    if last.ident != "Result" {
        return None;
    }
    match args.args.iter().collect::<Vec<_>>()[..] {
        [GenericArgument::Type(_), GenericArgument::Type(error)] => Some(error),
        _ => None,
    }
}
