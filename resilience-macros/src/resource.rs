//! `resource(name = amount, other = amount)`.

use proc_macro2::{Group, Ident, Literal, TokenStream, TokenTree};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Expr, ExprUnary, Lit, UnOp};

use crate::ctxt::Ctxt;
use crate::forms::expr;
use crate::grammar::{self, peel};

/// What a call leases of one pool.
pub(crate) struct Resource {
    pub(crate) name: Ident,
    /// An expression for an unsigned integer.
    amount: TokenStream,
}

impl Resource {
    /// The name of the pool.
    pub(crate) fn pool(&self) -> Literal {
        let mut pool = Literal::string(&self.name.unraw().to_string());
        pool.set_span(self.name.span());
        pool
    }

    /// The amount, as a call of the function that takes unsigned integers alone.
    pub(crate) fn amount(&self, private: &TokenStream) -> TokenStream {
        let amount = &self.amount;
        let span = amount.span();
        quote_spanned!(span=> #private::amount(#amount))
    }
}

pub(crate) fn parse(group: &Group, ctxt: &Ctxt) -> Vec<Resource> {
    let mut resources: Vec<Resource> = Vec::new();
    // `resource("llm_tokens", 5)`
    if let Some(TokenTree::Literal(name)) = group.stream().into_iter().next() {
        let name = name.to_string();
        let name = name.trim_matches('"');
        let message = format!("each amount stands behind its pool: write `{name} = max_tokens`");
        ctxt.error(group, message);
        return resources;
    }
    for arg in grammar::parse_list(group, ctxt) {
        let name = &arg.name;
        if resources.iter().any(|other| other.name == *name) {
            ctxt.error(name, format!("`{name}` is written twice"));
        } else if let Some(expr) = expr(&arg, &format!("{name} = max_tokens"), ctxt)
            && let Some(amount) = amount(name, &expr, ctxt)
        {
            let name = name.clone();
            resources.push(Resource { name, amount });
        }
    }
    resources
}

/// A literal would be an `i32` by itself.
fn amount(name: &Ident, expr: &Expr, ctxt: &Ctxt) -> Option<TokenStream> {
    match peel(expr) {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Int(int) if int.suffix().is_empty() => {
                let number: u64 = ctxt.ok(int.base10_parse())?;
                let mut literal = Literal::u64_suffixed(number);
                literal.set_span(int.span());
                Some(quote!(#literal))
            }
            Lit::Int(_) => Some(expr.to_token_stream()),
            other => {
                let written = match other {
                    Lit::Str(text) if text.value().parse::<u64>().is_ok() => text.value(),
                    _ => "max_tokens".to_owned(),
                };
                let message = format!("`{name}` is an amount, an unsigned integer: write");
                ctxt.error(expr, format!("{message} `{name} = {written}`"));
                None
            }
        },
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_), ..
        }) => {
            ctxt.error(
                expr,
                format!("`{name}` is an amount and cannot be negative"),
            );
            None
        }
        _ => Some(expr.to_token_stream()),
    }
}
