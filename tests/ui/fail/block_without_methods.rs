use resilience::resilient;

struct Client;

#[resilient]
impl Client {
    fn get(&self) -> u32 {
        1
    }
}

fn main() {}
