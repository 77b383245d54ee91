//! Every option does something: for each there is a function with it and a copy without it, and a
//! check that passes for the first and fails for the second. An option of the grammar that has no
//! such proof fails a test as well.
#![allow(
    clippy::all,
    clippy::pedantic,
    dead_code,
    unreachable_pub,
    unused_variables,
    reason = "functions are shapes, and their copies lack what uses them"
)]

use std::panic::catch_unwind;

use resilience::{Category, Runtime, Severity};

#[path = "../../resilience-macros/src/names.rs"]
mod names;
#[path = "../support/rustc.rs"]
mod rustc;
#[path = "../support/mod.rs"]
mod support;

/// Two copies of a function, or of a type, with a check: the option in brackets is in the first copy
/// and not in the second. `PROVEN` has the options' names.
///
/// ```text
/// name {
///     #[resilient([option = value], other = value)]
///     async fn call() -> R { .. }
/// } => { ..check.. }
/// ```
macro_rules! proofs {
    ($($name:ident {
        #[$attribute:ident $arguments:tt]
        $($item:tt)*
    } => $check:block)*) => {
        pub(crate) const PROVEN: &[&str] = &[$($name::OPTION),*];

        $(mod $name {
            use super::*;

            copies! { $attribute $arguments { $($item)* } $check }

            #[test]
            fn does_something() {
                crate::prove(OPTION, with::check, without::check);
            }
        })*
    };
}

macro_rules! copies {
    // `#[resilient([option], more)]`
    ($attribute:ident ([$option:tt $($value:tt)*] $(, $($more:tt)*)?) $item:tt $check:block) => {
        pub(crate) const OPTION: &str = stringify!($option);
        copy! { with $attribute ($option $($value)*, $($($more)*)?) $item $check }
        copy! { without $attribute ($($($more)*)?) $item $check }
    };
    // `#[resilient(list([option], of_the_list), more)]`
    ($attribute:ident (
        $list:ident([$option:tt $($value:tt)*] $(, $($of_the_list:tt)*)?) $(, $($more:tt)*)?
    ) $item:tt $check:block) => {
        pub(crate) const OPTION: &str = stringify!($option);
        copy! { with $attribute
            ($list($option $($value)*, $($($of_the_list)*)?), $($($more)*)?) $item $check }
        copy! { without $attribute ($list($($($of_the_list)*)?), $($($more)*)?) $item $check }
    };
}

macro_rules! copy {
    ($copy:ident classify ($($arguments:tt)*) { $($item:tt)* } $check:block) => {
        mod $copy {
            use super::*;

            #[derive(Classify)]
            #[classify($($arguments)*)]
            $($item)*

            pub fn check() {
                crate::run(async { $check });
            }
        }
    };
    ($copy:ident $attribute:ident ($($arguments:tt)*) { $($item:tt)* } $check:block) => {
        mod $copy {
            use super::*;

            #[$attribute($($arguments)*)]
            $($item)*

            pub fn check() {
                crate::run(async { $check });
            }
        }
    };
}

mod classify;
mod fail_fast;
mod lists;
mod resilient;

/// Runs a check under a paused clock, in a runtime of its own.
fn run(check: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let paused = builder.enable_time().start_paused(true).build().unwrap();
    paused.block_on(Runtime::new().scope(check));
}

fn prove(option: &str, with: fn(), without: fn()) {
    with();
    assert!(
        catch_unwind(without).is_err(),
        "the check passes without `{option}`"
    );
}

#[test]
fn the_crate_is_found_by_its_path_alone() {
    let call = "#[sturdy::ATTRIBUTE(ARGUMENTS)]\npub async fn f() -> Result<(), Error> { Ok(()) }";
    let failure = "#[derive(sturdy::Classify)] #[classify(ARGUMENTS)] pub struct Failure;";
    for (name, item) in [
        ("resilient", call.replace("ATTRIBUTE", "resilient")),
        ("fail_fast", call.replace("ATTRIBUTE", "fail_fast")),
        ("classify", failure.to_owned()),
    ] {
        let diagnostics = |arguments: &str| {
            let text = format!(
                "pub use sturdy::Error;\n{}",
                item.replace("ARGUMENTS", arguments)
            );
            rustc::diagnostics("sturdy", &format!("crate_of_{name}"), &text)
        };
        let with = diagnostics("crate = ::sturdy");
        assert!(with.is_empty(), "{with:?}");
        assert!(!diagnostics("").is_empty(), "{name} needs no `crate`");
    }
}

#[test]
fn the_grammar_knows_the_words_of_the_runtime() {
    let categories = Category::BUILT_IN.map(|category| category.as_str());
    assert_eq!(names::CATEGORIES, categories);
    let severities = [
        Severity::Low,
        Severity::Medium,
        Severity::High,
        Severity::Critical,
    ];
    assert_eq!(names::SEVERITIES, severities.map(Severity::as_str));
}

#[test]
fn every_option_of_the_grammar_has_its_proof() {
    for (list, _) in names::OPTIONS {
        let options = names::options(list);
        let proven: Vec<&str> = match *list {
            "resilient" => [resilient::PROVEN, &["crate"]].concat(),
            "fail_fast" => [fail_fast::PROVEN, &["crate"]].concat(),
            "classify" => [classify::PROVEN, &["crate"]].concat(),
            "backoff" => lists::backoff::PROVEN.to_vec(),
            "breaker" => lists::breaker::PROVEN.to_vec(),
            "rate_limit" => lists::rate_limit::PROVEN.to_vec(),
            "bulkhead" => lists::bulkhead::PROVEN.to_vec(),
            "budget" => lists::budget::PROVEN.to_vec(),
            _ => Vec::new(),
        };
        for option in &options {
            assert!(proven.contains(option), "no proof of `{option}` of {list}");
        }
        assert_eq!(proven.len(), options.len(), "{list}: {proven:?}");
    }
}
