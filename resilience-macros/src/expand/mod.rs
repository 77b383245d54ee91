//! Writes the function. It cannot fail: what could is a check.
//!
//! ```text
//! async fn f(&mut self, a: String) -> Result<u64, E> {
//!     let mut call = { static SITE: Site = ..; begin::<Result<u64, E>>(&SITE) };
//!     loop {
//!         let out = {
//!             let a = reuse::<String>(&a);
//!             let attempt = pin!(async {
//!                 if false { return never::<Result<u64, E>>(); }
//!                 let _ = &mut *self;
//!                 let a = a;
//!                 { ..body.. }
//!             });
//!             Call::watch(&mut call, attempt).await
//!         };
//!         let how = How::rejecting(&call, ..);
//!         if let Step::Done(result) = Call::next(&mut call, out, how) { break result; }
//!     }
//! }
//! ```
//!
//! Generated names are spelt so that nobody else has them, also where hygiene would keep them
//! apart, since it does not hide items and constants. Everything is reached by an absolute path,
//! and our types are never called with method syntax: a user's blanket trait could answer. The
//! exceptions are methods that take `self` by value, which are found before any such trait's.

mod attempt;
mod fallback;
mod how;
mod record;
mod site;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::Path;

use crate::args::Args;
use crate::boxed_future::BoxedFuture;
use crate::model::Model;

/// Something that stands where `tokens` do, from their first to their last: the path of a function
/// in the private module, with its generic arguments, and a call of it. The compiler then reports
/// what is wrong with them there, and once, though it may look at a bound more than once.
pub(crate) fn call_at(
    tokens: &impl ToTokens,
    private: &TokenStream,
    function: &str,
    argument: TokenStream,
) -> TokenStream {
    let trees: Vec<_> = tokens.to_token_stream().into_iter().collect();
    let first = trees.first().map_or_else(Span::call_site, TokenTree::span);
    let last = trees.last().map_or(first, TokenTree::span);
    let private = spanned(private, first);
    let function = Ident::new(function, first);
    let mut arguments = Group::new(Delimiter::Parenthesis, argument);
    arguments.set_span(last);
    quote_spanned!(first=> #private::#function::<#(#trees)*> #arguments)
}

/// The path with another span. A `$crate` keeps its own, which says whose it is.
pub(crate) fn spanned(path: &TokenStream, span: Span) -> TokenStream {
    let respan = |mut tree: TokenTree| {
        if !matches!(&tree, TokenTree::Ident(ident) if ident == "$crate") {
            tree.set_span(span);
        }
        tree
    };
    path.clone().into_iter().map(respan).collect()
}

/// The path of the module of the facade that generated code may use, and nobody else.
pub(crate) fn private(args: &Args) -> TokenStream {
    private_of(args.krate.as_ref())
}

/// The path of that module, given what `crate = path` says.
pub(crate) fn private_of(krate: Option<&Path>) -> TokenStream {
    let module = Ident::new(&module(), Span::call_site());
    let krate = krate.map_or_else(|| quote!(::resilience), ToTokens::to_token_stream);
    quote!(#krate::#module)
}

/// The name of that module, which says the version. A facade of another version has none of that
/// name, and the compiler says which one it has.
pub(crate) fn module() -> String {
    let version = env!("CARGO_PKG_VERSION").replace(['.', '-', '+'], "_");
    format!("__private_{version}")
}

pub(crate) fn expand(model: &Model) -> TokenStream {
    let private = private(&model.args);
    let begin = site::begin(model, &private);
    let start = record::start(model, &private);
    let run = if model.args.one_attempt() {
        once(model, &private)
    } else {
        repeatedly(model, &private)
    };
    let begin = quote!(#begin #start);
    let inner_attrs = &model.inner_attrs;
    let mut body = Group::new(Delimiter::Brace, quote!(#inner_attrs #begin #run));
    if let Some(BoxedFuture { pin, keywords, .. }) = &model.boxed_future {
        body.set_span(model.body.span());
        body = Group::new(Delimiter::Brace, quote!(#pin(#keywords #body)));
    }
    // The user's own braces: lints about the whole body point at them and stay alive.
    body.set_span(model.body.span());
    let mut tokens = model.item.head();
    body.to_tokens(&mut tokens);
    tokens
}

/// One attempt, which takes the arguments along. Nothing of them is left outside afterwards, so
/// what is recorded is recorded before.
fn once(model: &Model, private: &TokenStream) -> TokenStream {
    let record = record::record(model, private);
    let require = record::require(model, private);
    let attempt = attempt::attempt(model, private);
    let how = how::how(model, private);
    let Some(fallback) = model.fallback() else {
        return quote_spanned! {Span::mixed_site()=>
            #record
            #require
            let __resilience_out = #attempt;
            let __resilience_how = #how;
            #private::Call::end(&mut __resilience_call, __resilience_out, __resilience_how)
        };
    };
    let (ask, done) = asked(model, private);
    let ended = quote_spanned! {Span::mixed_site()=>
        {
            let __resilience_out = #attempt;
            let __resilience_how = #how;
            #ask
            let __resilience_result =
                #private::Call::end(&mut __resilience_call, __resilience_out, __resilience_how);
            #done
        }
    };
    let after = fallback::after(model, private, fallback, &ended);
    quote_spanned!(Span::mixed_site()=> #record #require #after)
}

/// Whether a narrowed fallback applies: a statement that asks, before the outcome of the attempt
/// becomes the result; and that result, together with the answer.
fn asked(model: &Model, private: &TokenStream) -> (Option<TokenStream>, TokenStream) {
    match fallback::applies(model, private) {
        None => (
            None,
            quote_spanned!(Span::mixed_site()=> __resilience_result),
        ),
        Some(applies) => (
            Some(quote_spanned!(Span::mixed_site()=> let __resilience_applies = #applies;)),
            quote_spanned!(Span::mixed_site()=> (__resilience_result, __resilience_applies)),
        ),
    }
}

/// A loop around attempts. The arguments stay outside, so a failed attempt records them only
/// when it has failed. The pause before a further attempt is the beginning of its watch.
fn repeatedly(model: &Model, private: &TokenStream) -> TokenStream {
    let attempt = attempt::attempt(model, private);
    let record = record::record(model, private);
    let record = (!record.is_empty()).then(|| {
        quote_spanned! {Span::mixed_site()=>
            if #private::Attempt::failed(&__resilience_out) {
                #record
            }
        }
    });
    let how = how::how(model, private);
    let next = how::next(model, private);
    let (ask, done) = asked(model, private);
    let ended = quote_spanned! {Span::mixed_site()=>
        loop {
            let __resilience_out = #attempt;
            #record
            let __resilience_how = #how;
            #ask
            if let #private::Step::Done(__resilience_result) = #next {
                break #done;
            }
        }
    };
    match model.fallback() {
        None => ended,
        Some(fallback) => fallback::after(model, private, fallback, &ended),
    }
}
