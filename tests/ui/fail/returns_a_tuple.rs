use resilience::fail_fast;

#[fail_fast]
async fn f(prompt: &str) -> (usize, &str) {
    (prompt.len(), prompt)
}

fn main() {}
