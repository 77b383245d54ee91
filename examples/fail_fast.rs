//! The strict form: requirements first, one attempt, and an open circuit answers at once.

use resilience::{ErrorKind, fail_fast};

#[fail_fast(
    service = "llm_provider",
    timeout = "30s",
    breaker(failure_threshold = 3),
    require(!prompt.is_empty(), field = "prompt", "must not be empty"),
    require(max_tokens <= 4096, field = "max_tokens", "must be at most 4096, is {max_tokens}")
)]
async fn generate(prompt: &str, max_tokens: u32) -> Result<String, resilience::Error> {
    // A provider that never answers in time stands in for one that is down.
    tokio::time::sleep(std::time::Duration::from_secs(u64::from(max_tokens))).await;
    Ok(prompt.to_uppercase())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // Every requirement that is not met, in one answer.
    let error = generate("", 5000).await.unwrap_err();
    println!("for developers: {error}");
    println!("for people:     {}", error.user_message());

    println!(
        "it works:       {}",
        generate("hello", 1).await.expect("one second is in time")
    );

    for call in 1..=4 {
        let error = generate("hello", 60).await.unwrap_err();
        match error.kind() {
            ErrorKind::TimedOut(timed_out) => {
                println!("call {call}:         gave up after {:?}", timed_out.limit);
            }
            ErrorKind::CircuitOpen {
                retry_in: Some(retry_in),
                ..
            } => {
                println!("call {call}:         not made, the next one can be in {retry_in:?}");
            }
            kind => println!("call {call}:         {kind:?}"),
        }
    }
}
