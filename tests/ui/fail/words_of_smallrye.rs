use resilience::{Error, resilient};

#[resilient(delay = 400, delayUnit = "ms", requestVolumeThreshold = 20, abortOn = 1)]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
