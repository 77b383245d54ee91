async fn push(&mut self, rows: Vec<Row>, log: &mut Log) -> Result<(), PushError> {
    let mut __resilience_call = {
        enum __ResilienceHere {}
        static __RESILIENCE_SITE: ::resilience::__private::Site = ::resilience::__private::Site::new(
            "push",
            ::core::any::type_name::<__ResilienceHere>,
            ::core::file!(),
            ::core::line!(),
            ::core::column!(),
            ::resilience::__private::Options::resilient(),
        );
        ::resilience::__private::inventory::submit! {
            ::resilience::__private::Registered(& __RESILIENCE_SITE)
        }
        ::resilience::__private::begin::<Result<(), PushError>>(&__RESILIENCE_SITE)
    };
    loop {
        let __resilience_out = {
            #[allow(clippy::shadow_reuse, elided_lifetimes_in_paths)]
            let rows = ::resilience::__private::reuse::<Vec<Row>>(&rows);
            #[allow(clippy::shadow_reuse, clippy::shadow_same)]
            let log = &mut *log;
            let __resilience_attempt = ::core::pin::pin(async {
                if false {
                    return ::resilience::__private::never::<Result<(), PushError>>();
                }
                let _ = &mut *self;
                #[allow(clippy::used_underscore_binding, clippy::shadow_same)]
                let mut rows = rows;
                #[allow(clippy::used_underscore_binding, clippy::shadow_same)]
                let log = log;
                #[allow(unused_braces)] { self.send(rows.pop(), log).await }
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
            ::resilience::__private::reject::<PushError>(),
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
