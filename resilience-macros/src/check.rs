//! Rules about the function. Each is a Rust function with an example of what it refuses.

use proc_macro2::{Ident, TokenTree};
use quote::ToTokens;
use syn::{Expr, FnArg, Pat, ReturnType, Type, TypeParamBound};

use crate::args::{Args, Attribute};
use crate::boxed_future::BoxedFuture;
use crate::consistency::consistent;
use crate::ctxt::Ctxt;
use crate::grammar::{self, RawArg, RawValue};
use crate::inputs::{Receiver, peel};
use crate::item::{Body, RawFn};
use crate::lifetimes::borrows_from_unique;
use crate::mentioned;

pub(crate) fn check(args: &Args, item: &RawFn, ctxt: &Ctxt) {
    one_attribute(args, item, ctxt);
    if asynchronous(args, item, ctxt) {
        has_body(args, item, ctxt);
        returns_result(args, item, ctxt);
        receiver_survives(args, item, ctxt);
        output_survives(args, item, ctxt);
        fallback_gets_every_argument(args, item, ctxt);
        fallback_takes_every_argument(args, item, ctxt);
    }
    values_are_constant(args, item, ctxt);
    consistent(args, ctxt);
}

/// ```text
/// #[resilient(retries = 3)]
/// #[fail_fast(timeout = "5s")]
/// ```
fn one_attribute(args: &Args, item: &RawFn, ctxt: &Ctxt) {
    for attr in item.attrs.iter().filter(|attr| ours(attr).is_some()) {
        ctxt.error(attr, one_carries_all(args.attribute));
    }
    if let Body::Block(body) = &item.body
        && starts_with_a_call(&body.stream())
    {
        ctxt.error(
            &item.sig.ident,
            "two attributes of `resilience` on one function: one carries everything",
        );
    }
}

/// What to do with a second attribute.
pub(crate) fn one_carries_all(first: Attribute) -> String {
    let first = first.name();
    format!("one attribute carries everything: write its options into `#[{first}]`")
}

/// Which of our attributes this is, by its last name.
pub(crate) fn ours(attr: &syn::Attribute) -> Option<Attribute> {
    let name = &attr.path().segments.last()?.ident;
    [Attribute::Resilient, Attribute::FailFast]
        .into_iter()
        .find(|ours| name == ours.name())
}

/// Whether the body is an expansion of ours: `let mut __resilience_call = ..`. That finds the
/// second attribute when it has been imported under another name.
fn starts_with_a_call(body: &proc_macro2::TokenStream) -> bool {
    let third = body.clone().into_iter().nth(2);
    matches!(third, Some(TokenTree::Ident(ident)) if ident == "__resilience_call")
}

/// ```text
/// fn f() -> impl Future<Output = R>
/// #[tokio::test] #[resilient] async fn f() -> R
/// ```
fn asynchronous(args: &Args, item: &RawFn, ctxt: &Ctxt) -> bool {
    if item.sig.asyncness.is_some() || BoxedFuture::of(item).is_some() {
        return true;
    }
    let this = args.attribute.name();
    let sync_test = item.attrs.iter().find(|attr| {
        attr.path()
            .segments
            .last()
            .is_some_and(|last| last.ident == "test")
    });
    if let Some(test) = sync_test {
        ctxt.error(
            test,
            format!(
                "a test attribute above `#[{this}]` has taken the `async` away: swap the two, \
                 `#[{this}]` comes first"
            ),
        );
    } else if returns_future(&item.sig.output) {
        ctxt.error(
            &item.sig.output,
            format!(
                "`#[{this}]` cannot see what this future does before it is awaited: make the \
                 function an `async fn`"
            ),
        );
    } else {
        let tokens = match &item.sig.constness {
            Some(constness) => constness.to_token_stream(),
            None => item.sig.fn_token.to_token_stream(),
        };
        let hint = match item.sig.ident.to_string().as_str() {
            "main" => "; if `#[tokio::main]` stands above, swap the two",
            _ => "",
        };
        ctxt.error(tokens, format!("`#[{this}]` needs an `async fn`{hint}"));
    }
    false
}

/// `-> impl Future<..>` and `-> Pin<Box<dyn Future<..>>>`.
fn returns_future(output: &ReturnType) -> bool {
    let ReturnType::Type(_, ty) = output else {
        return false;
    };
    let bounds = match peel(ty) {
        Type::ImplTrait(ty) => &ty.bounds,
        Type::Path(path) => {
            let last = path.path.segments.last();
            return last.is_some_and(|last| {
                last.ident == "Pin" || last.ident == "BoxFuture" || last.ident == "LocalBoxFuture"
            });
        }
        _ => return false,
    };
    bounds.iter().any(|bound| match bound {
        TypeParamBound::Trait(bound) => bound
            .path
            .segments
            .last()
            .is_some_and(|last| last.ident == "Future"),
        _ => false,
    })
}

/// ```text
/// trait Store { #[resilient] async fn get(&self) -> R; }
/// ```
fn has_body(args: &Args, item: &RawFn, ctxt: &Ctxt) {
    if let Body::Missing(semi) = &item.body {
        let this = args.attribute.name();
        ctxt.error(
            semi,
            format!("there is no body here: put `#[{this}]` on the function in each `impl`"),
        );
    }
}

/// ```text
/// #[resilient] async fn f() { .. }
/// #[resilient] async fn f() -> impl Trait { .. }
/// ```
fn returns_result(args: &Args, item: &RawFn, ctxt: &Ctxt) {
    let this = args.attribute.name();
    if let ReturnType::Type(_, ty) = &item.sig.output
        && matches!(peel(ty), Type::ImplTrait(_))
    {
        ctxt.error(
            ty,
            format!("`#[{this}]` needs a function that returns `Result<_, _>`: write it out"),
        );
    }
    if matches!(item.sig.output, ReturnType::Default) {
        ctxt.error(
            &item.sig.ident,
            format!(
                "`#[{this}]` needs a function that returns `Result<_, _>`; this one returns `()`"
            ),
        );
    }
}

/// ```text
/// #[resilient] async fn f(self) -> R
/// ```
fn receiver_survives(args: &Args, item: &RawFn, ctxt: &Ctxt) {
    if !args.keeps_arguments() {
        return;
    }
    let Some(FnArg::Receiver(receiver)) = item.sig.inputs.first() else {
        return;
    };
    if args.fallback.is_some() {
        if matches!(
            Receiver::of(&item.sig),
            Receiver::Value(_) | Receiver::Mutable
        ) {
            ctxt.error(
                receiver,
                "the fallback gets `self` as well: take `&self` or `self: Arc<Self>`",
            );
        }
        return;
    }
    match Receiver::of(&item.sig) {
        Receiver::Value(_) => ctxt.error(
            receiver,
            "a further attempt needs `self` as well: take `&self` or `self: Arc<Self>`, or set \
             `retries = 0`",
        ),
        Receiver::Mutable => ctxt.error(
            receiver,
            "a further attempt would see what this one assigned to `self`: drop the `mut`, or \
             set `retries = 0`",
        ),
        _ => {}
    }
}

/// ```text
/// #[resilient] async fn next(&mut self) -> Result<&Row, E>
/// ```
fn output_survives(args: &Args, item: &RawFn, ctxt: &Ctxt) {
    if args.keeps_arguments() && borrows_from_unique(&item.sig) {
        let message = if args.fallback.is_some() {
            "the result borrows what the fallback gets as well (`&mut`): return an owned value"
        } else {
            "the result borrows what a further attempt needs again (`&mut`): return an owned \
             value, or set `retries = 0`"
        };
        ctxt.error(&item.sig.output, message);
    }
}

/// ```text
/// #[resilient(fallback = other)] async fn f((a, b): (u8, u8)) -> R
/// #[resilient(fallback = other)] async fn f(#[cfg(unix)] a: u8) -> R
/// ```
fn fallback_gets_every_argument(args: &Args, item: &RawFn, ctxt: &Ctxt) {
    if args.fallback.is_none() {
        return;
    }
    for input in &item.sig.inputs {
        let FnArg::Typed(input) = input else {
            continue;
        };
        if let Some(cfg) = input.attrs.iter().find(|attr| attr.path().is_ident("cfg")) {
            ctxt.error(
                cfg,
                "the fallback gets every argument: put the `#[cfg]` on the function",
            );
        }
        let is_name =
            matches!(&*input.pat, Pat::Ident(pat) if pat.subpat.is_none() && pat.by_ref.is_none());
        if !is_name {
            ctxt.error(
                &input.pat,
                "the fallback gets this argument as a whole: give it a name, and take it apart in \
                 the body",
            );
        }
    }
}

/// ```text
/// #[resilient(fallback = || Ok(1))] async fn f(a: u8) -> R
/// ```
fn fallback_takes_every_argument(args: &Args, item: &RawFn, ctxt: &Ctxt) {
    let functions = args
        .fallback
        .iter()
        .flat_map(|fallback| &fallback.functions);
    for function in functions {
        let Expr::Closure(closure) = grammar::peel(function) else {
            continue;
        };
        if closure.inputs.len() == item.sig.inputs.len() + 1 {
            continue;
        }
        let names = item.sig.inputs.iter().map(|input| match input {
            FnArg::Receiver(_) => "this".to_owned(),
            FnArg::Typed(input) => match &*input.pat {
                Pat::Ident(pat) => pat.ident.to_string(),
                _ => "_".to_owned(),
            },
        });
        let names: Vec<_> = names.chain(["error".to_owned()]).collect();
        ctxt.error(
            function,
            format!(
                "the fallback gets the arguments and the error: write `|{}| ..`",
                names.join(", ")
            ),
        );
    }
}

/// ```text
/// #[resilient(retries = n)] async fn f(n: u32) -> R
/// #[resilient(backoff(initial = self.pause))] async fn f(&self) -> R
/// ```
fn values_are_constant(args: &Args, item: &RawFn, ctxt: &Ctxt) {
    let argument = |input: &FnArg| match input {
        FnArg::Receiver(receiver) => Some(Ident::from(receiver.self_token)),
        FnArg::Typed(input) => match &*input.pat {
            Pat::Ident(pat) => Some(pat.ident.clone()),
            _ => None,
        },
    };
    let arguments: Vec<Ident> = item.sig.inputs.iter().filter_map(argument).collect();
    for arg in &args.written {
        let RawArg { name, value } = arg;
        let value = match value {
            RawValue::Expr(expr) => expr.to_token_stream(),
            RawValue::List(group) => group.stream(),
            RawValue::None => continue,
        };
        if !SETTINGS.iter().any(|setting| name == setting) {
            continue;
        }
        if let Some(argument) = mentioned::variable(value, &arguments) {
            ctxt.error(
                argument,
                format!(
                    "`{name}` belongs to the function and not to one call of it: a constant can \
                     stand here, an argument cannot"
                ),
            );
        }
    }
}

/// The options whose values stand in a static.
const SETTINGS: &[&str] = &[
    "category",
    "service",
    "operation",
    "enabled",
    "retries",
    "backoff",
    "timeout",
    "deadline",
    "breaker",
    "rate_limit",
    "bulkhead",
    "budget",
    "idempotent",
];
