async fn generate(prompt: String, tokens: u64) -> anyhow::Result<String> {
    let mut __resilience_call = {
        enum __ResilienceHere {}
        static __RESILIENCE_SITE: ::resilience::__private::Site = ::resilience::__private::Site::new(
            "generate",
            ::core::any::type_name::<__ResilienceHere>,
            ::core::file!(),
            ::core::line!(),
            ::core::column!(),
            ::resilience::__private::Options::fail_fast()
                .service("llm_provider")
                .resources(&["llm_tokens"]),
        );
        ::resilience::__private::inventory::submit! {
            ::resilience::__private::Registered(& __RESILIENCE_SITE)
        }
        ::resilience::__private::begin::<anyhow::Result<String>>(&__RESILIENCE_SITE)
    };
    ::resilience::__private::Call::resource(
        &mut __resilience_call,
        "llm_tokens",
        ::resilience::__private::amount(tokens),
    );
    ::resilience::__private::Call::record(
        &mut __resilience_call,
        ::resilience::__private::Fields::new()
            .add("tokens", ::resilience::__private::recorded(&tokens))
            .display("prompt", &(shortened(&prompt))),
    );
    ::resilience::__private::Call::require(
        &mut __resilience_call,
        ::resilience::__private::Unmet::new()
            .require(
                !prompt.is_empty(),
                "prompt",
                ::core::format_args!("must not be empty"),
            ),
    );
    let __resilience_out = {
        let __resilience_attempt = ::core::pin::pin(async move {
            if false {
                return ::resilience::__private::never::<anyhow::Result<String>>();
            }
            #[allow(unused_braces)] { complete(prompt, tokens).await }
        });
        ::resilience::__private::Call::watch(
                &mut __resilience_call,
                __resilience_attempt,
            )
            .await
    };
    let __resilience_how = ::resilience::__private::How::rejecting(
        &__resilience_call,
        ::resilience::__private::probe(&__resilience_call).__resilience_look(),
        ::resilience::__private::reject_in::<anyhow::Result<String>>(),
    );
    ::resilience::__private::Call::end(
        &mut __resilience_call,
        __resilience_out,
        __resilience_how,
    )
}
