use resilience::Classify;

#[derive(Classify)]
enum E {
    #[classify(transient)]
    A,
}

fn main() {}
