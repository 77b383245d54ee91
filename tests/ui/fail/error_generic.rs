use resilience::resilient;

#[resilient]
async fn f<E>() -> Result<u32, E> {
    Ok(1)
}

fn main() {}
