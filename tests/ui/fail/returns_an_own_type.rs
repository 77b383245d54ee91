use resilience::resilient;

struct Page<T>(T);

#[resilient]
async fn f(prompt: &str) -> Page<(usize, [u8; 2])> {
    Page((prompt.len(), [0; 2]))
}

fn main() {}
