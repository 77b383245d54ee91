use resilience::Classify;

#[derive(Classify)]
enum E {
    #[classify(categroy = "network")]
    A,
}

fn main() {}
