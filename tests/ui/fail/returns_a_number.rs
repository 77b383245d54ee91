use resilience::resilient;

#[resilient]
async fn f() -> u32 {
    1
}

fn main() {}
