use resilience::Classify;

#[derive(Classify)]
enum E {
    #[classify(category = "netwrok")]
    A,
}

fn main() {}
