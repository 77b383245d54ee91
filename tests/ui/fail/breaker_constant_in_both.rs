use resilience::{Category, Error, resilient};

const BILLING: Category = Category::custom("billing");
const PAYMENTS: Category = Category::custom("billing");

#[resilient(breaker(ignore(BILLING), record(PAYMENTS)))]
async fn f(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

fn main() {}
