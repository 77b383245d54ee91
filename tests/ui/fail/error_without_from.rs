use resilience::resilient;

#[resilient]
async fn f() -> Result<u32, Plain> {
    Ok(1)
}

struct Plain;

fn main() {}
