use resilience::Classify;

#[derive(Classify)]
enum E {
    #[classify(transparent)]
    A(std::io::Error, u8),
}

fn main() {}
