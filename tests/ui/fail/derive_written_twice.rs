use resilience::Classify;

#[derive(Classify)]
enum E {
    #[classify(category = "network")]
    #[classify(category = "memory")]
    A,
}

fn main() {}
