use resilience::Classify;

#[derive(Classify)]
enum E {
    #[classify(category = "network", retryable, severity = "critical")]
    A,
}

fn main() {}
