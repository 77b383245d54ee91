//! The expansion finds what it needs whatever the user's names are.
#![no_implicit_prelude]
#![allow(dead_code, unused_macros, nonstandard_style)]
#![allow(missing_docs, missing_debug_implementations, unreachable_pub)]
#![allow(clippy::all, clippy::pedantic)]

mod core {}
mod std {}
mod tokio {}
mod resilience {}

/// Every prelude name means something else here.
pub struct Result;
pub struct Option;
pub struct Box;
pub struct Ok;
pub struct Err;
pub struct Some;
pub struct None;
pub struct String;
pub struct Future;
pub struct Clone;
pub struct Send;
pub struct From;
pub struct Default;
pub struct Call;
pub struct Site;
pub struct Step;
pub struct u32;
pub struct bool;
pub struct str;

/// Hijacked macros.
macro_rules! concat {
    ($($t:tt)*) => {
        ::core::compile_error!("hijacked")
    };
}
macro_rules! file {
    () => {
        ::core::compile_error!("hijacked")
    };
}
macro_rules! line {
    () => {
        ::core::compile_error!("hijacked")
    };
}
macro_rules! pin {
    ($($t:tt)*) => {
        ::core::compile_error!("hijacked")
    };
}
macro_rules! format_args {
    ($($t:tt)*) => {
        ::core::compile_error!("hijacked")
    };
}
macro_rules! submit {
    ($($t:tt)*) => {
        ::core::compile_error!("hijacked")
    };
}

/// Methods on everything, with the names of ours.
trait Evil {
    fn next(&self, _: ()) {}
    fn finish(&self, _: ()) {}
    fn watch(&self, _: ()) {}
    fn pause(&self, _: ()) {}
    fn record(&self, _: ()) {}
    fn require(&self, _: ()) {}
    fn category(&self, _: ()) {}
    fn retries(&self, _: ()) {}
    fn timeout(&self, _: ()) {}
    fn add(&self, _: ()) {}
    fn display(&self, _: ()) {}
    fn clone(&self, _: ()) {}
    fn into(&self, _: ()) {}
    fn answer(&self, _: ()) {}
    fn amount(&self, _: ()) {}
    fn key(&self, _: ()) {}
    fn end(&self, _: ()) {}
    fn limit(&self, _: ()) {}
    fn keep(&self, _: ()) {}
}

impl<T: ?::core::marker::Sized> Evil for T {}

// Constants would be patterns where generated code binds a variable of their name.
const call: () = ();
const out: () = ();
const how: () = ();
const attempt: () = ();
static SITE: () = ();

mod plain {
    pub type R = ::core::result::Result<::core::primitive::u8, ::resilience::Error>;
}

#[::resilience::resilient(
    category = "network",
    service = "s",
    operation = "hygiene",
    retries = 1,
    backoff(initial = "1s", max = "2s", factor = 2, jitter = "none"),
    timeout = "1s",
    deadline = "2s",
    rate_limit(limit = "9/1s", burst = 9, max_wait = "1s", exact = true),
    bulkhead(concurrency = 9, queue = 9),
    budget(ratio = 0.5, min_per_second = 1),
    nested = "retry",
    idempotent = true,
    key = text,
    fallback([instead, instead_later], on("network", "circuit_open")),
    breaker(failure_threshold = 3, success_threshold = 1, wait_duration = "1s", distinct_calls = 1),
    fields(text, shown = %text, debug = ?text),
    retry_if = |_| true,
    retry_if_ok = |_| false,
    before_retry = |_| {},
    classify = classify,
    reject_with = reject,
)]
async fn everything(text: ::std::string::String) -> plain::R {
    ::core::result::Result::Ok(text.len() as ::core::primitive::u8)
}

fn instead(_: ::std::string::String, error: ::resilience::Error) -> plain::R {
    ::core::result::Result::Err(error)
}

async fn instead_later(_: ::std::string::String, error: ::resilience::Error) -> plain::R {
    ::core::result::Result::Err(error)
}

fn classify(_: &::resilience::Error) -> ::resilience::Classification {
    ::resilience::Classification::unknown()
}

fn reject(error: ::resilience::Error) -> ::resilience::Error {
    error
}

#[::resilience::resilient(boxed)]
async fn boxed(text: ::std::string::String) -> plain::R {
    ::core::result::Result::Ok(text.len() as ::core::primitive::u8)
}

#[::resilience::fail_fast(
    require(n > 0, field = "n", "must be above {}", 0),
    resource(hygiene = n, more = 1),
    key = n,
    fallback = |_, error| ::core::result::Result::Err(error),
    fields(n)
)]
async fn once(n: ::core::primitive::u8) -> plain::R {
    ::core::result::Result::Ok(n)
}

struct Client(::core::primitive::u8);

impl Client {
    #[::resilience::resilient(retries = 1)]
    async fn send(&mut self, mut n: ::core::primitive::u8) -> plain::R {
        n += self.0;
        ::core::result::Result::Ok(n)
    }
}

#[derive(::resilience::Classify)]
#[classify(user = "It has failed.")]
enum Failure {
    #[classify(category = "rate_limit", severity = "high", retry_after = wait, user = "Wait {wait:?}.")]
    Busy { wait: ::std::time::Duration },
    #[classify(transparent)]
    Ours(::resilience::Error),
    #[classify(category = "conflict", retryable)]
    Locked,
}

/// Items in the body do not meet ours.
#[::resilience::resilient]
async fn items() -> plain::R {
    static __RESILIENCE_SITE: ::core::primitive::u8 = 4;
    fn __resilience_path() -> ::core::primitive::u8 {
        __RESILIENCE_SITE
    }
    ::core::result::Result::Ok(__resilience_path())
}

#[test]
fn m16_the_expansion_is_not_fooled_by_the_users_names() {
    let runtime = ::tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.unwrap().block_on(async {
        ::core::assert_eq!(
            everything(::std::borrow::ToOwned::to_owned("abc"))
                .await
                .unwrap(),
            3
        );
        ::core::assert_eq!(
            boxed(::std::borrow::ToOwned::to_owned("ab")).await.unwrap(),
            2
        );
        ::core::assert_eq!(once(1).await.unwrap(), 1);
        ::core::assert_eq!(Client(1).send(2).await.unwrap(), 3);
        ::core::assert_eq!(items().await.unwrap(), 4);
        let wait = ::std::time::Duration::from_secs(1);
        let message = ::resilience::Classify::user_message(&Failure::Busy { wait });
        ::core::assert_eq!(message.as_deref(), ::core::option::Option::Some("Wait 1s."));
    });
}
