use resilience::Classify;

#[derive(Classify)]
union E {
    a: u8,
}

fn main() {}
