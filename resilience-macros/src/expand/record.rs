//! What telemetry records of the arguments, and the requirements that are checked before a body
//! runs.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned as _;

use crate::fields::{Field, Form};
use crate::grammar::peel;
use crate::model::Model;
use crate::require::Requirement;

/// `Call::record(&mut call, Fields::new().add("a", recorded(&a)));`, or nothing.
pub(crate) fn record(model: &Model, private: &TokenStream) -> TokenStream {
    if model.args.fields.is_empty() {
        return TokenStream::new();
    }
    let fields = model.args.fields.iter().map(|Field { name, form, value }| {
        let (method, value) = match form {
            Form::Value => {
                // The body needs a variable as well; what is computed here is nobody else's.
                let is_place = matches!(peel(value), Expr::Path(_) | Expr::Field(_));
                let borrow = is_place.then(|| quote_spanned!(value.span()=> &));
                let recorded = quote_spanned!(value.span()=> #private::recorded(#borrow #value));
                (quote!(add), recorded)
            }
            Form::Display => (quote!(display), borrowed(value)),
            Form::Debug => (quote!(debug), borrowed(value)),
        };
        quote!(.#method(#name, #value))
    });
    quote_spanned! {Span::mixed_site()=>
        #private::Call::record(&mut __resilience_call, #private::Fields::new() #(#fields)*);
    }
}

/// `Call::resource(&mut call, "llm_tokens", amount(max_tokens));` for each, then
/// `Call::key(&mut call, &(tenant));`: what is asked for before anything is moved.
pub(crate) fn start(model: &Model, private: &TokenStream) -> TokenStream {
    let resources = model.args.resources.iter().map(|resource| {
        let (pool, amount) = (resource.pool(), resource.amount(private));
        quote_spanned! {Span::mixed_site()=>
            #private::Call::resource(&mut __resilience_call, #pool, #amount);
        }
    });
    let key = model.args.key.as_ref().map(|key| {
        let key = match peel(key) {
            // What several arguments make together borrows each of them.
            Expr::Tuple(tuple) => {
                let parts = tuple.elems.iter().map(borrowed);
                quote_spanned!(key.span()=> &(#(#parts,)*))
            }
            _ => borrowed(key),
        };
        quote_spanned! {Span::mixed_site()=>
            #private::Call::key(&mut __resilience_call, #key);
        }
    });
    quote!(#(#resources)* #key)
}

/// A reference to a value, spanned at it.
fn borrowed(value: &Expr) -> TokenStream {
    quote_spanned!(value.span()=> &(#value))
}

/// `Call::require(&mut call, Unmet::new().require(..));`, or nothing.
pub(crate) fn require(model: &Model, private: &TokenStream) -> TokenStream {
    if model.args.require.is_empty() {
        return TokenStream::new();
    }
    let requirements = model.args.require.iter().map(|requirement| {
        let Requirement {
            condition,
            field,
            message,
        } = requirement;
        quote_spanned! {Span::mixed_site()=>
            .require(#condition, #field, ::core::format_args!(#message))
        }
    });
    quote_spanned! {Span::mixed_site()=>
        #private::Call::require(
            &mut __resilience_call,
            #private::Unmet::new() #(#requirements)*,
        );
    }
}
