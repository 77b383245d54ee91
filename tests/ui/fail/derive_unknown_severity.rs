use resilience::Classify;

#[derive(Classify)]
enum E {
    #[classify(category = "network", severity = "hihg")]
    A,
}

fn main() {}
