use resilience::Classify;

#[derive(Classify)]
enum E {
    #[classify(network)]
    A,
    #[classify(category = network)]
    B,
    #[classify(category = "network", severity = high)]
    C,
    #[classify(permanent)]
    D,
    #[classify("network")]
    F,
    #[classify(retryable = "false")]
    G,
    #[classify(retry_after_ms = 500)]
    H,
    #[classify(category)]
    I,
}

fn main() {}
