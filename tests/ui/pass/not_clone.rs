//! An argument that is not `Clone` is moved where there is one attempt.

use std::sync::mpsc::Receiver;

use crate::support::{Failure, block_on, spawn};
use resilience::{fail_fast, resilient};

#[resilient(retries = 0)]
async fn first(queue: Receiver<u8>) -> Result<u8, Failure> {
    Ok(queue.recv().unwrap())
}

#[fail_fast]
async fn through(queue: Option<&mut Receiver<u8>>) -> Result<u8, Failure> {
    Ok(queue.unwrap().recv().unwrap())
}

#[test]
fn runs() {
    let (send, mut queue) = std::sync::mpsc::channel();
    send.send(1).unwrap();
    send.send(2).unwrap();
    assert_eq!(block_on(through(Some(&mut queue))), Ok(1));
    assert_eq!(spawn(first(queue)), Ok(2));
}
