use resilience::Classify;

#[derive(Classify)]
enum E {
    #[classify(category = "rate_limit", retry_after = after)]
    A { after: u64 },
}

fn main() {}
