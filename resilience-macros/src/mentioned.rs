//! The names that an attribute's expressions mention, so that a variable which only the attribute
//! uses counts as used.

use std::collections::HashSet;

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

/// Adds every name in these tokens, and in the format strings among them.
pub(crate) fn collect(tokens: TokenStream, names: &mut HashSet<String>) {
    for tree in tokens {
        match tree {
            TokenTree::Ident(ident) => {
                names.insert(ident.to_string());
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
