//! What the expansion needs to know of a function, decided once. The model knows nothing of the
//! tokens that will be written.

use proc_macro2::{Group, TokenStream};
use syn::ext::IdentExt as _;
use syn::{ReturnType, Type};

use crate::args::Args;
use crate::boxed_future::BoxedFuture;
use crate::fallback::Fallback;
use crate::inputs::{Binding, Parameter, Receiver, erase_impl, parameters, peel, take_bindings};
use crate::item::{Body, RawFn, split_inner_attributes};

/// An annotated async function that passed all checks.
pub(crate) struct Model {
    pub(crate) args: Args,
    /// The function; in the looping form the `mut`s of its parameters have moved to `bindings`.
    pub(crate) item: RawFn,
    pub(crate) receiver: Receiver,
    /// What each attempt gets anew. Empty where there is one attempt and no fallback: it moves
    /// everything.
    pub(crate) bindings: Vec<Binding>,
    /// What a fallback gets, behind `self`.
    pub(crate) parameters: Vec<Parameter>,
    /// The return type, `_` for every `impl Trait` in it.
    pub(crate) output: Type,
    /// `#![..]` at the start of the body.
    pub(crate) inner_attrs: TokenStream,
    /// The body as the user wrote it, without `inner_attrs`.
    pub(crate) body: Group,
    /// Where the body stands in the boxed future that `#[async_trait]` has made of the method.
    pub(crate) boxed_future: Option<BoxedFuture>,
}

impl Model {
    /// `None` for a function that `check` refuses: without a body or a return type.
    pub(crate) fn new(args: Args, mut item: RawFn) -> Option<Self> {
        let Body::Block(block) = &item.body else {
            return None;
        };
        let ReturnType::Type(_, output) = &item.sig.output else {
            return None;
        };
        let receiver = Receiver::of(&item.sig);
        let boxed_future = BoxedFuture::of(&item);
        let output = erase_impl(boxed_future.as_ref().map_or(output, |boxed| &boxed.output));
        let (inner_attrs, body) = match &boxed_future {
            None => split_inner_attributes(block),
            Some(boxed) => (TokenStream::new(), boxed.inside.clone()),
        };
        let mut bindings = if args.keeps_arguments() {
            take_bindings(&mut item.sig)
        } else {
            Vec::new()
        };
        let parameters = match args.fallback {
            Some(_) => parameters(&item.sig),
            None => Vec::new(),
        };
        let named = args.names();
        for binding in &mut bindings {
            binding.named =
                args.fallback.is_some() || named.contains(&binding.ident.unraw().to_string());
        }
        Some(Self {
            args,
            item,
            receiver,
            bindings,
            parameters,
            output,
            inner_attrs,
            body,
            boxed_future,
        })
    }

    /// Whether the attempt's block can take everything it uses by value. A method's unique or
    /// counted `self` has to stay outside where another attempt may follow.
    pub(crate) fn moves(&self) -> bool {
        !self.args.keeps_arguments() || matches!(self.receiver, Receiver::None | Receiver::Shared)
    }

    pub(crate) fn fallback(&self) -> Option<&Fallback> {
        self.args.fallback.as_ref()
    }

    /// Whether the type is nothing but a type parameter of the function.
    pub(crate) fn is_parameter(&self, ty: &Type) -> bool {
        let Type::Path(path) = peel(ty) else {
            return false;
        };
        self.item
            .sig
            .generics
            .type_params()
            .any(|parameter| path.path.is_ident(&parameter.ident))
    }
}
