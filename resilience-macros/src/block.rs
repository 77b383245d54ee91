//! An attribute on an `impl` block or on a trait: defaults for the methods in it.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::{Attribute as SynAttribute, Meta, ReturnType, Token, Type, Visibility};

use crate::args::{Args, Attribute};
use crate::attribute::function;
use crate::boxed_future::BoxedFuture;
use crate::check::{one_carries_all, ours};
use crate::consistency::{OF_RETRIES, free_of_contradictions, outlasts};
use crate::ctxt::Ctxt;
use crate::grammar::{self, RawArg, RawValue};
use crate::inputs::peel;
use crate::item::{Body, RawFn};

/// `impl .. { .. }` or `trait .. { .. }`, the items in it still tokens.
pub(crate) struct RawBlock {
    attrs: Vec<SynAttribute>,
    /// Everything between the attributes and the braces.
    head: TokenStream,
    braces: Group,
}

impl Parse for RawBlock {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(SynAttribute::parse_outer)?;
        let ahead = input.fork();
        ahead.parse::<Visibility>()?;
        ahead.parse::<Option<Token![unsafe]>>()?;
        if !ahead.peek(Token![impl]) && !ahead.peek(Token![trait]) {
            return Err(ahead.error("expected an `impl` block or a trait"));
        }
        let mut trees: Vec<TokenTree> = input.parse::<TokenStream>()?.into_iter().collect();
        match trees.pop() {
            Some(TokenTree::Group(braces)) if braces.delimiter() == Delimiter::Brace => Ok(Self {
                attrs,
                head: trees.into_iter().collect(),
                braces,
            }),
            _ => Err(syn::Error::new(ahead.span(), "expected `{`")),
        }
    }
}

/// An item in the block.
enum Item {
    Function(Box<RawFn>),
    Other(TokenStream),
}

pub(crate) fn expand(
    attribute: Attribute,
    defaults: &[RawArg],
    block: &RawBlock,
    ctxt: Ctxt,
) -> TokenStream {
    let this = attribute.name();
    for attr in block.attrs.iter().filter(|attr| ours(attr).is_some()) {
        ctxt.error(attr, one_carries_all(attribute));
    }
    for arg in defaults.iter().filter(|arg| arg.name == "operation") {
        ctxt.error(
            &arg.name,
            "`operation` names one function: write it on the method",
        );
    }
    for arg in defaults.iter().filter(|arg| arg.name == "skip") {
        ctxt.error(
            &arg.name,
            "`skip` belongs on a method that is to be left out",
        );
    }
    // The mistakes of the block's own options are told once and not for each method.
    let options = defaults.iter().filter(|arg| arg.name != "skip");
    let options = Args::parse(attribute, options.cloned().collect(), &ctxt);
    free_of_contradictions(&options, &ctxt);
    let Some(items) = ctxt.ok(items.parse2(block.braces.stream())) else {
        return with(block, block.braces.stream(), ctxt);
    };
    let mut applied = false;
    let mut body = TokenStream::new();
    let valid = ctxt.is_empty();
    let defaults = if valid { defaults } else { &[] };
    for item in items {
        match item {
            Item::Other(tokens) => body.extend(tokens),
            Item::Function(item) => match method(attribute, defaults, *item) {
                Method::Alone(item) => item.to_tokens(&mut body),
                Method::Annotated(attribute, args, item, ctxt) if valid => {
                    applied = true;
                    body.extend(function(attribute, args, item, ctxt));
                }
                // Without the defaults there would be other mistakes than the method's own.
                Method::Annotated(attribute, args, item, ctxt) => {
                    Args::parse(attribute, args, &ctxt);
                    item.to_tokens(&mut body);
                    body.extend(ctxt.into_compile_errors());
                }
            },
        }
    }
    if !applied && valid {
        ctxt.error(
            &block.head,
            format!("`#[{this}]` finds no async method with a body here that returns a `Result`"),
        );
    }
    with(block, body, ctxt)
}

/// The block with another body, and the errors behind it.
fn with(block: &RawBlock, body: TokenStream, ctxt: Ctxt) -> TokenStream {
    let mut braces = Group::new(Delimiter::Brace, body);
    braces.set_span(block.braces.span());
    // A second attribute of ours would tell all of it once more.
    let attrs = block.attrs.iter().filter(|attr| ours(attr).is_none());
    let (head, errors) = (&block.head, ctxt.into_compile_errors());
    quote!(#(#attrs)* #head #braces #errors)
}

enum Method {
    /// Left as it is.
    Alone(RawFn),
    Annotated(Attribute, Vec<RawArg>, RawFn, Ctxt),
}

/// What the defaults and the method's own attribute make of it. An option of its own replaces the
/// default of that name.
fn method(attribute: Attribute, defaults: &[RawArg], mut item: RawFn) -> Method {
    let ctxt = Ctxt::new();
    let own = item.attrs.iter().position(|attr| ours(attr).is_some());
    let Some(own) = own.map(|index| item.attrs.remove(index)) else {
        if !takes_defaults(&item) {
            return Method::Alone(item);
        }
        return Method::Annotated(attribute, defaults.to_vec(), item, ctxt);
    };
    let attribute = ours(&own).unwrap_or(attribute);
    let mut args = match &own.meta {
        Meta::List(list) => grammar::parse(list.tokens.clone(), &ctxt),
        _ => Vec::new(),
    };
    let skips = |arg: &RawArg| arg.name == "skip" && matches!(arg.value, RawValue::None);
    if args.iter().any(skips) {
        if args.len() == 1 {
            return Method::Alone(item);
        }
        ctxt.error(
            &own,
            "`skip` leaves the method out: nothing can stand beside it",
        );
        args.retain(|arg| !skips(arg));
    }
    args.extend(applicable(attribute, &args, defaults, &ctxt));
    Method::Annotated(attribute, args, item, ctxt)
}

/// The defaults that mean something beside a method's own options: those that it does not write
/// itself and that its attribute has; where nothing is tried again, not those that say how; and no
/// time for an attempt above the time that it gives the call. A time for its attempts above the one
/// that the block gives its calls is a mistake.
fn applicable(
    attribute: Attribute,
    own: &[RawArg],
    defaults: &[RawArg],
    ctxt: &Ctxt,
) -> Vec<RawArg> {
    let parse = |args: &[RawArg]| Args::parse(attribute, args.to_vec(), &Ctxt::new());
    let (method, block) = (parse(own), parse(defaults));
    let too_long = method.deadline.is_none() && outlasts(&method, &block);
    if too_long && let Some(timeout) = &method.timeout {
        ctxt.error(
            &timeout.name,
            "the `deadline` of the block is below this `timeout`: write a `deadline` beside it",
        );
    }
    let applies = |default: &&RawArg| {
        let name = &default.name;
        let vain = method.one_attempt() && OF_RETRIES.iter().any(|option| name == option)
            || name == "timeout" && outlasts(&block, &method)
            || name == "deadline" && too_long;
        attribute.has(name) && !vain && own.iter().all(|arg| arg.name != *name)
    };
    defaults.iter().filter(applies).cloned().collect()
}

/// Whether it is async, has a body, and returns something whose last name ends in `Result`.
fn takes_defaults(item: &RawFn) -> bool {
    if matches!(item.body, Body::Missing(_)) {
        return false;
    }
    if let Some(boxed) = BoxedFuture::of(item) {
        return is_result(&boxed.output);
    }
    let ReturnType::Type(_, ty) = &item.sig.output else {
        return false;
    };
    item.sig.asyncness.is_some() && is_result(ty)
}

fn is_result(ty: &Type) -> bool {
    let Type::Path(path) = peel(ty) else {
        return false;
    };
    path.path
        .segments
        .last()
        .is_some_and(|last| last.ident.to_string().ends_with("Result"))
}

fn items(input: ParseStream<'_>) -> syn::Result<Vec<Item>> {
    let mut items = Vec::new();
    while !input.is_empty() {
        let ahead = input.fork();
        if let Ok(function) = ahead.parse::<RawFn>() {
            syn::parse::discouraged::Speculative::advance_to(input, &ahead);
            items.push(Item::Function(Box::new(function)));
            continue;
        }
        // Anything else ends with a semicolon or with braces.
        let mut tokens = TokenStream::new();
        while !input.is_empty() {
            let tree = input.parse::<TokenTree>()?;
            let ends = match &tree {
                TokenTree::Punct(punct) => punct.as_char() == ';',
                TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                _ => false,
            };
            tokens.extend([tree]);
            if ends && !input.peek(Token![;]) {
                break;
            }
        }
        items.push(Item::Other(tokens));
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(defaults: TokenStream, item: TokenStream) -> String {
        crate::attribute::expand(Attribute::Resilient, defaults, item).to_string()
    }

    #[test]
    fn defaults_reach_async_methods_that_return_a_result() {
        let tokens = expand(
            quote!(retries = 3),
            quote! {
                impl<T> Store<T> {
                    const N: usize = { 1 };
                    type X = u8;
                    make!(a);
                    async fn a(&self) -> io::Result<u8> { Ok(1) }
                    fn b(&self) -> Result<u8, E> { Ok(1) }
                    async fn c(&self) -> u8 { 1 }
                    #[resilient(skip)] async fn d(&self) -> Result<u8, E> { Ok(1) }
                    #[resilient(retries = 5)] async fn e(&self) -> Result<u8, E> { Ok(1) }
                    #[fail_fast] async fn f(&self) -> Answer { Ok(1) }
                }
            },
        );
        assert!(!tokens.contains("compile_error"), "{tokens}");
        assert_eq!(tokens.matches("__RESILIENCE_SITE :").count(), 3, "{tokens}");
        assert_eq!(tokens.matches("retries (3)").count(), 1, "{tokens}");
        assert_eq!(tokens.matches("retries (5)").count(), 1, "{tokens}");
        assert_eq!(tokens.matches("fail_fast ()").count(), 1, "{tokens}");
    }

    #[test]
    fn mistakes_of_the_block_are_told_once() {
        let tokens = expand(
            quote!(retires = 3),
            quote!(impl S { async fn a(&self) -> R { 1 } async fn b(&self) -> Result<u8> { 1 } }),
        );
        assert_eq!(tokens.matches("compile_error").count(), 1, "{tokens}");
    }

    #[test]
    fn mistakes_of_a_method_are_told_beside_those_of_the_block() {
        let tokens = expand(
            quote!(retires = 3),
            quote!(impl S {
                #[resilient(timeout = 5)]
                async fn a(&self) -> Result<u8> { 1 }
            }),
        );
        assert_eq!(tokens.matches("compile_error").count(), 2, "{tokens}");
        assert!(!tokens.contains("# [resilient"), "{tokens}");
    }

    #[test]
    fn a_default_that_means_nothing_to_a_method_is_left_out() {
        let defaults = quote!(
            retries = 3,
            backoff(initial = "1s"),
            idempotent = false,
            timeout = "5s"
        );
        let tokens = expand(
            defaults,
            quote! {
                impl S {
                    #[resilient(retries = 0)] async fn a(self) -> Result<u8, E> { Ok(1) }
                    #[fail_fast] async fn b(self) -> Result<u8, E> { Ok(1) }
                    #[resilient(retries = 0, deadline = "1s")] async fn c(self) -> Result<u8, E> { Ok(1) }
                }
            },
        );
        assert!(!tokens.contains("compile_error"), "{tokens}");
        assert_eq!(tokens.matches("timeout (").count(), 2, "{tokens}");
        assert!(!tokens.contains("BackoffOptions") && !tokens.contains("idempotent"));
    }

    #[test]
    fn every_requirement_of_the_block_is_a_default() {
        let tokens = crate::attribute::expand(
            Attribute::FailFast,
            quote!(
                require(a(), field = "a", "is wrong"),
                require(b(), field = "b", "is wrong")
            ),
            quote! {
                impl S {
                    #[fail_fast(timeout = "1s")] async fn f(&self) -> Result<u8, E> { Ok(1) }
                }
            },
        );
        let tokens = tokens.to_string();
        assert!(
            tokens.contains("a ()") && tokens.contains("b ()"),
            "{tokens}"
        );
    }

    #[test]
    fn a_block_without_such_a_method_is_an_error() {
        let tokens = expand(
            quote!(),
            quote!(
                trait S {
                    async fn a(&self) -> Result<u8, E>;
                }
            ),
        );
        assert!(tokens.contains("finds no async method"), "{tokens}");
    }
}
