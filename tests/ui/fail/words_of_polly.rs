use resilience::{Error, resilient};

#[resilient(MaxRetryAttempts = 3, SamplingDuration = "10s", ShouldHandle = |_| true)]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
