//! The names that an attribute's expressions mention: a variable which only the attribute uses counts
//! as used, and none can stand where a constant belongs.

use std::collections::HashSet;

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use syn::ext::IdentExt as _;

/// Adds every name in these tokens, without its `r#`, and in the format strings among them.
pub(crate) fn collect(tokens: TokenStream, names: &mut HashSet<String>) {
    for tree in tokens {
        match tree {
            TokenTree::Ident(ident) => {
                names.insert(ident.unraw().to_string());
            }
            TokenTree::Group(group) => collect(group.stream(), names),
            TokenTree::Literal(literal) => collect_captured(&literal.to_string(), names),
            TokenTree::Punct(_) => {}
        }
    }
}

/// The first of these variables that stands for itself in the tokens of an expression: not as a part
/// of a path, as the name of a field, of an option or of a list.
pub(crate) fn variable(tokens: TokenStream, variables: &[Ident]) -> Option<Ident> {
    let mut before = None;
    let mut tokens = tokens.into_iter().peekable();
    while let Some(tree) = tokens.next() {
        let found = match &tree {
            TokenTree::Ident(ident) => {
                let is_part = matches!(before, Some('.' | ':'));
                let names = match tokens.peek() {
                    Some(TokenTree::Punct(next)) => matches!(next.as_char(), ':' | '=' | '!'),
                    Some(TokenTree::Group(next)) => next.delimiter() == Delimiter::Parenthesis,
                    _ => false,
                };
                (!is_part && !names && variables.contains(ident)).then(|| ident.clone())
            }
            TokenTree::Group(group) => variable(group.stream(), variables),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
        before = match &tree {
            TokenTree::Punct(punct) => Some(punct.as_char()),
            _ => None,
        };
    }
    None
}

/// The names in a format string: `"{a} of {b:?}"`.
fn collect_captured(text: &str, names: &mut HashSet<String>) {
    if !text.ends_with(['"', '#']) {
        return;
    }
    for part in text.split('{').skip(1) {
        let end = part.find(|c: char| !c.is_alphanumeric() && c != '_');
        names.insert(part[..end.unwrap_or(part.len())].to_owned());
    }
}

#[cfg(test)]
mod tests {
    use quote::{format_ident, quote};

    use super::*;

    #[test]
    fn names_are_found_in_format_strings_and_without_their_r() {
        let mut names = HashSet::new();
        collect(quote!(f(r#type, "{{a}} {b:?} {r}", 'c', "d").e), &mut names);
        for name in ["type", "b", "r"] {
            assert!(names.contains(name), "{name}: {names:?}");
        }
        assert!(!names.contains("c") && !names.contains("d"), "{names:?}");
    }

    #[test]
    fn a_variable_is_no_part_of_a_path_and_no_name_of_an_option() {
        let found = |tokens| variable(tokens, &[format_ident!("n")]).is_some();
        for tokens in [
            quote!(n),
            quote!(n + 1),
            quote!(a = b(1, n)),
            quote!(n.len()),
        ] {
            assert!(found(tokens.clone()), "{tokens}");
        }
        for tokens in [
            quote!(n = 1),
            quote!(n("auth")),
            quote!(a::n),
            quote!(n::A),
            quote!(A.n),
            quote!(n!()),
            quote!("n"),
        ] {
            assert!(!found(tokens.clone()), "{tokens}");
        }
    }
}
