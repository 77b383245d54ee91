//! What the arguments of an attribute mean. Every option is a field; mistakes are pushed into the
//! `Ctxt` and the option counts as not written.

use std::collections::HashSet;

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Expr, Path};

use crate::category::{self, Category};
use crate::ctxt::Ctxt;
use crate::fallback::{self, Fallback};
use crate::fields::{self, Field};
use crate::forms::{expr, function, is_off, krate, list, wrong};
use crate::grammar::{RawArg, RawValue};
use crate::limits::{Budget, Bulkhead, Limit, switch_budget, switch_bulkhead, switch_rate_limit};
use crate::mentioned;
use crate::names;
use crate::number::Count;
use crate::policy::{Backoff, Breaker, backoff, switch_breaker, switch_time};
use crate::redirect::unknown;
use crate::require::{self, Requirement};
use crate::resource::{self, Resource};
use crate::time::Time;
use crate::word::{Nested, flag};

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
    pub(crate) rate_limit: Option<Opt<Switch<Limit>>>,
    pub(crate) bulkhead: Option<Opt<Switch<Bulkhead>>>,
    pub(crate) budget: Option<Opt<Switch<Budget>>>,
    pub(crate) nested: Option<Opt<Nested>>,
    pub(crate) idempotent: Option<Opt<Expr>>,
    pub(crate) key: Option<Expr>,
    pub(crate) fallback: Option<Fallback>,
    pub(crate) reject_with: Option<Opt<Expr>>,
    pub(crate) classify: Option<Opt<Expr>>,
    pub(crate) retry_if: Option<Opt<Expr>>,
    pub(crate) retry_if_ok: Option<Opt<Expr>>,
    pub(crate) before_retry: Option<Opt<Expr>>,
    pub(crate) boxed: Option<Ident>,
    pub(crate) fields: Vec<Field>,
    pub(crate) require: Vec<Requirement>,
    pub(crate) resources: Vec<Resource>,
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
            rate_limit: None,
            bulkhead: None,
            budget: None,
            nested: None,
            idempotent: None,
            key: None,
            fallback: None,
            reject_with: None,
            classify: None,
            retry_if: None,
            retry_if_ok: None,
            before_retry: None,
            boxed: None,
            fields: Vec::new(),
            require: Vec::new(),
            resources: Vec::new(),
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
                    .and_then(|expr| category::text(&text, &expr, ctxt))
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
            "rate_limit" => {
                self.rate_limit =
                    switch_rate_limit(&name, value, ctxt).map(|value| Opt { name, value });
            }
            "bulkhead" => {
                self.bulkhead =
                    switch_bulkhead(&name, value, ctxt).map(|value| Opt { name, value });
            }
            "budget" => {
                self.budget = switch_budget(&name, value, ctxt).map(|value| Opt { name, value });
            }
            "nested" => {
                self.nested = expr(&name, value, "\"retry\"", ctxt)
                    .and_then(|expr| Nested::parse(&expr, ctxt))
                    .map(|value| Opt { name, value });
            }
            "idempotent" => {
                self.idempotent = expr(&name, value, "false", ctxt)
                    .and_then(|expr| flag(&text, &expr, ctxt))
                    .map(|value| Opt { name, value });
            }
            "key" => {
                self.key = expr(&name, value, "tenant", ctxt).filter(|expr| {
                    let off = "there is no key where none is written";
                    !is_off(expr) || wrong(ctxt, expr, off)
                });
            }
            "fallback" => self.fallback = fallback::parse(&name, value, ctxt),
            "resource" => {
                if let Some(group) = list(&name, value, "llm_tokens = max_tokens", ctxt) {
                    self.resources = resource::parse(&group, ctxt);
                }
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
            mentioned::collect(field.value.to_token_stream(), &mut names);
        }
        if let Some(key) = &self.key {
            mentioned::collect(key.to_token_stream(), &mut names);
        }
        for option in [&self.retry_if, &self.retry_if_ok, &self.before_retry]
            .into_iter()
            .flatten()
        {
            mentioned::collect(option.value.to_token_stream(), &mut names);
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

    /// Whether the arguments are needed again after an attempt: by another one, or by the fallback.
    pub(crate) fn keeps_arguments(&self) -> bool {
        !self.one_attempt() || self.fallback.is_some()
    }

    /// Whether the runtime can answer instead of the body, whatever the settings say.
    pub(crate) fn can_reject(&self) -> bool {
        !is_written_off(&self.breaker)
            || !is_written_off(&self.timeout)
            || is_written_on(&self.deadline)
            || is_written_on(&self.rate_limit)
            || is_written_on(&self.bulkhead)
            || !self.require.is_empty()
            || !self.resources.is_empty()
    }
}

fn is_written_off<T>(option: &Option<Opt<Switch<T>>>) -> bool {
    matches!(
        option,
        Some(Opt {
            value: Switch::Off,
            ..
        })
    )
}

fn is_written_on<T>(option: &Option<Opt<Switch<T>>>) -> bool {
    matches!(
        option,
        Some(Opt {
            value: Switch::On(_),
            ..
        })
    )
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::quote;

    use super::*;
    use crate::grammar;

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
