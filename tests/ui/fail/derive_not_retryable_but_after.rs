use resilience::Classify;

#[derive(Classify)]
enum E {
    #[classify(category = "network", retryable = false, retry_after = "1s")]
    A,
}

fn main() {}
