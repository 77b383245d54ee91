//! What runs when the call would fail: the user's functions, one after the other, outside of every
//! pattern.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned as _;

use crate::expand::attempt::reuse;
use crate::fallback::Fallback;
use crate::inputs::{Parameter, Receiver, Renew};
use crate::model::Model;

/// An expression for whether the fallback is for the failure at hand, if it is narrowed.
/// `__resilience_call`, `__resilience_out` and `__resilience_how` are in scope.
pub(crate) fn applies(model: &Model, private: &TokenStream) -> Option<TokenStream> {
    let on = &model.fallback()?.on;
    if on.is_empty() {
        return None;
    }
    let on = on.iter().map(|on| on.tokens(private));
    Some(quote_spanned! {Span::mixed_site()=>
        #private::Call::falls_back(
            &__resilience_call,
            &__resilience_out,
            &__resilience_how,
            &[#(#on),*],
        )
    })
}

/// The statements behind the call, whose result is `ended`: with whether the fallback applies,
/// where that is asked. What the fallback returns is what the function does.
///
/// ```text
/// let error = match ended {
///     Err(error) if Call::is_enabled(&call) => error,
///     result => return result,
/// };
/// let answer = 'answer: {
///     let later = match Call::answer(&call, path(a, b, error)) {
///         Answered::Now(answer) => break 'answer answer,
///         Answered::Later(later) => later,
///     };
///     later.await
/// };
/// Call::fell_back(&call, 1, &answer);
/// answer
/// ```
///
/// No result is held while a fallback is awaited, so that the future is `Send` though the result
/// is not.
pub(crate) fn after(
    model: &Model,
    private: &TokenStream,
    fallback: &Fallback,
    ended: &TokenStream,
) -> TokenStream {
    let result = quote_spanned!(Span::mixed_site()=> ::core::result::Result);
    let first = if fallback.on.is_empty() {
        quote_spanned! {Span::mixed_site()=>
            let __resilience_error = match #ended {
                #result::Err(__resilience_error)
                    if #private::Call::is_enabled(&__resilience_call) => __resilience_error,
                __resilience_result => return __resilience_result,
            };
        }
    } else {
        quote_spanned! {Span::mixed_site()=>
            let __resilience_error = match #ended {
                (#result::Err(__resilience_error), true) => __resilience_error,
                (__resilience_result, _) => return __resilience_result,
            };
        }
    };
    let last = fallback.functions.len();
    let functions = fallback.functions.iter().enumerate().map(|(at, function)| {
        let number = u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1);
        let answer = answer(model, private, function, at + 1 == last);
        let ended = quote_spanned! {Span::mixed_site()=>
            let __resilience_answer = '__resilience_answer: {
                let __resilience_later = match #answer {
                    #private::Answered::Now(__resilience_answer) => {
                        break '__resilience_answer __resilience_answer;
                    }
                    #private::Answered::Later(__resilience_later) => __resilience_later,
                };
                __resilience_later.await
            };
            #private::Call::fell_back(&__resilience_call, #number, &__resilience_answer);
        };
        if at + 1 == last {
            return quote_spanned!(Span::mixed_site()=> #ended __resilience_answer);
        }
        quote_spanned! {Span::mixed_site()=>
            let __resilience_error = {
                #ended
                match __resilience_answer {
                    #result::Ok(__resilience_value) => return #result::Ok(__resilience_value),
                    #result::Err(__resilience_error) => __resilience_error,
                }
            };
        }
    });
    quote!(#first #(#functions)*)
}

/// A call of one function, which may return the result or a future of it. Spanned at its path: what
/// does not fit is reported there.
fn answer(model: &Model, private: &TokenStream, function: &Expr, last: bool) -> TokenStream {
    let receiver = model
        .item
        .sig
        .receiver()
        .map(|receiver| this(&model.receiver, receiver.self_token, private, last));
    let arguments = model
        .parameters
        .iter()
        .map(|parameter| argument(model, parameter, private, last, function.span()));
    let arguments = receiver.into_iter().chain(arguments);
    let error =
        quote_spanned!(function.span().resolved_at(Span::mixed_site())=> __resilience_error);
    let called = match function {
        Expr::Path(_) => function.to_token_stream(),
        other => quote!((#other)),
    };
    let called = quote_spanned!(function.span()=> #called(#(#arguments,)* #error));
    quote_spanned!(function.span().resolved_at(Span::mixed_site())=>
        #private::Call::answer(&__resilience_call, #called))
}

fn this(
    receiver: &Receiver,
    this: syn::Token![self],
    private: &TokenStream,
    last: bool,
) -> TokenStream {
    match receiver {
        Receiver::Unique(_) if !last => quote_spanned!(Span::mixed_site()=> &mut *#this),
        Receiver::Typed if !last => quote_spanned!(Span::mixed_site()=> #private::reuse(&#this)),
        _ => quote!(#this),
    }
}

/// An argument, spanned at the function that gets it.
fn argument(
    model: &Model,
    parameter: &Parameter,
    private: &TokenStream,
    last: bool,
    span: Span,
) -> TokenStream {
    let Parameter { ident, renew } = parameter;
    let mut ident = ident.clone();
    ident.set_span(span.resolved_at(ident.span()));
    match renew {
        _ if last => quote!(#ident),
        Renew::Copy => quote!(#ident),
        Renew::Reborrow => quote_spanned!(Span::mixed_site()=> &mut *#ident),
        Renew::Clone(ty) => {
            let reuse = reuse(model, ty, private);
            quote_spanned!(Span::mixed_site()=> #reuse(&#ident))
        }
    }
}
