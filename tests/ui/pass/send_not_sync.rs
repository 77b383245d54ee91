//! Arguments need not be `Sync`, and what is not `Send` runs on a local executor.

use std::cell::Cell;
use std::rc::Rc;

use crate::support::{Failure, block_on, spawn};
use resilience::resilient;

#[resilient(retries = 1)]
async fn cell(counter: Cell<u8>) -> Result<u8, Failure> {
    tokio::task::yield_now().await;
    Ok(counter.get())
}

#[resilient(retries = 1)]
async fn generic<T: Clone + Send>(value: T) -> Result<T, Failure> {
    tokio::task::yield_now().await;
    Ok(value)
}

struct Client(Cell<u8>);

impl Client {
    #[resilient(retries = 1)]
    async fn unique(&mut self, value: Cell<u8>) -> Result<u8, Failure> {
        tokio::task::yield_now().await;
        self.0.set(self.0.get() + value.get());
        Ok(self.0.get())
    }
}

#[resilient(retries = 1)]
async fn local(value: Rc<u8>) -> Result<Rc<u8>, Failure> {
    tokio::task::yield_now().await;
    Ok(value)
}

#[test]
fn runs() {
    assert_eq!(spawn(cell(Cell::new(1))), Ok(1));
    assert_eq!(spawn(generic(Cell::new(2))).unwrap().get(), 2);
    assert_eq!(
        spawn(async { Client(Cell::new(1)).unique(Cell::new(2)).await }),
        Ok(3)
    );
    assert_eq!(block_on(local(Rc::new(4))), Ok(Rc::new(4)));
}
