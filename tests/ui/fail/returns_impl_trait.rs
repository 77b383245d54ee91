use resilience::resilient;

#[resilient]
async fn f() -> impl std::fmt::Debug {
    Ok::<u32, std::io::Error>(1)
}

fn main() {}
