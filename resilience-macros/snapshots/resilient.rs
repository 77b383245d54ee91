/// Fetches a page.
pub async fn fetch(
    url: &str,
    headers: Vec<String>,
    depth: u8,
) -> Result<String, FetchError> {
    let mut __resilience_call = {
        enum __ResilienceHere {}
        static __RESILIENCE_SITE: ::resilience::__private::Site = ::resilience::__private::Site::new(
            "fetch",
            ::core::any::type_name::<__ResilienceHere>,
            ::core::file!(),
            ::core::line!(),
            ::core::column!(),
            ::resilience::__private::Options::resilient()
                .category(::resilience::__private::Category::NETWORK)
                .retries(3)
                .timeout(::core::time::Duration::new(5u64, 0u32)),
        );
        ::resilience::__private::inventory::submit! {
            ::resilience::__private::Registered(& __RESILIENCE_SITE)
        }
        ::resilience::__private::begin::<Result<String, FetchError>>(&__RESILIENCE_SITE)
    };
    loop {
        let __resilience_out = {
            #[allow(clippy::shadow_reuse, elided_lifetimes_in_paths)]
            let headers = ::resilience::__private::reuse::<Vec<String>>(&headers);
            let __resilience_attempt = ::core::pin::pin(async move {
                if false {
                    return ::resilience::__private::never::<
                        Result<String, FetchError>,
                    >();
                }
                #[allow(unused_braces)] { get(url, headers, depth).await }
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
            ::resilience::__private::reject::<FetchError>(),
        );
        if let ::resilience::__private::Step::Done(__resilience_result) = ::resilience::__private::Call::next(
            &mut __resilience_call,
            __resilience_out,
            __resilience_how,
        ) {
            break __resilience_result;
        }
    }
}
