use resilience::Classify;

#[derive(Classify)]
enum E {
    #[classify(category = "rate_limit", retry_after = wait)]
    A { after: std::time::Duration },
}

fn main() {}
