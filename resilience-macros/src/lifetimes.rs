//! Whether a function returns a borrow of something that it has by unique reference. No second
//! attempt could borrow it again while the first one's result may still be in use.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    FnArg, GenericArgument, Lifetime, PathArguments, ReceiverKind, ReturnType, Signature, Type,
    TypeParamBound,
};

use crate::inputs::peel;

/// A lifetime in a signature.
#[derive(PartialEq)]
enum Region {
    /// Left out, or `'_`.
    Elided,
    Named(Lifetime),
}

impl Region {
    fn of(lifetime: Option<&Lifetime>) -> Self {
        match lifetime.filter(|lifetime| lifetime.ident != "_") {
            Some(lifetime) => Self::Named(lifetime.clone()),
            None => Self::Elided,
        }
    }
}

/// Only what is certain from the signature counts; what hides behind a name is left to the
/// borrow checker.
pub(crate) fn borrows_from_unique(sig: &Signature) -> bool {
    let ReturnType::Type(_, output) = &sig.output else {
        return false;
    };
    let mut regions = Vec::new();
    collect(output, &mut regions);
    let elided = regions.contains(&Region::Elided);
    sig.inputs.iter().enumerate().any(|(index, input)| {
        let is_receiver = matches!(input, FnArg::Receiver(_));
        // An elided lifetime of the result is that of `self`, or of the only parameter.
        let is_meant = elided && (is_receiver || sig.inputs.len() == 1);
        match unique(input) {
            None => false,
            Some(Region::Elided) => is_meant,
            Some(named @ Region::Named(_)) => {
                let mut others = sig.inputs.iter().enumerate().filter(|(at, _)| *at != index);
                let shared = others.any(|(_, other)| mentions(other, &named));
                (regions.contains(&named) || (elided && is_receiver)) && !shared
            }
        }
    })
}

/// The lifetime of a `&mut` parameter.
fn unique(input: &FnArg) -> Option<Region> {
    let ty = match input {
        FnArg::Receiver(receiver) => match &receiver.kind {
            ReceiverKind::Reference(_, lifetime, Some(_)) => {
                return Some(Region::of(lifetime.as_ref()));
            }
            ReceiverKind::Typed(_, ty) => ty,
            _ => return None,
        },
        FnArg::Typed(input) => &input.ty,
    };
    match peel(ty) {
        Type::Reference(reference) if reference.mutability.is_some() => {
            Some(Region::of(reference.lifetime.as_ref()))
        }
        _ => None,
    }
}

/// Whether a parameter speaks of a named lifetime, wherever in its type.
fn mentions(input: &FnArg, region: &Region) -> bool {
    fn within(tokens: TokenStream, name: &str) -> bool {
        let mut after_quote = false;
        tokens.into_iter().any(|tree| {
            let is_quote = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == '\'');
            let is_lifetime = std::mem::replace(&mut after_quote, is_quote);
            match tree {
                TokenTree::Ident(ident) => is_lifetime && ident == name,
                TokenTree::Group(group) => within(group.stream(), name),
                _ => false,
            }
        })
    }
    match region {
        Region::Elided => false,
        Region::Named(lifetime) => within(input.to_token_stream(), &lifetime.ident.to_string()),
    }
}

/// The lifetimes of the references in a type, as far as they are spelt out.
fn collect(ty: &Type, found: &mut Vec<Region>) {
    match peel(ty) {
        Type::Reference(reference) => {
            found.push(Region::of(reference.lifetime.as_ref()));
            collect(&reference.elem, found);
        }
        Type::Slice(ty) => collect(&ty.elem, found),
        Type::Array(ty) => collect(&ty.elem, found),
        Type::Tuple(ty) => ty.elems.iter().for_each(|ty| collect(ty, found)),
        Type::ImplTrait(ty) => bounds(ty.bounds.iter(), found),
        Type::TraitObject(ty) => bounds(ty.bounds.iter(), found),
        Type::Path(path) => {
            for segment in &path.path.segments {
                let PathArguments::AngleBracketed(args) = &segment.arguments else {
                    continue;
                };
                for arg in &args.args {
                    match arg {
                        GenericArgument::Lifetime(lifetime) => {
                            found.push(Region::of(Some(lifetime)));
                        }
                        GenericArgument::Type(ty) => collect(ty, found),
                        _ => {}
                    }
                }
            }
        }
        _ => {}
    }
}

fn bounds<'a>(bounds: impl Iterator<Item = &'a TypeParamBound>, found: &mut Vec<Region>) {
    for bound in bounds {
        if let TypeParamBound::Lifetime(lifetime) = bound {
            found.push(Region::of(Some(lifetime)));
        }
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn a_borrow_of_a_unique_reference_is_seen() {
        let seen = |sig: Signature| borrows_from_unique(&sig);
        assert!(seen(parse_quote!(fn f(&mut self) -> Result<&Row, E>)));
        assert!(seen(
            parse_quote!(fn f(&mut self, a: &str) -> Result<Row<'_>, E>)
        ));
        assert!(seen(
            parse_quote!(fn f<'a>(&'a mut self) -> Result<&'a Row, E>)
        ));
        assert!(seen(
            parse_quote!(fn f(rows: &mut Rows) -> Result<Vec<&Row>, E>)
        ));
        assert!(seen(
            parse_quote!(fn f(self: &mut Self) -> Result<impl Iterator + '_, E>)
        ));
    }

    #[test]
    fn other_borrows_are_fine() {
        let seen = |sig: Signature| borrows_from_unique(&sig);
        assert!(!seen(parse_quote!(fn f(&self) -> Result<&Row, E>)));
        assert!(!seen(
            parse_quote!(fn f(&mut self) -> Result<&'static str, E>)
        ));
        assert!(!seen(
            parse_quote!(fn f<'a>(&mut self, a: &'a str) -> Result<&'a str, E>)
        ));
        assert!(!seen(
            parse_quote!(fn f<'a>(a: &'a mut A, b: &'a str) -> Result<&'a str, E>)
        ));
        assert!(!seen(
            parse_quote!(fn f(&mut self) -> Result<Box<dyn Fn(&str) -> u8>, E>)
        ));
    }
}
