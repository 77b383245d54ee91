use resilience::{Error, resilient};

struct Document;

#[resilient(fields(list = %list, document = ?document))]
async fn f(list: &[u32], document: &Document) -> Result<usize, Error> {
    let _ = document;
    Ok(list.len())
}

fn main() {}
