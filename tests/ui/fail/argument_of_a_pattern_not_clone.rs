use resilience::{Error, resilient};

struct Queue(u32);

#[resilient]
async fn f((queue, more): (Queue, u32)) -> Result<u32, Error> {
    Ok(queue.0 + more)
}

fn main() {}
