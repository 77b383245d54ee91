async fn price(item: Item) -> Result<Price, PriceError> {
    let mut __resilience_call = {
        enum __ResilienceHere {}
        static __RESILIENCE_SITE: ::resilience::__private::Site = ::resilience::__private::Site::new(
            "price",
            ::core::any::type_name::<__ResilienceHere>,
            ::core::file!(),
            ::core::line!(),
            ::core::column!(),
            ::resilience::__private::Options::resilient(),
        );
        ::resilience::__private::inventory::submit! {
            ::resilience::__private::Registered(& __RESILIENCE_SITE)
        }
        ::resilience::__private::begin::<Result<Price, PriceError>>(&__RESILIENCE_SITE)
    };
    let __resilience_error = match loop {
        let __resilience_out = {
            #[allow(clippy::shadow_reuse, elided_lifetimes_in_paths)]
            #[allow(unused_variables)]
            let item = ::resilience::__private::keep::<Item>(&item);
            let __resilience_attempt = ::core::pin::pin(async move {
                if false {
                    return ::resilience::__private::never::<Result<Price, PriceError>>();
                }
                #[allow(unused_braces)] { ask(item).await }
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
            ::resilience::__private::reject::<PriceError>(),
        );
        let __resilience_applies = ::resilience::__private::Call::falls_back(
            &__resilience_call,
            &__resilience_out,
            &__resilience_how,
            &[
                ::resilience::__private::On::Kind("circuit_open"),
                ::resilience::__private::On::Category(
                    ::resilience::__private::Category::NETWORK,
                ),
            ],
        );
        if let ::resilience::__private::Step::Done(__resilience_result) = ::resilience::__private::Call::next(
            &mut __resilience_call,
            __resilience_out,
            __resilience_how,
        ) {
            break (__resilience_result, __resilience_applies);
        }
    } {
        (::core::result::Result::Err(__resilience_error), true) => __resilience_error,
        (__resilience_result, _) => return __resilience_result,
    };
    let __resilience_answer = ::resilience::__private::Call::answer(
        &__resilience_call,
        replica(::resilience::__private::keep::<Item>(&item), __resilience_error),
    );
    let __resilience_answer = __resilience_answer.await;
    ::resilience::__private::Call::fell_back(
        &__resilience_call,
        1u32,
        &__resilience_answer,
    );
    let __resilience_error = match __resilience_answer {
        ::core::result::Result::Ok(__resilience_value) => {
            return ::core::result::Result::Ok(__resilience_value);
        }
        ::core::result::Result::Err(__resilience_error) => __resilience_error,
    };
    let __resilience_answer = ::resilience::__private::Call::answer(
        &__resilience_call,
        cached(item, __resilience_error),
    );
    let __resilience_answer = __resilience_answer.await;
    ::resilience::__private::Call::fell_back(
        &__resilience_call,
        2u32,
        &__resilience_answer,
    );
    __resilience_answer
}
