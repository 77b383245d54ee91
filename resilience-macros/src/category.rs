//! Categories, and other names.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::{Expr, Lit};

use crate::ctxt::Ctxt;
use crate::forms::{Named, named};
use crate::grammar::peel;
use crate::names;
use crate::spelling::{enumerate, nearest};
use crate::words;

/// A category: the name of a built-in one, or an expression for a `Category`.
#[derive(Clone)]
pub(crate) enum Category {
    BuiltIn(&'static str, Span),
    Expr(Expr),
}

impl Category {
    pub(crate) fn parse(expr: &Expr, ctxt: &Ctxt) -> Option<Self> {
        let text = match named(expr, "a category", names::CATEGORIES, ctxt)? {
            Named::Text(text) => text,
            Named::Expr(expr) => return Some(Self::Expr(expr.clone())),
        };
        let name = text.value();
        if let Some(known) = names::CATEGORIES.iter().find(|known| **known == name) {
            return Some(Self::BuiltIn(known, text.span()));
        }
        if name.trim().is_empty() {
            ctxt.error(expr, "`category` must not be empty");
            return None;
        }
        let hint = match nearest_to(&name) {
            Some(near) => format!("did you mean `\"{near}\"`?"),
            None => format!(
                "built in are {}{}",
                enumerate(names::CATEGORIES),
                own_category(&name)
            ),
        };
        ctxt.error(expr, format!("no category is called `{name}`; {hint}"));
        None
    }

    /// The constant, given the path of the private module.
    pub(crate) fn tokens(&self, private: &TokenStream) -> TokenStream {
        match self {
            Self::BuiltIn(name, span) => {
                let constant = proc_macro2::Ident::new(&name.to_uppercase(), *span);
                quote_spanned!(*span=> #private::Category::#constant)
            }
            Self::Expr(expr) => expr.to_token_stream(),
        }
    }
}

/// The built-in category that somebody who wrote `name` most likely means.
pub(crate) fn nearest_to(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase().replace(['-', ' '], "_");
    words::category(&name).or_else(|| nearest(&name, names::CATEGORIES))
}

/// How to make a category of that name, if it can be one.
fn own_category(name: &str) -> String {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.is_empty()
        || !name.starts_with(|c: char| c.is_ascii_lowercase())
        || !name.chars().all(legal)
    {
        return String::new();
    }
    let constant = name.to_uppercase();
    format!(
        "\nan own category is a constant, used by its path: \
         `const {constant}: Category = Category::custom(\"{name}\");` and `category = {constant}`"
    )
}

/// A name: a string, or an expression for a `&'static str`.
pub(crate) fn text(name: &str, expr: &Expr, ctxt: &Ctxt) -> Option<Expr> {
    match peel(expr) {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Str(text) if text.value().trim().is_empty() => {
                ctxt.error(expr, format!("`{name}` must not be empty"));
                None
            }
            Lit::Str(_) => Some(expr.clone()),
            _ => {
                ctxt.error(
                    expr,
                    format!("`{name}` is a string, like `{name} = \"llm_provider\"`"),
                );
                None
            }
        },
        _ => Some(expr.clone()),
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn categories_are_found_by_meaning_and_by_spelling() {
        assert_eq!(nearest_to("Weaviat"), Some("weaviate"));
        assert_eq!(nearest_to("rate-limit"), Some("rate_limit"));
        assert_eq!(nearest_to("http"), Some("network"));
        assert_eq!(nearest_to("billing"), None);
    }

    #[test]
    fn an_unknown_category_names_the_nearest_and_how_to_make_one() {
        let ctxt = Ctxt::new();
        assert!(Category::parse(&parse_quote!("weviate"), &ctxt).is_none());
        let message = ctxt.messages().concat();
        assert!(
            message.contains("did you mean `\"weaviate\"`?"),
            "{message}"
        );
        assert!(Category::parse(&parse_quote!("billing"), &ctxt).is_none());
        let message = ctxt.messages().concat();
        assert!(
            message.contains("Category::custom(\"billing\")"),
            "{message}"
        );
    }
}
