//! Our own functions as subjects of checks: annotated as those of `benches/guard`, with the settings
//! of those, in a runtime of their own.

use std::pin::Pin;

use guard::ours::{Failed, SETTINGS};
use resilience::{Runtime, Settings};

use crate::check::Numbers;

/// Calls a function of [`tested`] with these numbers.
pub fn call<F: Future<Output = Result<u64, Failed>> + 'static>(
    function: fn(u64) -> F,
    numbers: Numbers,
) -> impl FnMut(u64) -> Pin<Box<dyn Future<Output = F::Output>>> {
    let runtime = Runtime::builder().settings(settings(numbers)).build();
    move |x| {
        let runtime = runtime.clone();
        Box::pin(async move { runtime.scope(function(x)).await })
    }
}

/// The settings of the measured functions, with these numbers instead of those that are large there.
fn settings(numbers: Numbers) -> Settings {
    let Numbers {
        timeout,
        limit,
        per,
        concurrency,
    } = numbers;
    let text = SETTINGS
        .replace("\"5s\"", &format!("\"{}ms\"", timeout.as_millis()))
        .replace("1000000000/1s", &format!("{limit}/{}s", per.as_secs()))
        .replace("burst = 1_000_000_000", &format!("burst = {limit}"))
        .replace("concurrency = 100", &format!("concurrency = {concurrency}"));
    let settings = Settings::loader()
        .text("settings.toml", &text)
        .variables::<String, String>([])
        .load();
    settings.unwrap_or_else(|problems| unreachable!("only numbers differ: {problems}"))
}

/// By service.
pub mod tested {
    use guard::ours::Failed;
    use resilience::resilient;

    use crate::body;

    macro_rules! tested {
        ($($name:ident: $service:literal $(, $retries:ident = $none:literal)?;)+) => {$(
            #[resilient(service = $service $(, $retries = $none)?)]
            pub async fn $name(x: u64) -> Result<u64, Failed> {
                body::tested(x).await.map_err(|_| Failed::Down)
            }
        )+};
    }

    tested! {
        timeout: "timeout", retries = 0;
        retry: "retry";
        breaker: "breaker", retries = 0;
        rate_limit: "rate-limit", retries = 0;
        bulkhead: "bulkhead", retries = 0;
        stack: "stack";
        stack_rate_limit: "stack-rate-limit";
        stack_bulkhead: "stack-bulkhead";
        refused: "refused", retries = 0;
        failing: "failing";
    }
}
