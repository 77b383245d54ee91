use resilience::fail_fast;

#[fail_fast]
async fn f(text: &str) -> Result<u32, std::num::ParseIntError> {
    text.parse()
}

fn main() {}
