//! The form of an attribute's arguments: a list of `name`, `name = value` and `name(..)`. What the
//! names mean is decided in `args`.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Expr, Lit, Token};

use crate::ctxt::Ctxt;

/// One argument.
#[derive(Clone)]
pub(crate) struct RawArg {
    pub(crate) name: Ident,
    pub(crate) value: RawValue,
}

#[derive(Clone)]
pub(crate) enum RawValue {
    /// `name`
    None,
    /// `name = value`
    Expr(Box<Expr>),
    /// `name(..)`
    List(Group),
}

impl ToTokens for RawArg {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.name.to_tokens(tokens);
        match &self.value {
            RawValue::None => {}
            RawValue::Expr(expr) => {
                Token![=](self.name.span()).to_tokens(tokens);
                expr.to_tokens(tokens);
            }
            RawValue::List(group) => group.to_tokens(tokens),
        }
    }
}

/// All arguments that have the right form. The others are errors, and the reading goes on behind
/// the next comma that stands before a name.
pub(crate) fn parse(tokens: TokenStream, ctxt: &Ctxt) -> Vec<RawArg> {
    let list = |input: ParseStream<'_>| arguments(input, ctxt);
    ctxt.ok(list.parse2(tokens)).unwrap_or_default()
}

/// The same, of a list in an attribute.
pub(crate) fn parse_list(group: &Group, ctxt: &Ctxt) -> Vec<RawArg> {
    ctxt.ok(inside(group, |input| arguments(input, ctxt)))
        .unwrap_or_default()
}

fn arguments(input: ParseStream<'_>, ctxt: &Ctxt) -> syn::Result<Vec<RawArg>> {
    let mut args = Vec::new();
    while !input.is_empty() {
        match argument(input) {
            Ok(arg) => args.push(arg),
            Err(error) => {
                ctxt.push(error);
                skip(input)?;
            }
        }
        if input.is_empty() {
            break;
        }
        if !input.peek(Token![,]) {
            ctxt.push(input.error("expected `,`"));
            skip(input)?;
        }
        input.parse::<Option<Token![,]>>()?;
    }
    Ok(args)
}

/// Reads what stands in parentheses. What is missing at its end is told there, and not of the whole
/// attribute.
pub(crate) fn inside<T>(
    group: &Group,
    parser: impl Fn(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<T> {
    let group = TokenTree::from(group.clone());
    let list = |input: ParseStream<'_>| {
        let content;
        syn::parenthesized!(content in input);
        parser(&content)
    };
    list.parse2(group.into())
}

fn argument(input: ParseStream<'_>) -> syn::Result<RawArg> {
    if let Ok(lit) = input.fork().parse::<Lit>() {
        let lit = lit.to_token_stream();
        let message = format!("whose value is this? write `name = {lit}`");
        return Err(syn::Error::new_spanned(lit, message));
    }
    if !input.peek(syn::Ident::peek_any) {
        return Err(input.error("expected an option: `name = value`, `name(..)` or `name`"));
    }
    let name = input.call(Ident::parse_any)?;
    if input.peek(Token![::]) {
        return Err(input.error("the name of an option is one word: `name = value`"));
    }
    if input.peek(Token![:]) || input.peek(Token![==]) || input.peek(Token![=>]) {
        return Err(input.error(format!(
            "a value stands behind one `=`: write `{name} = ..`"
        )));
    }
    let value = if input.peek(Token![=]) {
        let equals = input.parse::<Token![=]>()?;
        if input.is_empty() || input.peek(Token![,]) {
            return Err(syn::Error::new_spanned(
                quote::quote!(#name #equals),
                format!("`{name} =` needs a value"),
            ));
        }
        RawValue::Expr(input.parse()?)
    } else if input.peek(syn::token::Paren) {
        RawValue::List(input.parse()?)
    } else {
        RawValue::None
    };
    Ok(RawArg { name, value })
}

/// Goes to the next comma at this level behind which a new argument starts.
fn skip(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() {
        if input.peek(Token![,]) {
            let ahead = input.fork();
            ahead.parse::<Token![,]>()?;
            let starts_argument = ahead.call(Ident::parse_any).is_ok()
                && (ahead.is_empty()
                    || ahead.peek(Token![=])
                    || ahead.peek(Token![,])
                    || ahead.peek(syn::token::Paren));
            if ahead.is_empty() || starts_argument {
                return Ok(());
            }
        }
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

/// What an expression is once the invisible groups of `macro_rules!` and plain parentheses are
/// taken off.
pub(crate) fn peel(expr: &Expr) -> &Expr {
    match expr {
        Expr::Group(group) => peel(&group.expr),
        Expr::Paren(paren) => peel(&paren.expr),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn names(tokens: TokenStream) -> (Vec<String>, Vec<String>) {
        let ctxt = Ctxt::new();
        let args = parse(tokens, &ctxt);
        (
            args.iter().map(|arg| arg.name.to_string()).collect(),
            ctxt.messages(),
        )
    }

    #[test]
    fn the_three_forms_are_told_apart() {
        let ctxt = Ctxt::new();
        let args = parse(
            quote!(boxed, retries = 3, breaker(a = 1), crate = ::x),
            &ctxt,
        );
        assert!(ctxt.is_empty());
        assert!(matches!(args[0].value, RawValue::None));
        assert!(matches!(args[1].value, RawValue::Expr(_)));
        assert!(matches!(args[2].value, RawValue::List(_)));
        assert_eq!(args[3].name, "crate");
    }

    #[test]
    fn commas_inside_a_value_do_not_end_it() {
        let (names, errors) = names(quote!(retry_if = |a, b| f::<A, B>(a, b), retries = 1));
        assert_eq!(names, ["retry_if", "retries"]);
        assert!(errors.is_empty());
    }

    #[test]
    fn a_wrong_sign_before_a_value_is_one_error() {
        for tokens in [
            quote!(retries: 3, timeout = "1s"),
            quote!(retries == 3, timeout = "1s"),
            quote!(retries => 3, timeout = "1s"),
            quote!(a::retries = 3, timeout = "1s"),
        ] {
            let (names, errors) = names(tokens);
            assert_eq!(
                (&*names, errors.len()),
                (&["timeout".to_owned()][..], 1),
                "{errors:?}"
            );
        }
    }

    #[test]
    fn a_mistake_does_not_hide_the_arguments_behind_it() {
        let (names, errors) =
            names(quote!("weaviate", retries = , timeout = "3s" x, service = "a"));
        assert_eq!(names, ["timeout", "service"]);
        assert_eq!(errors.len(), 3, "{errors:?}");
    }
}
