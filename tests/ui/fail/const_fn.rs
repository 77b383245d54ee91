use resilience::fail_fast;

#[fail_fast]
const fn f() -> Result<u32, u32> {
    Ok(1)
}

fn main() {}
