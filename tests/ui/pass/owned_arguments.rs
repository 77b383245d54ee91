//! Every attempt gets an equal value of an owned argument, which it may consume.

use crate::support::{Failure, Flaky, block_on, spawn};
use resilience::resilient;

static DEPENDENCY: Flaky = Flaky::new(2);

#[resilient(retries = 2)]
async fn consume(text: String, mut list: Vec<u8>, number: u64) -> Result<usize, Failure> {
    assert_eq!(list, [1, 2]);
    list.push(3);
    let bytes = text.into_bytes();
    DEPENDENCY.run()?;
    Ok(bytes.len() + list.len() + usize::try_from(number).unwrap())
}

struct Client;

impl Client {
    #[resilient(retries = 1)]
    async fn send(&mut self, mut text: String, list: Vec<u8>) -> Result<usize, Failure> {
        text.push('x');
        drop(list);
        Ok(text.len())
    }
}

#[test]
fn runs() {
    assert_eq!(spawn(consume("ab".into(), vec![1, 2], 7)), Ok(12));
    assert_eq!(DEPENDENCY.runs(), 3);
    assert_eq!(block_on(Client.send("ab".into(), vec![])), Ok(3));
}
