//! The static that describes the function, and the start of a call.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use crate::args::{Args, Attribute, Opt, Switch};
use crate::expand::call_at;
use crate::limits::{Budget, Bulkhead, Limit};
use crate::model::Model;
use crate::policy::{Backoff, Breaker, Wait, Window};
use crate::resource::Resource;

/// ```text
/// let mut call = {
///     enum Here {}
///     static SITE: Site = Site::new("f", type_name::<Here>, file!(), ..);
///     inventory::submit! { Registered(&SITE) }
///     begin::<Result<u64, E>>(&SITE)
/// };
/// ```
///
/// The items stand in a block of their own, since hygiene does not hide items: the body does not
/// see them.
pub(crate) fn begin(model: &Model, private: &TokenStream) -> TokenStream {
    let name = model.item.sig.ident.to_string();
    let name = name.strip_prefix("r#").unwrap_or(&name);
    let options = options(&model.args, private);
    // With the name's span, these macros give the place of the name.
    let place = quote_spanned! {model.item.sig.ident.span()=>
        ::core::file!(), ::core::line!(), ::core::column!()
    };
    // The one bound on the return type. Whoever returns no `Result` is told so right there.
    let site = quote_spanned!(Span::mixed_site()=> &__RESILIENCE_SITE);
    let begin = call_at(&model.output, private, "begin", site);
    quote_spanned! {Span::mixed_site()=>
        let mut __resilience_call = {
            enum __ResilienceHere {}
            static __RESILIENCE_SITE: #private::Site = #private::Site::new(
                #name,
                ::core::any::type_name::<__ResilienceHere>,
                #place,
                #options,
            );
            #private::inventory::submit! { #private::Registered(&__RESILIENCE_SITE) }
            #begin
        };
    }
}

/// `Options::resilient().retries(5)..`: the user's own names are the names of the methods, so the
/// compiler checks the values where they stand and an editor finds the documentation.
fn options(args: &Args, private: &TokenStream) -> TokenStream {
    let start = match args.attribute {
        Attribute::Resilient => quote!(#private::Options::resilient()),
        Attribute::FailFast => quote!(#private::Options::fail_fast()),
    };
    let mut chain = Chain(start);
    if args.attribute == Attribute::Resilient && args.one_attempt() {
        chain.0.extend(quote!(.one_attempt()));
    }
    if args.reject_with.is_none() && !args.can_reject() {
        chain.0.extend(quote!(.silent()));
    }
    chain.with(args.category.as_ref(), |category| category.tokens(private));
    chain.plain(args.service.as_ref());
    chain.plain(args.operation.as_ref());
    chain.plain(args.enabled.as_ref());
    chain.plain(args.retries.as_ref());
    chain.with(args.backoff.as_ref(), |backoff| {
        self::backoff(backoff, private)
    });
    chain.switch(args.timeout.as_ref(), ToTokens::to_token_stream);
    chain.switch(args.deadline.as_ref(), ToTokens::to_token_stream);
    chain.switch(args.breaker.as_ref(), |breaker| {
        self::breaker(breaker, private)
    });
    chain.switch(args.rate_limit.as_ref(), |limit| rate_limit(limit, private));
    chain.switch(args.bulkhead.as_ref(), |bulkhead| {
        self::bulkhead(bulkhead, private)
    });
    chain.switch(args.budget.as_ref(), |budget| self::budget(budget, private));
    chain.with(args.nested.as_ref(), |nested| nested.tokens(private));
    chain.plain(args.idempotent.as_ref());
    if !args.resources.is_empty() {
        let pools = args.resources.iter().map(Resource::pool);
        chain.0.extend(quote!(.resources(&[#(#pools),*])));
    }
    chain.0
}

fn backoff(backoff: &Backoff, private: &TokenStream) -> TokenStream {
    let mut chain = Chain(quote!(#private::BackoffOptions::new()));
    chain.plain(backoff.initial.as_ref());
    chain.plain(backoff.max.as_ref());
    chain.plain(backoff.factor.as_ref());
    chain.with(backoff.jitter.as_ref(), |jitter| jitter.tokens(private));
    chain.0
}

fn breaker(breaker: &Breaker, private: &TokenStream) -> TokenStream {
    let mut chain = Chain(quote!(#private::BreakerOptions::new()));
    chain.plain(breaker.failure_threshold.as_ref());
    chain.plain(breaker.distinct_calls.as_ref());
    chain.plain(breaker.failure_rate_threshold.as_ref());
    chain.plain(breaker.slow_call_duration.as_ref());
    chain.plain(breaker.slow_call_rate_threshold.as_ref());
    chain.with(breaker.window.as_ref(), |window| match window {
        Window::Count(count) => quote!(#private::Window::Count(#count)),
        Window::Time(time) => quote!(#private::Window::Time(#time)),
        Window::Expr(expr) => quote!(#expr),
    });
    chain.plain(breaker.minimum_calls.as_ref());
    chain.plain(breaker.success_threshold.as_ref());
    if let Some(Opt {
        name,
        value: Wait { first, longest },
    }) = &breaker.wait_duration
    {
        chain.0.extend(quote!(.#name(#first)));
        if let Some(longest) = longest {
            chain.0.extend(quote!(.wait_duration_max(#longest)));
        }
    }
    for list in [&breaker.ignore, &breaker.record] {
        chain.with(list.as_ref(), |listed| {
            let categories = listed.iter().map(|one| one.category.tokens(private));
            quote!(const { &[#(#categories),*] })
        });
    }
    chain.0
}

fn rate_limit(limit: &Limit, private: &TokenStream) -> TokenStream {
    let mut chain = Chain(quote!(#private::RateLimitOptions::new()));
    match limit {
        Limit::Expr(expr) => return expr.to_token_stream(),
        Limit::Short(rate) => chain.0.extend(quote!(.limit(#rate))),
        Limit::Long(limit) => {
            chain.plain(limit.limit.as_ref());
            chain.plain(limit.burst.as_ref());
            chain.plain(limit.max_wait.as_ref());
            chain.plain(limit.exact.as_ref());
        }
    }
    chain.0
}

fn bulkhead(bulkhead: &Bulkhead, private: &TokenStream) -> TokenStream {
    let mut chain = Chain(quote!(#private::BulkheadOptions::new()));
    chain.plain(bulkhead.concurrency.as_ref());
    chain.plain(bulkhead.queue.as_ref());
    chain.0
}

fn budget(budget: &Budget, private: &TokenStream) -> TokenStream {
    let mut chain = Chain(quote!(#private::BudgetOptions::new()));
    chain.plain(budget.ratio.as_ref());
    chain.plain(budget.min_per_second.as_ref());
    chain.0
}

/// A chain of method calls on a builder.
struct Chain(TokenStream);

impl Chain {
    fn plain<T: ToTokens>(&mut self, option: Option<&Opt<T>>) {
        self.with(option, ToTokens::to_token_stream);
    }

    fn with<T>(&mut self, option: Option<&Opt<T>>, value: impl FnOnce(&T) -> TokenStream) {
        if let Some(Opt {
            name,
            value: written,
        }) = option
        {
            let value = value(written);
            self.0.extend(quote!(.#name(#value)));
        }
    }

    fn switch<T>(
        &mut self,
        option: Option<&Opt<Switch<T>>>,
        value: impl FnOnce(&T) -> TokenStream,
    ) {
        match option {
            None => {}
            Some(Opt {
                name,
                value: Switch::Off,
            }) => {
                let off = quote::format_ident!("{name}_off", span = name.span());
                self.0.extend(quote!(.#off()));
            }
            Some(Opt {
                name,
                value: Switch::On(on),
            }) => {
                let value = value(on);
                self.0.extend(quote!(.#name(#value)));
            }
        }
    }
}
