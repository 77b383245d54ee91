use resilience::fail_fast;

#[fail_fast]
async fn f() -> Option<u32> {
    Some(1)
}

fn main() {}
