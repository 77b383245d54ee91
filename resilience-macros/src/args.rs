//! What the arguments of an attribute mean. Every option is a field; mistakes are pushed into the
//! `Ctxt` and the option counts as not written.

use std::collections::HashSet;

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Expr, Lit, Path};

use crate::category::{self, Category};
use crate::ctxt::Ctxt;
use crate::fallback::{self, Fallback};
use crate::fields::{self, Field};
use crate::forms::{expr, function, is_off, krate, list, wrong};
use crate::grammar::{self, RawArg, RawValue};
use crate::limits::{Budget, Bulkhead, Limit, switch_budget, switch_bulkhead, switch_rate_limit};
use crate::mentioned;
use crate::names;
use crate::number::Count;
use crate::policy::{Backoff, Breaker, backoff, switch_breaker, switch_time};
use crate::redirect::unknown;
use crate::require::{self, Requirement};
use crate::resource::{self, Resource};
use crate::time::Time;
use crate::word::{Word, flag};

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

    pub(crate) fn other(self) -> Self {
        match self {
            Self::Resilient => Self::FailFast,
            Self::FailFast => Self::Resilient,
        }
    }

    /// Whether it has this option.
    pub(crate) fn has(self, option: &Ident) -> bool {
        names::form(self.name(), &option.to_string()).is_some()
    }
}

/// A value together with the name under which it was written. The name becomes a method of the
/// options' builder and keeps its place, so that an editor leads from it to the documentation.
pub(crate) struct Opt<T> {
    pub(crate) name: Ident,
    pub(crate) value: T,
}

impl RawArg {
    /// The meaning of its value, under its name.
    pub(crate) fn opt<T>(&self, value: T) -> Opt<T> {
        Opt {
            name: self.name.clone(),
            value,
        }
    }
}

/// `off`, or on with these numbers.
pub(crate) enum Switch<T> {
    Off,
    On(T),
}

/// The arguments of one attribute.
pub(crate) struct Args {
    pub(crate) attribute: Attribute,
    /// All that is written, in that order.
    pub(crate) written: Vec<RawArg>,
    pub(crate) krate: Option<Path>,
    pub(crate) category: Option<Opt<Category>>,
    pub(crate) service: Option<Opt<Expr>>,
    pub(crate) operation: Option<Opt<Expr>>,
    pub(crate) enabled: Option<Opt<Expr>>,
    pub(crate) retries: Option<Opt<Count>>,
    pub(crate) backoff: Option<Opt<Backoff>>,
    pub(crate) timeout: Option<Opt<Switch<Time>>>,
    pub(crate) deadline: Option<Opt<Switch<Time>>>,
    pub(crate) breaker: Option<Opt<Switch<Breaker>>>,
    pub(crate) rate_limit: Option<Opt<Switch<Limit>>>,
    pub(crate) bulkhead: Option<Opt<Switch<Bulkhead>>>,
    pub(crate) budget: Option<Opt<Switch<Budget>>>,
    pub(crate) nested: Option<Opt<Word>>,
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
            written: Vec::new(),
            krate: None,
            category: None,
            service: None,
            operation: None,
            enabled: None,
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
        for arg in raw {
            if !attribute.has(&arg.name) {
                unknown(attribute, &arg, ctxt);
                continue;
            }
            // Requirements may be many; any other option has one value.
            let is_again = args.written.iter().any(|other| other.name == arg.name);
            if arg.name != "require" && is_again {
                ctxt.error(&arg.name, format!("`{}` is written twice", arg.name));
                continue;
            }
            args.set(&arg, ctxt);
            args.written.push(arg);
        }
        args
    }

    fn set(&mut self, arg: &RawArg, ctxt: &Ctxt) {
        let name = arg.name.to_string();
        let form = names::form(self.attribute.name(), &name).unwrap_or_default();
        let one = || expr(arg, form, ctxt);
        let several = || list(arg, form, ctxt);
        match name.as_str() {
            "category" => {
                let category = one().and_then(|expr| Category::parse(&expr, ctxt));
                self.category = category.map(|value| arg.opt(value));
            }
            "service" => self.service = text(arg, form, ctxt),
            "operation" => self.operation = text(arg, form, ctxt),
            "enabled" => {
                let enabled = one().and_then(|expr| flag(&name, &expr, ctxt));
                self.enabled = enabled.map(|value| arg.opt(value));
            }
            "retries" => {
                self.retries = one()
                    .filter(|expr| !is_off(expr) || wrong(ctxt, expr, "write `retries = 0`"))
                    .and_then(|expr| Count::parse("retries", &expr, ctxt))
                    .map(|value| arg.opt(value));
            }
            "backoff" => {
                let backoff = several().map(|group| backoff(&group, ctxt));
                self.backoff = backoff.map(|value| arg.opt(value));
            }
            "timeout" => self.timeout = switch_time(arg, form, ctxt),
            "deadline" => self.deadline = switch_time(arg, form, ctxt),
            "breaker" => self.breaker = switch_breaker(arg, form, ctxt),
            "rate_limit" => self.rate_limit = switch_rate_limit(arg, form, ctxt),
            "bulkhead" => self.bulkhead = switch_bulkhead(arg, form, ctxt),
            "budget" => self.budget = switch_budget(arg, form, ctxt),
            "nested" => {
                let nested = one().and_then(|expr| Word::nested(&expr, ctxt));
                self.nested = nested.map(|value| arg.opt(value));
            }
            "idempotent" => {
                let idempotent = one().and_then(|expr| flag(&name, &expr, ctxt));
                self.idempotent = idempotent.map(|value| arg.opt(value));
            }
            "key" => self.key = one().filter(|expr| is_key(expr, ctxt)),
            "fallback" => self.fallback = fallback::parse(arg, form, ctxt),
            "resource" => {
                let resources = several().map(|group| resource::parse(&group, ctxt));
                self.resources = resources.unwrap_or_default();
            }
            "reject_with" => self.reject_with = function(arg, form, ctxt),
            "classify" => self.classify = function(arg, form, ctxt),
            "retry_if" => self.retry_if = function(arg, form, ctxt),
            "retry_if_ok" => self.retry_if_ok = function(arg, form, ctxt),
            "before_retry" => self.before_retry = function(arg, form, ctxt),
            "boxed" => match arg.value {
                RawValue::None => self.boxed = Some(arg.name.clone()),
                _ => ctxt.error(arg, "`boxed` has no value: write `boxed`, or leave it out"),
            },
            "fields" => {
                let fields = several().map(|group| fields::parse(&group, ctxt));
                self.fields = fields.unwrap_or_default();
            }
            "require" => {
                let requirement = several().and_then(|group| require::parse(&group, ctxt));
                self.require.extend(requirement);
            }
            "crate" => self.krate = one().and_then(|expr| krate(&expr, ctxt)),
            // `parse` lets no other name through.
            _ => ctxt.error(&arg.name, format!("unknown option `{name}`")),
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
        !is_written_off(self.breaker.as_ref())
            || !is_written_off(self.timeout.as_ref())
            || is_written_on(self.deadline.as_ref())
            || is_written_on(self.rate_limit.as_ref())
            || is_written_on(self.bulkhead.as_ref())
            || !self.require.is_empty()
            || !self.resources.is_empty()
    }
}

/// `service = "..", operation = ".."`
fn text(arg: &RawArg, form: &str, ctxt: &Ctxt) -> Option<Opt<Expr>> {
    let expr = expr(arg, form, ctxt)?;
    category::text(&arg.name.to_string(), &expr, ctxt).map(|value| arg.opt(value))
}

/// Whether it can tell one call from another.
fn is_key(expr: &Expr, ctxt: &Ctxt) -> bool {
    match grammar::peel(expr) {
        Expr::Lit(lit) => {
            let (quotes, written) = match &lit.lit {
                Lit::Str(text) if syn::parse_str::<Expr>(&text.value()).is_ok() => {
                    (", without quotes", text.value())
                }
                _ => ("", "tenant".to_owned()),
            };
            let message = format!("`key` is an expression over the arguments{quotes}");
            wrong(ctxt, expr, &format!("{message}: write `key = {written}`"))
        }
        _ if is_off(expr) => wrong(ctxt, expr, "there is no key where none is written"),
        _ => true,
    }
}

fn is_written_off<T>(option: Option<&Opt<Switch<T>>>) -> bool {
    matches!(
        option,
        Some(Opt {
            value: Switch::Off,
            ..
        })
    )
}

fn is_written_on<T>(option: Option<&Opt<Switch<T>>>) -> bool {
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
    fn options_of_every_form_are_read() {
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
