use resilience::Classify;

#[derive(Classify)]
enum E {
    #[classify(category = "rate_limit", retry_after = 5)]
    A,
}

fn main() {}
