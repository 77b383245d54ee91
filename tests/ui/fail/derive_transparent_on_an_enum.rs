use resilience::Classify;

#[derive(Classify)]
#[classify(transparent)]
enum E {
    A(std::io::Error),
}

fn main() {}
