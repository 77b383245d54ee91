//! One attempt: the body as a future of its own, with arguments of its own.

use proc_macro2::{Group, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned as _;

use crate::expand::call_at;
use crate::inputs::{Binding, Receiver, Renew, erase_impl, peel};
use crate::model::Model;

/// An expression for what came out of the attempt.
///
/// ```text
/// {
///     let a = reuse::<String>(&a);
///     let attempt = pin!(async move { ..; { ..body.. } });
///     Call::watch(&mut call, attempt).await
/// }
/// ```
pub(crate) fn attempt(model: &Model, private: &TokenStream) -> TokenStream {
    let renewed = model
        .bindings
        .iter()
        .map(|binding| renew(binding, model, private));
    let block = block(model, private);
    let pinned = if model.args.boxed.is_some() {
        let output = &model.output;
        quote_spanned! {Span::mixed_site()=>
            let mut __resilience_attempt: ::core::pin::Pin<::std::boxed::Box<
                dyn ::core::future::Future<Output = #output> + ::core::marker::Send + '_
            >> = ::std::boxed::Box::pin(#block);
            let __resilience_attempt = ::core::pin::Pin::as_mut(&mut __resilience_attempt);
        }
    } else {
        quote_spanned! {Span::mixed_site()=>
            let __resilience_attempt = ::core::pin::pin!(#block);
        }
    };
    quote_spanned! {Span::mixed_site()=>
        {
            #(#renewed)*
            #pinned
            #private::Call::watch(&mut __resilience_call, __resilience_attempt).await
        }
    }
}

/// `let a = reuse::<String>(&a);`. The bound is spanned at the type: an argument that cannot be
/// cloned is reported where it is declared.
fn renew(binding: &Binding, model: &Model, private: &TokenStream) -> TokenStream {
    let Binding {
        attrs,
        mutability,
        ident,
        renew,
        ..
    } = binding;
    let used = used(binding);
    let lints = lints(binding);
    let value = match renew {
        Renew::Clone(ty) => {
            let reuse = reuse(model, ty, private);
            quote_spanned!(Span::mixed_site()=> #reuse(&#ident))
        }
        Renew::Copy => quote!(#ident),
        Renew::Reborrow => quote_spanned!(Span::mixed_site()=> &mut *#ident),
    };
    // Where the block takes its variables along, this one is the attempt's own. Elsewhere the
    // block binds it once more, and that one may be `mut`.
    let mutability = model.moves().then_some(*mutability).flatten();
    let cfgs = attrs.iter().filter(|attr| attr.path().is_ident("cfg"));
    let attrs = if model.moves() {
        quote!(#(#attrs)*)
    } else {
        quote!(#(#cfgs)*)
    };
    quote_spanned! {Span::mixed_site()=>
        #attrs
        #lints
        #used
        let #mutability #ident = #value;
    }
}

/// The way to another value of a type, spanned at it.
pub(crate) fn reuse(model: &Model, ty: &Type, private: &TokenStream) -> TokenStream {
    // The compiler's own words about `Clone` are the better ones for what has no name.
    let generic = model.is_parameter(ty) || matches!(peel(ty), Type::ImplTrait(_));
    let function = if generic {
        "reuse_generic"
    } else if model.fallback().is_some() {
        "keep"
    } else {
        "reuse"
    };
    let function = proc_macro2::Ident::new(function, ty.span());
    let erased = erase_impl(ty);
    quote_spanned!(ty.span()=> #private::#function::<#erased>)
}

/// The lints that the name and the type would meet a second time. Each name in the list costs the
/// compiler time, in every function.
fn lints(binding: &Binding) -> TokenStream {
    let underscore = binding.ident.to_string().starts_with('_');
    let underscore = underscore.then(|| quote!(clippy::used_underscore_binding,));
    let shadow = match binding.renew {
        Renew::Clone(_) => quote!(clippy::shadow_reuse, elided_lifetimes_in_paths),
        Renew::Copy => quote!(clippy::shadow_same),
        Renew::Reborrow => quote!(clippy::shadow_reuse, clippy::shadow_same),
    };
    quote!(#[allow(#underscore #shadow)])
}

/// Keeps the compiler from calling a variable unused that only the attribute uses.
fn used(binding: &Binding) -> Option<TokenStream> {
    binding.named.then(|| quote!(#[allow(unused_variables)]))
}

/// The `async` block around the body. Spanned at it: what the compiler has to say about moves into
/// the block is about the body.
fn block(model: &Model, private: &TokenStream) -> TokenStream {
    let fake_return = fake_return(model, private);
    let body = body(model, private);
    if model.moves() {
        // Takes `self` as a whole. Of a field alone that the body overwrites, the compiler would say
        // that its captured value is never read.
        let whole = match &model.receiver {
            Receiver::Value(Some(this)) => {
                Some(quote_spanned!(Span::mixed_site()=> let _ = &#this;))
            }
            _ => None,
        };
        let inside = quote_spanned! {Span::mixed_site()=>
            #fake_return
            #whole
            #[allow(unused_braces)]
            #body
        };
        return quote_spanned!(body.span()=> async move { #inside });
    }
    // Captures `self` as a whole and by unique reference, whatever the body does with it, so that
    // the future is `Send` whenever `Self` is.
    let unique = match &model.receiver {
        Receiver::Unique(this) => Some(quote_spanned! {Span::mixed_site()=>
            let _ = &mut *#this;
        }),
        _ => None,
    };
    let own = model.bindings.iter().map(|binding| {
        let Binding {
            attrs,
            mutability,
            ident,
            ..
        } = binding;
        let used = used(binding);
        quote_spanned! {Span::mixed_site()=>
            #(#attrs)*
            #used
            #[allow(clippy::used_underscore_binding, clippy::shadow_same)]
            let #mutability #ident = #ident;
        }
    });
    let inside = quote_spanned! {Span::mixed_site()=>
        #fake_return
        #unique
        #(#own)*
        #[allow(unused_braces)]
        #body
    };
    quote_spanned!(body.span()=> async { #inside })
}

/// The user's body; in a method that `#[async_trait]` has rewritten, so that attempts can follow
/// each other.
fn body(model: &Model, private: &TokenStream) -> Group {
    match &model.boxed_future {
        Some(boxed) if model.args.keeps_arguments() => {
            boxed.repeatable(&model.receiver, &quote!(#private::reuse))
        }
        _ => model.body.clone(),
    }
}

/// A `return` of the right type comes first, so that the body's own ones and its tail are coerced
/// to it, as they would be in the plain function.
fn fake_return(model: &Model, private: &TokenStream) -> TokenStream {
    let output = &model.output;
    let never = call_at(output, private, "never", TokenStream::new());
    let value = quote_spanned!(output.span()=> return #never;);
    quote_spanned! {Span::mixed_site()=>
        if false {
            #value
        }
    }
}
