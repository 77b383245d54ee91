use resilience::{Error, resilient};

#[resilient(fields(document))]
async fn f(document: &Document) -> Result<usize, Error> {
    Ok(1)
}

struct Document;

fn main() {}
