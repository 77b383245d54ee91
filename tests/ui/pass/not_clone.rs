//! An argument that is not `Clone` is moved where there is one attempt.

use std::sync::mpsc::Receiver;

use crate::support::{Failure, Flaky, block_on, spawn};
use resilience::{fail_fast, resilient};

static DEPENDENCY: Flaky = Flaky::new(2);

#[resilient(retries = 0)]
async fn first(queue: Receiver<u8>) -> Result<u8, Failure> {
    DEPENDENCY.run()?;
    Ok(queue.recv().unwrap())
}

#[fail_fast]
async fn through(queue: Option<&mut Receiver<u8>>) -> Result<u8, Failure> {
    DEPENDENCY.run()?;
    Ok(queue.unwrap().recv().unwrap())
}

#[test]
fn runs() {
    let (send, mut queue) = std::sync::mpsc::channel();
    send.send(1).unwrap();
    send.send(2).unwrap();
    let (_, empty) = std::sync::mpsc::channel();
    assert!(block_on(first(empty)).is_err());
    assert!(block_on(through(None)).is_err());
    assert_eq!(DEPENDENCY.runs(), 2);
    assert_eq!(block_on(through(Some(&mut queue))), Ok(1));
    assert_eq!(spawn(first(queue)), Ok(2));
}
