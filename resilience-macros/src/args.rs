//! What the arguments of an attribute mean. Every option is a field; mistakes are pushed into the
//! `Ctxt` and the option counts as not written.

use std::collections::HashSet;

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Expr, Lit, Path};

use crate::ctxt::Ctxt;
use crate::fields::{self, Field};
use crate::grammar::{self, RawArg, RawValue, peel};
use crate::names::{self, enumerate};
use crate::require::{self, Requirement};
use crate::value::{self, Category, Count, Factor, Jitter, Time};

/// Which attribute it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attribute {
    Resilient,
    FailFast,
}

impl Attribute {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Resilient => "resilient",
            Self::FailFast => "fail_fast",
        }
    }
}

/// A value together with the name under which it was written. The name becomes a method of the
/// options' builder and keeps its place, so that an editor leads from it to the documentation.
pub(crate) struct Opt<T> {
    pub(crate) name: Ident,
    pub(crate) value: T,
}

/// `off`, or on with these numbers.
pub(crate) enum Switch<T> {
    Off,
    On(T),
}

/// `backoff(..)`
#[derive(Default)]
pub(crate) struct Backoff {
    pub(crate) initial: Option<Opt<Time>>,
    pub(crate) max: Option<Opt<Time>>,
    pub(crate) factor: Option<Opt<Factor>>,
    pub(crate) jitter: Option<Opt<Jitter>>,
}

/// `breaker(..)`
#[derive(Default)]
pub(crate) struct Breaker {
    pub(crate) failure_threshold: Option<Opt<Count>>,
    pub(crate) success_threshold: Option<Opt<Count>>,
    pub(crate) wait_duration: Option<Opt<Time>>,
    pub(crate) distinct_calls: Option<Opt<Count>>,
}

/// The arguments of one attribute.
pub(crate) struct Args {
    pub(crate) attribute: Attribute,
    pub(crate) krate: Option<Path>,
    pub(crate) category: Option<Opt<Category>>,
    pub(crate) service: Option<Opt<Expr>>,
    pub(crate) operation: Option<Opt<Expr>>,
    pub(crate) retries: Option<Opt<Count>>,
    pub(crate) backoff: Option<Opt<Backoff>>,
    pub(crate) timeout: Option<Opt<Switch<Time>>>,
    pub(crate) deadline: Option<Opt<Switch<Time>>>,
    pub(crate) breaker: Option<Opt<Switch<Breaker>>>,
    pub(crate) reject_with: Option<Opt<Expr>>,
    pub(crate) classify: Option<Opt<Expr>>,
    pub(crate) retry_if: Option<Opt<Expr>>,
    pub(crate) retry_if_ok: Option<Opt<Expr>>,
    pub(crate) before_retry: Option<Opt<Expr>>,
    pub(crate) boxed: Option<Ident>,
    pub(crate) fields: Vec<Field>,
    pub(crate) require: Vec<Requirement>,
}

impl Args {
    fn new(attribute: Attribute) -> Self {
        Self {
            attribute,
            krate: None,
            category: None,
            service: None,
            operation: None,
            retries: None,
            backoff: None,
            timeout: None,
            deadline: None,
            breaker: None,
            reject_with: None,
            classify: None,
            retry_if: None,
            retry_if_ok: None,
            before_retry: None,
            boxed: None,
            fields: Vec::new(),
            require: Vec::new(),
        }
    }

    /// Gives every argument its meaning.
    pub(crate) fn parse(attribute: Attribute, raw: Vec<RawArg>, ctxt: &Ctxt) -> Self {
        let mut args = Self::new(attribute);
        let mut seen: Vec<Ident> = Vec::new();
        for arg in raw {
            let name = arg.name.to_string();
            if !names::options(attribute).contains(&name.as_str()) {
                unknown(attribute, &arg, ctxt);
                continue;
            }
            // Requirements may be many; any other option has one value.
            if name != "require" && seen.contains(&arg.name) {
                ctxt.error(&arg.name, format!("`{name}` is written twice"));
                continue;
            }
            seen.push(arg.name.clone());
            args.set(arg, ctxt);
        }
        args
    }

    fn set(&mut self, arg: RawArg, ctxt: &Ctxt) {
        let RawArg { name, value } = arg;
        let text = name.to_string();
        match text.as_str() {
            "category" => {
                self.category = expr(&name, value, "\"network\"", ctxt)
                    .and_then(|expr| Category::parse(&expr, ctxt))
                    .map(|value| Opt { name, value });
            }
            "service" | "operation" => {
                let parsed = expr(&name, value, "\"llm_provider\"", ctxt)
                    .and_then(|expr| value::text(&text, &expr, ctxt))
                    .map(|value| Opt { name, value });
                match text.as_str() {
                    "service" => self.service = parsed,
                    _ => self.operation = parsed,
                }
            }
            "retries" => {
                self.retries = expr(&name, value, "3", ctxt)
                    .filter(|expr| !is_off(expr) || wrong(ctxt, expr, "write `retries = 0`"))
                    .and_then(|expr| Count::parse("retries", &expr, ctxt))
                    .map(|value| Opt { name, value });
            }
            "backoff" => {
                self.backoff = list(&name, value, "initial = \"1s\"", ctxt)
                    .map(|group| backoff(&group, ctxt))
                    .map(|value| Opt { name, value });
            }
            "timeout" | "deadline" => {
                let parsed = expr(&name, value, "\"30s\"", ctxt)
                    .and_then(|expr| switch_time(&text, &expr, ctxt))
                    .map(|value| Opt { name, value });
                match text.as_str() {
                    "timeout" => self.timeout = parsed,
                    _ => self.deadline = parsed,
                }
            }
            "breaker" => {
                self.breaker = switch_breaker(&name, value, ctxt).map(|value| Opt { name, value });
            }
            "reject_with" => self.reject_with = function(name, value, "MyError::from", ctxt),
            "classify" => self.classify = function(name, value, "my_classifier", ctxt),
            "retry_if" => self.retry_if = function(name, value, "|error| ..", ctxt),
            "retry_if_ok" => self.retry_if_ok = function(name, value, "|value| ..", ctxt),
            "before_retry" => self.before_retry = function(name, value, "|error| ..", ctxt),
            "boxed" => match value {
                RawValue::None => self.boxed = Some(name),
                _ => ctxt.error(&name, "`boxed` has no value: write `boxed`"),
            },
            "fields" => {
                if let Some(group) = list(&name, value, "collection, path = %path", ctxt) {
                    self.fields = fields::parse(group.stream(), ctxt);
                }
            }
            "require" => {
                let example = "!prompt.is_empty(), field = \"prompt\", \"must not be empty\"";
                if let Some(group) = list(&name, value, example, ctxt) {
                    self.require.extend(require::parse(&group, ctxt));
                }
            }
            "crate" => {
                self.krate =
                    expr(&name, value, "::resilience", ctxt).and_then(|expr| krate(&expr, ctxt));
            }
            // `parse` lets no other name through.
            _ => ctxt.error(&name, format!("unknown option `{text}`")),
        }
    }

    /// The names that stand in expressions which see the function's variables.
    pub(crate) fn names(&self) -> HashSet<String> {
        let mut names = HashSet::new();
        for field in &self.fields {
            collect_names(field.value.to_token_stream(), &mut names);
        }
        for option in [&self.retry_if, &self.retry_if_ok, &self.before_retry]
            .into_iter()
            .flatten()
        {
            collect_names(option.value.to_token_stream(), &mut names);
        }
        names
    }

    /// Whether the expansion has no loop.
    pub(crate) fn one_attempt(&self) -> bool {
        self.attribute == Attribute::FailFast
            || self
                .retries
                .as_ref()
                .is_some_and(|retries| retries.value.literal == Some(0))
    }

    /// Whether the runtime can answer instead of the body, whatever the settings say.
    pub(crate) fn can_reject(&self) -> bool {
        let breaker_off = matches!(
            self.breaker,
            Some(Opt {
                value: Switch::Off,
                ..
            })
        );
        let timeout_off = matches!(
            self.timeout,
            Some(Opt {
                value: Switch::Off,
                ..
            })
        );
        let deadline_on = matches!(
            self.deadline,
            Some(Opt {
                value: Switch::On(_),
                ..
            })
        );
        !breaker_off || !timeout_off || deadline_on || !self.require.is_empty()
    }
}

fn collect_names(tokens: TokenStream, names: &mut HashSet<String>) {
    for tree in tokens {
        match tree {
            TokenTree::Ident(ident) => {
                names.insert(ident.to_string());
            }
            TokenTree::Group(group) => collect_names(group.stream(), names),
            _ => {}
        }
    }
}

/// Says what to write instead of an option that this attribute does not have.
fn unknown(attribute: Attribute, arg: &RawArg, ctxt: &Ctxt) {
    let name = arg.name.to_string();
    let this = attribute.name();
    let (other, reason) = match attribute {
        Attribute::Resilient => (
            Attribute::FailFast,
            "a function that checks its requirements before each call is `#[fail_fast]`",
        ),
        Attribute::FailFast => (
            Attribute::Resilient,
            "a function that retries is `#[resilient]`",
        ),
    };
    if names::options(other).contains(&name.as_str()) {
        let reason = match name.as_str() {
            "deadline" => "its one attempt is bounded by `timeout`",
            _ => reason,
        };
        let other = other.name();
        ctxt.error(
            &arg.name,
            format!("`{name}` is an option of `#[{other}]`, not of `#[{this}]`: {reason}"),
        );
        return;
    }
    if name == "skip" {
        ctxt.error(
            &arg.name,
            "`skip` leaves a method out of an annotated `impl` block or trait",
        );
        return;
    }
    if names::PLANNED.contains(&name.as_str()) {
        ctxt.error(
            &arg.name,
            format!("`{name}` is not built yet: this version does not have it"),
        );
        return;
    }
    let number = match &arg.value {
        RawValue::Expr(expr) => whole_number(expr),
        _ => None,
    };
    let hint = if let Some(hint) = names::redirect(&name, number) {
        hint
    } else if let Some(near) = names::nearest(&name, names::options(attribute)) {
        format!("did you mean `{near}`?")
    } else {
        format!("there are {}", enumerate(names::options(attribute)))
    };
    ctxt.error(
        &arg.name,
        format!("`#[{this}]` has no option `{name}`; {hint}"),
    );
}

/// The value of `name = value`.
fn expr(name: &Ident, value: RawValue, example: &str, ctxt: &Ctxt) -> Option<Expr> {
    match value {
        RawValue::Expr(expr) => Some(*expr),
        RawValue::None => {
            ctxt.error(
                name,
                format!("`{name}` needs a value: `{name} = {example}`"),
            );
            None
        }
        RawValue::List(group) => {
            ctxt.error(
                group,
                format!("`{name}` has one value: write `{name} = {example}`"),
            );
            None
        }
    }
}

/// The list of `name(..)`.
fn list(name: &Ident, value: RawValue, example: &str, ctxt: &Ctxt) -> Option<Group> {
    match value {
        RawValue::List(group) if !group.stream().is_empty() => Some(group),
        RawValue::List(group) => {
            ctxt.error(
                group,
                format!("`{name}` is empty: write `{name}({example})`"),
            );
            None
        }
        RawValue::None => {
            ctxt.error(
                name,
                format!("`{name}` needs a list: write `{name}({example})`"),
            );
            None
        }
        RawValue::Expr(expr) => {
            ctxt.error(
                expr,
                format!("`{name}` is a list: write `{name}({example})`"),
            );
            None
        }
    }
}

/// A path to a function, or a closure. A name in quotes is a mistake of people who come from
/// attributes that want it that way.
fn function(name: Ident, value: RawValue, example: &str, ctxt: &Ctxt) -> Option<Opt<Expr>> {
    let expr = expr(&name, value, example, ctxt)?;
    match peel(&expr) {
        Expr::Lit(lit) => {
            let written = match &lit.lit {
                Lit::Str(text) if syn::parse_str::<Path>(&text.value()).is_ok() => text.value(),
                _ => example.to_owned(),
            };
            ctxt.error(
                &expr,
                format!(
                    "`{name}` is a path or a closure, without quotes: write `{name} = {written}`"
                ),
            );
            None
        }
        _ => Some(Opt { name, value: expr }),
    }
}

fn switch_time(name: &str, expr: &Expr, ctxt: &Ctxt) -> Option<Switch<Time>> {
    if is_off(expr) {
        return Some(Switch::Off);
    }
    let instead = format!(": write `{name} = off` for none");
    Time::positive(name, &instead, expr, ctxt).map(Switch::On)
}

fn switch_breaker(name: &Ident, value: RawValue, ctxt: &Ctxt) -> Option<Switch<Breaker>> {
    match value {
        RawValue::Expr(expr) if is_off(&expr) => Some(Switch::Off),
        RawValue::Expr(expr) => {
            let number = whole_number(&expr).unwrap_or(5);
            ctxt.error(
                expr,
                format!("write `breaker(failure_threshold = {number})`, or `breaker = off`"),
            );
            None
        }
        value => list(name, value, "failure_threshold = 5", ctxt)
            .map(|group| Switch::On(breaker(&group, ctxt))),
    }
}

fn backoff(group: &Group, ctxt: &Ctxt) -> Backoff {
    let mut backoff = Backoff::default();
    let redirect = names::redirect_backoff;
    for (name, expr) in nested(group, "backoff", names::BACKOFF, redirect, ctxt) {
        match name.to_string().as_str() {
            "initial" => {
                backoff.initial =
                    Time::parse("initial", &expr, ctxt).map(|value| Opt { name, value });
            }
            "max" => {
                backoff.max = Time::parse("max", &expr, ctxt).map(|value| Opt { name, value });
            }
            "factor" => {
                backoff.factor = Factor::parse(&expr, ctxt).map(|value| Opt { name, value });
            }
            _ => backoff.jitter = Jitter::parse(&expr, ctxt).map(|value| Opt { name, value }),
        }
    }
    backoff
}

fn breaker(group: &Group, ctxt: &Ctxt) -> Breaker {
    let mut breaker = Breaker::default();
    let redirect = names::redirect_breaker;
    for (name, expr) in nested(group, "breaker", names::BREAKER, redirect, ctxt) {
        let text = name.to_string();
        if text == "wait_duration" {
            breaker.wait_duration =
                Time::positive(&text, "", &expr, ctxt).map(|value| Opt { name, value });
            continue;
        }
        let count = Count::positive(&text, &expr, ctxt).map(|value| Opt { name, value });
        match text.as_str() {
            "failure_threshold" => breaker.failure_threshold = count,
            "success_threshold" => breaker.success_threshold = count,
            _ => breaker.distinct_calls = count,
        }
    }
    breaker
}

/// The `name = value` pairs of a nested list, each name out of `known` and written once.
fn nested(
    group: &Group,
    of: &str,
    known: &'static [&'static str],
    redirect: fn(&str) -> Option<&'static str>,
    ctxt: &Ctxt,
) -> Vec<(Ident, Expr)> {
    let mut pairs: Vec<(Ident, Expr)> = Vec::new();
    for RawArg { name, value } in grammar::parse(group.stream(), ctxt) {
        let text = name.to_string();
        if !known.contains(&text.as_str()) {
            let hint = match redirect(&text).or_else(|| names::nearest(&text, known)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", enumerate(known)),
            };
            ctxt.error(&name, format!("`{of}` has no option `{text}`; {hint}"));
        } else if pairs.iter().any(|(other, _)| *other == name) {
            ctxt.error(&name, format!("`{text}` is written twice"));
        } else if let Some(expr) = expr(&name, value, "..", ctxt) {
            pairs.push((name, expr));
        }
    }
    pairs
}

/// The path under which generated code finds this crate. It stands in code of other modules, so
/// it has to be absolute.
pub(crate) fn krate(expr: &Expr, ctxt: &Ctxt) -> Option<Path> {
    let path = match peel(expr) {
        Expr::Path(path) if path.qself.is_none() => path.path.clone(),
        Expr::Lit(lit) => {
            let text = match &lit.lit {
                Lit::Str(text) => text.value(),
                _ => "::resilience".to_owned(),
            };
            ctxt.error(
                expr,
                format!("write the path without quotes: `crate = {text}`"),
            );
            return None;
        }
        _ => {
            ctxt.error(expr, "`crate` is a path, like `crate = ::resilience`");
            return None;
        }
    };
    let first = path
        .segments
        .first()
        .map(|segment| segment.ident.to_string())
        .unwrap_or_default();
    let absolute = path.leading_colon.is_some() || matches!(first.as_str(), "crate" | "$crate");
    if absolute {
        return Some(path);
    }
    let written = path.to_token_stream().to_string().replace(' ', "");
    let hint = match first.as_str() {
        "self" | "super" => "write it from the root of the crate: `crate::..`".to_owned(),
        _ => format!("write `crate = ::{written}` or `crate = crate::{written}`"),
    };
    ctxt.error(expr, format!("the path must be absolute; {hint}"));
    None
}

fn is_off(expr: &Expr) -> bool {
    matches!(peel(expr), Expr::Path(path) if path.path.is_ident("off"))
}

fn whole_number(expr: &Expr) -> Option<u64> {
    match peel(expr) {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Int(int) => int.base10_parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// Pushes an error and says no, for filters.
fn wrong(ctxt: &Ctxt, tokens: &Expr, message: &str) -> bool {
    ctxt.error(tokens, message);
    false
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn parse(attribute: Attribute, tokens: TokenStream) -> (Args, Vec<String>) {
        let ctxt = Ctxt::new();
        let args = Args::parse(attribute, grammar::parse(tokens, &ctxt), &ctxt);
        (args, ctxt.messages())
    }

    #[test]
    fn every_option_is_read() {
        let (args, errors) = parse(
            Attribute::Resilient,
            quote! {
                category = "weaviate", service = "vectors", operation = "index", retries = N,
                backoff(initial = "1s", max = MAX, factor = 2, jitter = "full"),
                timeout = off, deadline = "2m",
                breaker(failure_threshold = 5, success_threshold = 1, wait_duration = "30s",
                        distinct_calls = 2),
                reject_with = MyError::rejected, fields(a, b = 1, c = %d), crate = crate::inner,
            },
        );
        assert!(errors.is_empty(), "{errors:?}");
        assert!(args.krate.is_some() && args.category.is_some() && args.retries.is_some());
        assert!(!args.one_attempt());
        assert_eq!(args.fields.len(), 3);
    }

    #[test]
    fn m6_every_wrong_key_is_its_own_error() {
        let (_, errors) = parse(
            Attribute::Resilient,
            quote!(
                retrys = 3,
                timeout = 30,
                retries = 1,
                retries = 2,
                attempts = 5,
                require(x)
            ),
        );
        let parts = [
            "`retries`?",
            "\"30s\"",
            "written twice",
            "retries = 4",
            "#[fail_fast]",
        ];
        assert_eq!(errors.len(), parts.len(), "{errors:?}");
        for (error, part) in errors.iter().zip(parts) {
            assert!(error.contains(part), "{error} / {part}");
        }
    }

    #[test]
    fn fail_fast_does_not_retry() {
        let (_, errors) = parse(Attribute::FailFast, quote!(retries = 3));
        assert!(
            errors[0].contains("a function that retries is `#[resilient]`"),
            "{errors:?}"
        );
    }

    #[test]
    fn only_what_is_all_off_cannot_reject() {
        let can = |tokens| parse(Attribute::Resilient, tokens).0.can_reject();
        assert!(can(quote!()));
        assert!(can(quote!(timeout = off)));
        assert!(can(quote!(timeout = off, breaker = off, deadline = "1s")));
        assert!(!can(quote!(timeout = off, breaker = off, deadline = off)));
    }
}
