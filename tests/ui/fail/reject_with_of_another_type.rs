use resilience::resilient;

#[resilient(reject_with = Plain::new)]
async fn f() -> Result<u32, Plain> {
    Ok(1)
}

struct Plain;

impl Plain {
    fn new() -> Self {
        Self
    }
}

fn main() {}
