use resilience::Classify;

#[derive(Classify)]
enum E {
    #[classify]
    A,
}

fn main() {}
