//! A function whose body is not parsed: what is half typed in it stays the compiler's to report.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Ident, Signature, Token, Visibility};

/// A function of any kind: free, associated, in a trait, with or without a body.
pub(crate) struct RawFn {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    /// `default`, in the specialization of a trait impl.
    pub(crate) default: Option<Ident>,
    pub(crate) sig: Signature,
    pub(crate) body: Body,
}

pub(crate) enum Body {
    /// `{ .. }`, with the user's own braces.
    Block(Group),
    /// `;`, of a trait method without a default.
    Missing(Token![;]),
}

impl Parse for RawFn {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let default = match input.cursor().ident() {
            Some((ident, _)) if ident == "default" => Some(input.parse()?),
            _ => None,
        };
        let sig = input.parse()?;
        let body = if input.peek(Token![;]) {
            Body::Missing(input.parse()?)
        } else {
            Body::Block(braces(input)?)
        };
        Ok(Self {
            attrs,
            vis,
            default,
            sig,
            body,
        })
    }
}

/// `{ .. }`, also as the `$body:block` of a `macro_rules!`, which comes in an invisible group.
fn braces(input: ParseStream<'_>) -> syn::Result<Group> {
    let error = input.error("expected the body of a function");
    let mut tree = input.parse::<TokenTree>()?;
    loop {
        match tree {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return Ok(group),
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                tree = group
                    .stream()
                    .into_iter()
                    .next()
                    .ok_or_else(|| error.clone())?;
            }
            _ => return Err(error),
        }
    }
}

impl RawFn {
    /// Everything before the body.
    pub(crate) fn head(&self) -> TokenStream {
        let mut tokens = TokenStream::new();
        for attr in &self.attrs {
            attr.to_tokens(&mut tokens);
        }
        self.vis.to_tokens(&mut tokens);
        self.default.to_tokens(&mut tokens);
        self.sig.to_tokens(&mut tokens);
        tokens
    }
}

impl ToTokens for RawFn {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.head());
        match &self.body {
            Body::Block(group) => group.to_tokens(tokens),
            Body::Missing(semi) => semi.to_tokens(tokens),
        }
    }
}

/// Splits a body into its inner attributes, `#![..]`, and the rest. They apply to the whole
/// function and have to stay first in it. Without any, the body comes back as it was, braces
/// included.
pub(crate) fn split_inner_attributes(body: &Group) -> (TokenStream, Group) {
    let trees: Vec<TokenTree> = body.stream().into_iter().collect();
    let mut end = 0;
    while let Some(
        [
            TokenTree::Punct(pound),
            TokenTree::Punct(bang),
            TokenTree::Group(attr),
        ],
    ) = trees.get(end..end + 3)
    {
        let is_attribute = pound.as_char() == '#'
            && bang.as_char() == '!'
            && attr.delimiter() == Delimiter::Bracket;
        if !is_attribute {
            break;
        }
        end += 3;
    }
    if end == 0 {
        return (TokenStream::new(), body.clone());
    }
    let inner = trees[..end].iter().cloned().collect();
    let mut rest = Group::new(Delimiter::Brace, trees[end..].iter().cloned().collect());
    rest.set_span(body.span());
    (inner, rest)
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn the_body_may_be_anything_in_braces() -> syn::Result<()> {
        let item: RawFn = syn::parse2(quote! {
            /// Doc.
            #[must_use]
            pub(crate) async unsafe extern "C" fn f<'a, T: A<'a>>(mut a: T) -> R where T: B { a. ; }
        })?;
        assert_eq!(item.attrs.len(), 2);
        assert!(matches!(item.body, Body::Block(_)));
        let method: RawFn = syn::parse2(quote!(
            async fn f(&self) -> R;
        ))?;
        assert!(matches!(method.body, Body::Missing(_)));
        Ok(())
    }

    #[test]
    fn inner_attributes_are_split_off() {
        let body = Group::new(
            Delimiter::Brace,
            quote!(#![allow(a)] #![warn(b)] let x = !y;),
        );
        let (inner, rest) = split_inner_attributes(&body);
        assert_eq!(
            inner.to_string(),
            quote!(#![allow(a)] #![warn(b)]).to_string()
        );
        assert_eq!(rest.stream().to_string(), quote!(let x = !y;).to_string());
    }
}
