//! `require(condition, field = "name", "message {}", args…)`.

use proc_macro2::{Group, TokenStream};
use syn::parse::ParseStream;
use syn::{Expr, Ident, LitStr, Token};

use crate::ctxt::Ctxt;
use crate::grammar::inside;

/// One requirement of a `#[fail_fast]` function.
pub(crate) struct Requirement {
    pub(crate) condition: Expr,
    pub(crate) field: LitStr,
    /// The message and its arguments, as `format_args!` takes them.
    pub(crate) message: TokenStream,
}

pub(crate) fn parse(group: &Group, ctxt: &Ctxt) -> Option<Requirement> {
    let requirement = |input: ParseStream<'_>| {
        let condition = input.parse::<Expr>()?;
        if matches!(condition, Expr::Assign(_)) {
            return Err(syn::Error::new_spanned(
                &condition,
                "the condition comes first",
            ));
        }
        let field = field(input, group)?;
        let message = message(input, group)?;
        Ok(Requirement {
            condition,
            field,
            message,
        })
    };
    ctxt.ok(inside(group, requirement))
}

const FORM: &str = "write `require(condition, field = \"name\", \"message\")`";

fn field(input: ParseStream<'_>, group: &Group) -> syn::Result<LitStr> {
    let missing = || syn::Error::new_spanned(group, format!("which field? {FORM}"));
    if input.is_empty() {
        return Err(missing());
    }
    input.parse::<Token![,]>()?;
    if !(input.peek(Ident) && input.peek2(Token![=])) {
        return Err(missing());
    }
    let name: Ident = input.parse()?;
    if name != "field" {
        return Err(syn::Error::new_spanned(
            name,
            format!("expected `field`: {FORM}"),
        ));
    }
    input.parse::<Token![=]>()?;
    if !input.peek(LitStr) {
        let written = input.parse::<Expr>()?;
        let name = match &written {
            Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
            _ => None,
        };
        let name = name.unwrap_or_else(|| "name".to_owned());
        return Err(syn::Error::new_spanned(
            written,
            format!("the field has quotes: write `field = \"{name}\"`"),
        ));
    }
    let field: LitStr = input.parse()?;
    if field.value().trim().is_empty() {
        return Err(syn::Error::new_spanned(
            field,
            "the field must not be empty",
        ));
    }
    Ok(field)
}

fn message(input: ParseStream<'_>, group: &Group) -> syn::Result<TokenStream> {
    let missing = || syn::Error::new_spanned(group, format!("the message is missing: {FORM}"));
    if input.is_empty() {
        return Err(missing());
    }
    input.parse::<Token![,]>()?;
    if input.is_empty() {
        return Err(missing());
    }
    input.parse()
}

#[cfg(test)]
mod tests {
    use proc_macro2::{Delimiter, TokenTree};
    use quote::quote;

    use super::*;

    fn errors(tokens: TokenStream) -> Vec<String> {
        let ctxt = Ctxt::new();
        parse(&Group::new(Delimiter::Parenthesis, tokens), &ctxt);
        ctxt.messages()
    }

    #[test]
    fn a_requirement_has_a_condition_a_field_and_a_message() {
        assert!(errors(quote!(a < b, field = "a", "must be below {b}")).is_empty());
        assert!(errors(quote!(a, field = "a", "{}", 1, 2)).is_empty());
        assert!(errors(quote!(a))[0].starts_with("which field?"));
        assert!(errors(quote!(a, field = "a"))[0].starts_with("the message is missing"));
        assert!(errors(quote!(field = "a", "x"))[0].starts_with("the condition comes first"));
    }

    #[test]
    fn the_message_keeps_all_its_arguments() {
        let ctxt = Ctxt::new();
        let group = Group::new(
            Delimiter::Parenthesis,
            quote!(ok, field = "n", "{} of {limit}", n, limit = 3),
        );
        let requirement = parse(&group, &ctxt).expect("valid");
        assert_eq!(requirement.message.into_iter().filter(is_comma).count(), 2);
    }

    fn is_comma(tree: &TokenTree) -> bool {
        matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ',')
    }
}
