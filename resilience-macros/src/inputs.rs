//! The parameters of a function, as bindings that every attempt gets anew.

use proc_macro2::{Ident, Span};
use quote::quote_spanned;
use syn::spanned::Spanned as _;
use syn::{
    Attribute, FnArg, GenericArgument, Pat, PathArguments, ReceiverKind, Signature, Token, Type,
};

/// The `self` of a method.
pub(crate) enum Receiver {
    None,
    /// `&self`: every attempt gets a copy of the reference.
    Shared,
    /// `&mut self`: every attempt borrows it again.
    Unique(Token![self]),
    /// `self`: only one attempt can have it. With its token where it is `mut self`.
    Value(Option<Token![self]>),
    /// `mut self: Arc<Self>`: what one attempt assigns, the next would see.
    Mutable,
    /// `self: Arc<Self>`: attempts use it by reference.
    Typed,
}

/// A variable that a parameter binds and that each attempt needs for itself.
pub(crate) struct Binding {
    /// `#[cfg]` and lint attributes of the parameter.
    pub(crate) attrs: Vec<Attribute>,
    /// The user's `mut`, which moves from the parameter to the attempt's own variable.
    pub(crate) mutability: Option<Token![mut]>,
    pub(crate) ident: Ident,
    pub(crate) renew: Renew,
    /// The attribute names it, so it is used, even if not by the body.
    pub(crate) named: bool,
}

/// A parameter with a name, which a fallback gets as well.
pub(crate) struct Parameter {
    pub(crate) ident: Ident,
    pub(crate) renew: Renew,
}

/// The parameters behind `self`. Those without a name are refused by a check.
pub(crate) fn parameters(sig: &Signature) -> Vec<Parameter> {
    let named = |input: &FnArg| {
        let FnArg::Typed(input) = input else {
            return None;
        };
        let Pat::Ident(pat) = &*input.pat else {
            return None;
        };
        Some(Parameter {
            ident: pat.ident.clone(),
            renew: Renew::of(&input.ty),
        })
    };
    sig.inputs.iter().filter_map(named).collect()
}

/// How an attempt gets its own.
pub(crate) enum Renew {
    /// By `Clone`. The type is `_` where the pattern does not say it.
    Clone(Box<Type>),
    /// A shared reference is copied, and so is a number.
    Copy,
    /// A unique reference is borrowed again.
    Reborrow,
}

impl Renew {
    /// How a parameter of this type that is a plain name is had again.
    fn of(ty: &Type) -> Self {
        match peel(ty) {
            Type::Reference(reference) if reference.mutability.is_some() => Self::Reborrow,
            Type::Reference(_) => Self::Copy,
            Type::Path(path) if PRIMITIVES.iter().any(|name| path.path.is_ident(name)) => {
                Self::Copy
            }
            _ => Self::Clone(Box::new(ty.clone())),
        }
    }
}

/// Types whose values need no `Clone`, which spares the compiler work.
const PRIMITIVES: &[&str] = &[
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32",
    "u64", "u128", "usize",
];

/// What stands before the part of a pattern that is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Through {
    /// The parameter's value itself.
    Value,
    /// `&`: bindings are shared references.
    Shared,
    /// `&mut`: bindings are unique references.
    Unique,
}

impl Receiver {
    pub(crate) fn of(sig: &Signature) -> Self {
        let Some(receiver) = sig.receiver() else {
            return Self::None;
        };
        match &receiver.kind {
            ReceiverKind::Value => Self::Value(receiver.mutability.map(|_| receiver.self_token)),
            ReceiverKind::Reference(_, _, None) => Self::Shared,
            ReceiverKind::Reference(..) => Self::Unique(receiver.self_token),
            ReceiverKind::Typed(_, ty) => match peel(ty) {
                Type::Reference(reference) if reference.mutability.is_some() => {
                    Self::Unique(receiver.self_token)
                }
                Type::Reference(_) => Self::Shared,
                Type::Path(path) if path.path.is_ident("Self") => {
                    Self::Value(receiver.mutability.map(|_| receiver.self_token))
                }
                _ if receiver.mutability.is_some() => Self::Mutable,
                _ => Self::Typed,
            },
            _ => Self::Typed,
        }
    }
}

/// Takes what each attempt needs anew out of the signature: the bindings, together with their
/// `mut` and their lint attributes, which would warn about the wrong variable where they were.
pub(crate) fn take_bindings(sig: &mut Signature) -> Vec<Binding> {
    let mut bindings = Vec::new();
    for input in &mut sig.inputs {
        let FnArg::Typed(input) = input else { continue };
        let (kept, moved): (Vec<_>, Vec<_>) = std::mem::take(&mut input.attrs)
            .into_iter()
            .partition(|attr| !is_lint(attr));
        let through = match peel(&input.ty) {
            Type::Reference(reference) if reference.mutability.is_some() => Through::Unique,
            Type::Reference(_) => Through::Shared,
            _ => Through::Value,
        };
        let first = bindings.len();
        let is_name = matches!(&*input.pat, Pat::Ident(pat) if pat.subpat.is_none());
        each_binding(
            &mut input.pat,
            through,
            &mut |by_ref, mutability, ident, through| {
                let renew = match (by_ref, through) {
                    // `ref a` and `ref mut a` are references whatever they point into.
                    (Some(false), _) | (None, Through::Shared) => Renew::Copy,
                    (Some(true), _) | (None, Through::Unique) => Renew::Reborrow,
                    (None, Through::Value) if is_name => Renew::of(&input.ty),
                    (None, Through::Value) => Renew::Clone(Box::new(inferred(ident.span()))),
                };
                // What is copied and not assigned to is as good for every attempt as it is.
                let needed = !matches!(renew, Renew::Copy) || mutability.is_some();
                let seen = bindings
                    .iter()
                    .skip(first)
                    .any(|other: &Binding| other.ident == *ident);
                if needed && !seen {
                    bindings.push(Binding {
                        attrs: Vec::new(),
                        mutability: mutability.take(),
                        ident: ident.clone(),
                        renew,
                        named: false,
                    });
                } else if seen {
                    *mutability = None;
                }
            },
        );
        let renewed = &mut bindings[first..];
        if renewed.is_empty() {
            input.attrs = kept.into_iter().chain(moved).collect();
        } else {
            let cfgs = kept.iter().filter(|attr| attr.path().is_ident("cfg"));
            let attrs: Vec<_> = cfgs.chain(&moved).cloned().collect();
            for binding in renewed {
                binding.attrs.clone_from(&attrs);
            }
            input.attrs = kept;
        }
    }
    bindings
}

/// The attributes that speak of the variable and not of the parameter.
fn is_lint(attr: &Attribute) -> bool {
    ["allow", "expect", "warn", "deny", "forbid"]
        .iter()
        .any(|lint| attr.path().is_ident(lint))
}

type Visit<'a> = dyn FnMut(Option<bool>, &mut Option<Token![mut]>, &Ident, Through) + 'a;

/// Visits every variable of a pattern: whether it is `ref` (and `ref mut`), its `mut`, its name.
fn each_binding(pat: &mut Pat, through: Through, visit: &mut Visit<'_>) {
    match pat {
        Pat::Ident(pat) => {
            // A plain name binds the reference itself, and `&mut T` is borrowed again as a whole.
            if pat.by_ref.is_some() {
                // The `mut` of `ref mut` belongs to the reference.
                let unique = pat.mutability.is_some();
                visit(Some(unique), &mut None, &pat.ident, through);
            } else {
                visit(None, &mut pat.mutability, &pat.ident, through);
            }
            if let Some((_, inner)) = &mut pat.subpat {
                each_binding(inner, through, visit);
            }
        }
        Pat::Reference(pat) => each_binding(&mut pat.pat, Through::Value, visit),
        Pat::Paren(pat) => each_binding(&mut pat.pat, through, visit),
        Pat::Type(pat) => each_binding(&mut pat.pat, through, visit),
        Pat::Tuple(pat) => pat
            .elems
            .iter_mut()
            .for_each(|p| each_binding(p, through, visit)),
        Pat::TupleStruct(pat) => pat
            .elems
            .iter_mut()
            .for_each(|p| each_binding(p, through, visit)),
        Pat::Slice(pat) => pat
            .elems
            .iter_mut()
            .for_each(|p| each_binding(p, through, visit)),
        Pat::Or(pat) => pat
            .cases
            .iter_mut()
            .for_each(|p| each_binding(p, through, visit)),
        Pat::Struct(pat) => {
            pat.fields
                .iter_mut()
                .for_each(|field| each_binding(&mut field.pat, through, visit));
        }
        _ => {}
    }
}

/// A type without the invisible groups of `macro_rules!` and without parentheses.
pub(crate) fn peel(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => peel(&group.elem),
        Type::Paren(paren) => peel(&paren.elem),
        other => other,
    }
}

/// The type with `_` for every `impl Trait` in it, which cannot be named in a body.
pub(crate) fn erase_impl(ty: &Type) -> Type {
    let mut ty = ty.clone();
    erase(&mut ty);
    ty
}

/// `_`, where the type is that cannot be spelt out.
fn inferred(span: Span) -> Type {
    Type::Verbatim(quote_spanned!(span=> _))
}

fn erase(ty: &mut Type) {
    match ty {
        Type::ImplTrait(_) => *ty = inferred(ty.span()),
        Type::Group(ty) => erase(&mut ty.elem),
        Type::Paren(ty) => erase(&mut ty.elem),
        Type::Reference(ty) => erase(&mut ty.elem),
        Type::Ptr(ty) => erase(&mut ty.elem),
        Type::Slice(ty) => erase(&mut ty.elem),
        Type::Array(ty) => erase(&mut ty.elem),
        Type::Tuple(ty) => ty.elems.iter_mut().for_each(erase),
        Type::Path(ty) => {
            for segment in &mut ty.path.segments {
                let PathArguments::AngleBracketed(args) = &mut segment.arguments else {
                    continue;
                };
                for arg in &mut args.args {
                    if let GenericArgument::Type(ty) = arg {
                        erase(ty);
                    }
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens as _;

    use super::*;

    fn bindings(mut sig: Signature) -> (String, Vec<String>) {
        let list = take_bindings(&mut sig)
            .iter()
            .map(|binding| {
                let mutability = if binding.mutability.is_some() {
                    "mut "
                } else {
                    ""
                };
                let renew = match &binding.renew {
                    Renew::Clone(ty) => format!("clone {}", erase_impl(ty).to_token_stream()),
                    Renew::Copy => "copy".to_owned(),
                    Renew::Reborrow => "reborrow".to_owned(),
                };
                format!("{mutability}{}: {renew}", binding.ident)
            })
            .collect();
        (sig.to_token_stream().to_string(), list)
    }

    fn list(sig: Signature) -> Vec<String> {
        bindings(sig).1
    }

    #[test]
    fn owned_arguments_are_cloned_and_references_are_not() {
        let sig = syn::parse_quote!(fn f(&self, a: String, b: &str, c: &mut Vec<u8>, d: u8, _: X));
        assert_eq!(list(sig), ["a: clone String", "c: reborrow"]);
    }

    #[test]
    fn patterns_are_taken_apart() {
        let sig = syn::parse_quote!(
            fn f((a, mut b): (A, B), P { x, y: Q(z), .. }: P, [s, .., t]: [u8; 4], &(r, _): &(u8, u8))
        );
        let expected =
            ["a", "mut b", "x", "z", "s", "t", "r"].map(|name| format!("{name}: clone _"));
        assert_eq!(list(sig), expected);
    }

    #[test]
    fn bindings_behind_a_reference_are_references() {
        let sig = syn::parse_quote!(fn f((a, b): &mut (A, B), (c, d): &(C, D), ref e: E));
        assert_eq!(list(sig), ["a: reborrow", "b: reborrow"]);
    }

    #[test]
    fn mut_moves_from_the_parameter_to_the_attempt() {
        let (sig, list) = bindings(syn::parse_quote!(fn f(mut a: u8, mut b: &str)));
        assert_eq!(list, ["mut a: copy", "mut b: copy"]);
        assert!(!sig.contains("mut"), "{sig}");
    }

    #[test]
    fn impl_trait_is_not_spelt_out() {
        let sig =
            syn::parse_quote!(fn f(a: impl Into<String>, b: Option<impl Fn()>, c: &mut impl W));
        assert_eq!(
            list(sig),
            ["a: clone _", "b: clone Option < _ >", "c: reborrow"]
        );
    }

    #[test]
    fn receivers_are_told_apart() {
        let of = |sig: Signature| Receiver::of(&sig);
        assert!(matches!(
            of(syn::parse_quote!(fn f(&self))),
            Receiver::Shared
        ));
        assert!(matches!(
            of(syn::parse_quote!(fn f(&'a mut self))),
            Receiver::Unique(_)
        ));
        assert!(matches!(
            of(syn::parse_quote!(fn f(self: &mut Self))),
            Receiver::Unique(_)
        ));
        assert!(matches!(
            of(syn::parse_quote!(fn f(mut self))),
            Receiver::Value(_)
        ));
        assert!(matches!(
            of(syn::parse_quote!(fn f(self: Self))),
            Receiver::Value(_)
        ));
        assert!(matches!(
            of(syn::parse_quote!(fn f(self: Arc<Self>))),
            Receiver::Typed
        ));
        assert!(matches!(
            of(syn::parse_quote!(fn f(mut self: Box<Self>))),
            Receiver::Mutable
        ));
        assert!(matches!(of(syn::parse_quote!(fn f(a: u8))), Receiver::None));
    }
}
