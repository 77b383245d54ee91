//! A method that `#[async_trait]` has already rewritten.
//!
//! ```text
//! fn get<'life0, 'async_trait>(&'life0 mut self, key: String)
//!     -> Pin<Box<dyn Future<Output = R> + Send + 'async_trait>>
//! {
//!     Box::pin(async move {
//!         ..
//!         let __self = self;
//!         let key = key;
//!         let __ret: R = { ..body.. };
//!         __ret
//!     })
//! }
//! ```
//!
//! The loop goes inside the `async` block, around all of its statements.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{AngleBracketedGenericArguments, GenericArgument, PathArguments, Type, TypeParamBound};

use crate::inputs::{Receiver, peel};
use crate::item::{Body, RawFn};

/// What stands around and in the `async` block.
pub(crate) struct BoxedFuture {
    /// `Box::pin`
    pub(crate) pin: TokenStream,
    /// `async move`
    pub(crate) keywords: TokenStream,
    /// The statements.
    pub(crate) inside: Group,
    /// What the future gives.
    pub(crate) output: Type,
}

impl BoxedFuture {
    /// `None` for any other function.
    pub(crate) fn of(item: &RawFn) -> Option<Self> {
        let Body::Block(body) = &item.body else {
            return None;
        };
        let output = output(&item.sig.output)?;
        let mut trees: Vec<TokenTree> = body.stream().into_iter().collect();
        let TokenTree::Group(argument) = trees.pop()? else {
            return None;
        };
        if argument.delimiter() != Delimiter::Parenthesis {
            return None;
        }
        let is_pin = matches!(trees.last(), Some(TokenTree::Ident(ident)) if ident == "pin");
        let is_path = trees.iter().all(|tree| {
            matches!(tree, TokenTree::Ident(_))
                || matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ':')
        });
        let mut block = argument.stream().into_iter();
        match (block.next()?, block.next()?, block.next()?, block.next()) {
            (TokenTree::Ident(first), TokenTree::Ident(second), TokenTree::Group(inside), None)
                if is_pin && is_path && first == "async" && second == "move" =>
            {
                Some(Self {
                    pin: trees.into_iter().collect(),
                    keywords: quote!(#first #second),
                    inside,
                    output,
                })
            }
            _ => None,
        }
    }

    /// The statements for an attempt that others may follow: `let __self = self;` borrows a unique
    /// `self` again, and clones a counted one.
    pub(crate) fn repeatable(&self, receiver: &Receiver, reuse: &TokenStream) -> Group {
        let mut out: Vec<TokenTree> = Vec::new();
        for tree in self.inside.stream() {
            let is_self = matches!(&tree, TokenTree::Ident(ident) if ident == "self");
            if is_self && binds_self(&out) {
                out.extend(match receiver {
                    Receiver::Unique(_) => quote!(&mut *#tree),
                    Receiver::Typed => quote!(#reuse(&#tree)),
                    _ => tree.into_token_stream(),
                });
            } else {
                out.push(tree);
            }
        }
        let mut group = Group::new(Delimiter::Brace, out.into_iter().collect());
        group.set_span(self.inside.span());
        group
    }
}

/// Whether these end in `__self =`.
fn binds_self(before: &[TokenTree]) -> bool {
    matches!(
        before,
        [.., TokenTree::Ident(name), TokenTree::Punct(equals)]
            if name == "__self" && equals.as_char() == '='
    )
}

/// `R` of `Pin<Box<dyn Future<Output = R> + ..>>`.
fn output(ty: &syn::ReturnType) -> Option<Type> {
    let syn::ReturnType::Type(_, ty) = ty else {
        return None;
    };
    let boxed = only_argument(ty, "Pin")?;
    let Type::TraitObject(object) = only_argument(boxed, "Box").map(peel)? else {
        return None;
    };
    object.bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else {
            return None;
        };
        let last = bound
            .path
            .segments
            .last()
            .filter(|last| last.ident == "Future")?;
        arguments(&last.arguments)?
            .args
            .iter()
            .find_map(|argument| match argument {
                GenericArgument::AssocType(assoc) if assoc.ident == "Output" => {
                    Some(assoc.ty.clone())
                }
                _ => None,
            })
    })
}

/// `T` of `name<T>`.
fn only_argument<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = peel(ty) else {
        return None;
    };
    let last = path
        .path
        .segments
        .last()
        .filter(|last| last.ident == name)?;
    match arguments(&last.arguments)?.args.first()? {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    }
}

fn arguments(arguments: &PathArguments) -> Option<&AngleBracketedGenericArguments> {
    match arguments {
        PathArguments::AngleBracketed(arguments) => Some(arguments),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(body: &TokenStream) -> RawFn {
        syn::parse2(quote! {
            fn get<'a>(&'a mut self) -> ::core::pin::Pin<Box<
                dyn ::core::future::Future<Output = Result<u8, E>> + ::core::marker::Send + 'a,
            >> { #body }
        })
        .expect("a function")
    }

    #[test]
    fn the_rewritten_method_is_recognised_and_its_self_borrowed_again() {
        let item = method(&quote!(Box::pin(async move {
            let __self = self;
            __self.get().await
        })));
        let boxed = BoxedFuture::of(&item).expect("recognised");
        assert_eq!(
            boxed.output.to_token_stream().to_string(),
            "Result < u8 , E >"
        );
        let group = boxed.repeatable(&Receiver::of(&item.sig), &quote!(reuse));
        let expected = quote!({
            let __self = &mut *self;
            __self.get().await
        });
        assert_eq!(group.to_token_stream().to_string(), expected.to_string());
    }

    #[test]
    fn other_boxed_futures_are_left_alone() {
        assert!(BoxedFuture::of(&method(&quote!(let x = 1; Box::pin(async move { x })))).is_none());
        assert!(BoxedFuture::of(&method(&quote!(self.inner.get()))).is_none());
        assert!(BoxedFuture::of(&method(&quote!(Box::pin(async { 1 })))).is_none());
    }
}
