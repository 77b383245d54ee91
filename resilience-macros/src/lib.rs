//! The attributes of the `resilience` crate. Applications depend on `resilience`, which re-exports
//! what is here.

#![forbid(unsafe_code)]

mod args;
mod attribute;
mod block;
mod boxed_future;
mod category;
mod check;
mod consistency;
mod ctxt;
mod derive;
mod expand;
mod fallback;
mod fields;
mod forms;
#[cfg(test)]
mod fuzz;
mod grammar;
mod inputs;
mod item;
mod lifetimes;
mod limits;
mod meant;
mod mentioned;
mod model;
mod names;
mod number;
mod policy;
mod redirect;
mod require;
mod resource;
#[cfg(test)]
mod snapshots;
mod spelling;
mod time;
mod word;
mod words;

use proc_macro::TokenStream;

use crate::args::Attribute;

#[doc = include_str!("../docs/resilient.md")]
#[proc_macro_attribute]
pub fn resilient(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand(Attribute::Resilient, args.into(), item.into()).into()
}

#[doc = include_str!("../docs/fail_fast.md")]
#[proc_macro_attribute]
pub fn fail_fast(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand(Attribute::FailFast, args.into(), item.into()).into()
}

#[doc = include_str!("../docs/classify.md")]
#[proc_macro_derive(Classify, attributes(classify))]
pub fn derive_classify(input: TokenStream) -> TokenStream {
    derive::derive(input.into()).into()
}
