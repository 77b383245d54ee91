//! The shapes of functions, one file for each: that they compile, how often they run, and what
//! they return. What they look like is
//! beside the point.
#![allow(clippy::all, clippy::pedantic, unreachable_pub)]

#[path = "ui/support.rs"]
mod support;

#[path = "ui/pass/async_trait.rs"]
mod async_trait_methods;
#[path = "ui/pass/attributes.rs"]
mod attributes;
#[path = "ui/pass/blocks.rs"]
mod blocks;
#[path = "ui/pass/borrow_of_mut_self.rs"]
mod borrow_of_mut_self;
#[path = "ui/pass/borrow_returned.rs"]
mod borrow_returned;
#[path = "ui/pass/cfg.rs"]
mod cfg;
#[path = "ui/pass/coercions.rs"]
mod coercions;
#[path = "ui/pass/control_flow.rs"]
mod control_flow;
#[path = "ui/pass/counted_self.rs"]
mod counted_self;
#[path = "ui/pass/fallbacks.rs"]
mod fallbacks;
#[path = "ui/pass/foreign.rs"]
mod foreign;
#[path = "ui/pass/generics.rs"]
mod generics;
#[path = "ui/pass/hostile.rs"]
mod hostile;
#[path = "ui/pass/impl_trait.rs"]
mod impl_trait;
#[path = "ui/pass/macros.rs"]
mod macros;
#[path = "ui/pass/mut_self.rs"]
mod mut_self;
#[path = "ui/pass/names.rs"]
mod names;
#[path = "ui/pass/not_clone.rs"]
mod not_clone;
#[path = "ui/pass/owned_arguments.rs"]
mod owned_arguments;
#[path = "ui/pass/patterns.rs"]
mod patterns;
#[path = "ui/pass/recursion.rs"]
mod recursion;
#[path = "ui/pass/self_moved.rs"]
mod self_moved;
#[path = "ui/pass/self_paths.rs"]
mod self_paths;
#[path = "ui/pass/send_not_sync.rs"]
mod send_not_sync;
#[path = "ui/pass/traits.rs"]
mod traits;
#[path = "ui/pass/unique_references.rs"]
mod unique_references;
