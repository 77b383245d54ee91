//! The names that an attribute's expressions mention, so that a variable which only the attribute
//! uses counts as used.

use std::collections::HashSet;

use proc_macro2::{TokenStream, TokenTree};

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
