use resilience::resilient;

#[resilient]
async fn f() -> Answer {
    Ok(1)
}

struct Plain;
type Answer = Result<u32, Plain>;

fn main() {}
