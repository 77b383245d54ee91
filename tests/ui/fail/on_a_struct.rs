use resilience::resilient;

#[resilient]
struct Client;

fn main() {}
