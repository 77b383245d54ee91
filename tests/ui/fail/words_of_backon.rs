use resilience::{Error, resilient};

#[resilient(with_max_times = 3, with_min_delay = "1s", notify = |_| ())]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
