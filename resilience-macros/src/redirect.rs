//! What to write instead of an option that is not there.

use crate::args::Attribute;
use crate::ctxt::Ctxt;
use crate::forms::means_off;
use crate::grammar::{RawArg, RawValue};
use crate::meant::meant;
use crate::names;
use crate::spelling::{enumerate, nearest, ours};

/// Says what to write instead of an option that this attribute does not have.
pub(crate) fn unknown(attribute: Attribute, arg: &RawArg, ctxt: &Ctxt) {
    let this = attribute.name();
    let name = arg.name.to_string();
    let word = ours(&name);
    let own = names::options(this);
    let others = names::options(attribute.other().name());
    if others.contains(&name.as_str()) {
        return ctxt.error(&arg.name, misplaced(attribute, &name));
    }
    let hint = if let Some(hint) = special(&word, &arg.value) {
        hint
    } else if let Some(meant) = meant("", &word) {
        let written = meant.written(&arg.value);
        match meant.list {
            "" if !own.contains(&meant.option) => misplaced(attribute, meant.option),
            "" if meant.option == "retries" => {
                format!("write `{written}`: `retries` counts the attempts after the first")
            }
            "" => format!("write `{written}`"),
            list if !own.contains(&list) => misplaced(attribute, list),
            list => format!("it belongs to `{list}`: write `{list}({written})`"),
        }
    } else {
        match nearest(&word, &[&*own, &*others].concat()) {
            Some(near) if own.contains(&near) => format!("did you mean `{near}`?"),
            Some(near) => misplaced(attribute, near),
            None => format!("there are {}", enumerate(&own)),
        }
    };
    let message = format!("`#[{this}]` has no option `{name}`; {hint}");
    ctxt.error(&arg.name, message);
}

/// The same in a list of options: `of` is its name, `shown` what it is called.
pub(crate) fn unknown_in(of: &str, shown: &str, arg: &RawArg, ctxt: &Ctxt) {
    let name = arg.name.to_string();
    let word = ours(&name);
    let own = names::options(of);
    let hint = if of == "bulkhead" && word.starts_with("max_wait") {
        "the time in its queue is part of `timeout`".to_owned()
    } else if word == "off" && SWITCHES.contains(&of) {
        format!("write `{of} = off`")
    } else if let Some(meant) = meant(of, &word) {
        format!("write `{}`", meant.written(&arg.value))
    } else if let Some(near) = nearest(&word, &own) {
        format!("did you mean `{near}`?")
    } else if of != "classify"
        && let Some(meant) = meant("", &word)
        && meant.list.is_empty()
        && meant.option != of
    {
        format!("outside of it write `{}`", meant.written(&arg.value))
    } else {
        format!("there are {}", enumerate(&own))
    };
    ctxt.error(&arg.name, format!("{shown} has no option `{name}`; {hint}"));
}

/// The lists that can be `off`.
const SWITCHES: &[&str] = &["breaker", "rate_limit", "bulkhead", "budget"];

/// Whose option it is.
fn misplaced(attribute: Attribute, option: &str) -> String {
    let (this, other) = (attribute.name(), attribute.other().name());
    let reason = match (attribute, option) {
        (Attribute::FailFast, "deadline") => "its one attempt is bounded by `timeout`",
        (Attribute::FailFast, _) => "a function that retries is `#[resilient]`",
        (Attribute::Resilient, "resource") => {
            "a function that leases resources before its body runs is `#[fail_fast]`"
        }
        (Attribute::Resilient, _) => {
            "a function that checks its requirements before each call is `#[fail_fast]`"
        }
    };
    format!("`{option}` is an option of `#[{other}]`, not of `#[{this}]`: {reason}")
}

/// What to do instead of a word that stands for no option of ours.
fn special(word: &str, value: &RawValue) -> Option<String> {
    let hint = match (word, value) {
        ("skip", RawValue::None) => {
            "it leaves a method out of an annotated `impl` block or trait, and there is none around \
             this function"
        }
        ("skip" | "skip_all", _) => {
            "of the arguments nothing is recorded but what `fields(..)` names: leave it out"
        }
        ("err" | "ret", _) => "errors are recorded and values are not: leave it out",
        ("level", _) => "the level of an event follows the severity of the failure: leave it out",
        ("enable", RawValue::None) => "it is enabled where nothing else is written: leave it out",
        ("disabled" | "disable", RawValue::Expr(value)) if means_off(value) => {
            "it is enabled where nothing else is written: leave it out"
        }
        ("disabled" | "disable", _) => "write `enabled = false`",
        ("name", _) => "write `operation = \"..\"`, or `service = \"..\"` to share a breaker",
        ("max_retry_attempts" | "retry_attempts", _) => {
            "write `retries = n`, the number of attempts after the first"
        }
        (word, _) if word.ends_with("_unit") => "a duration has its unit in it: write `\"500ms\"`",
        (word, RawValue::None) if names::CATEGORIES.contains(&word) => {
            return Some(format!("write `category = \"{word}\"`"));
        }
        _ => return None,
    };
    Some(hint.to_owned())
}
