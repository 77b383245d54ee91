use resilience::Classify;

#[derive(Classify)]
#[classify(category = "rate_limit", retryable = false, retry_after = "1s")]
enum E {
    A,
    #[classify(retry_after = wait)]
    B { after: std::time::Duration },
}

fn main() {}
