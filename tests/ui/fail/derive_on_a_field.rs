use resilience::Classify;

#[derive(Classify)]
enum E {
    Io(#[classify(transparent)] std::io::Error),
}

fn main() {}
