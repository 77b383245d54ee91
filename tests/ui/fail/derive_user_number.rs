use resilience::Classify;

#[derive(Classify)]
#[classify(category = "rate_limit", user = "Wait for {1} seconds, not {0}.")]
struct Busy(u32);

#[derive(Classify)]
#[classify(category = "rate_limit", user = "Wait for {0} seconds.")]
struct Named {
    seconds: u32,
}

fn main() {}
