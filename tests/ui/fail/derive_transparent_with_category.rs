use resilience::Classify;

#[derive(Classify)]
enum E {
    #[classify(transparent, category = "network")]
    A(std::io::Error),
}

fn main() {}
