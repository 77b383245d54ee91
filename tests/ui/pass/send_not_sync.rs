//! Arguments need not be `Sync`, and what is not `Send` runs on a local executor.

use std::cell::Cell;
use std::rc::Rc;

use crate::support::{Failure, Flaky, block_on, spawn};
use resilience::{fail_fast, resilient};

static DEPENDENCY: Flaky = Flaky::new(1);
static METHOD: Flaky = Flaky::new(1);

#[resilient(retries = 1)]
async fn cell(counter: Cell<u8>) -> Result<u8, Failure> {
    tokio::task::yield_now().await;
    DEPENDENCY.run()?;
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
        METHOD.run()?;
        self.0.set(self.0.get() + value.get());
        Ok(self.0.get())
    }
}

#[resilient(retries = 1)]
async fn local(value: Rc<u8>) -> Result<Rc<u8>, Failure> {
    tokio::task::yield_now().await;
    Ok(value)
}

/// The result need not be `Send` for the future to be: nothing of it lives across an await.
#[resilient(retries = 1)]
async fn result_not_send(n: u8) -> Result<Rc<u8>, Local> {
    tokio::task::yield_now().await;
    Ok(Rc::new(n))
}

#[fail_fast(fields(n))]
async fn result_not_send_once(n: u8) -> Result<Rc<u8>, Local> {
    tokio::task::yield_now().await;
    Ok(Rc::new(n))
}

#[allow(dead_code)]
struct Local(Rc<Failure>);

impl From<resilience::Error> for Local {
    fn from(error: resilience::Error) -> Self {
        Self(Rc::new(Failure::Rejected(error)))
    }
}

async fn number() -> u8 {
    let first = result_not_send(1).await.map_or(0, |n| *n);
    first + result_not_send_once(2).await.map_or(0, |n| *n)
}

#[test]
fn runs() {
    assert_eq!(spawn(number()), 3);
    assert_eq!(spawn(cell(Cell::new(1))), Ok(1));
    assert_eq!(spawn(generic(Cell::new(2))).unwrap().get(), 2);
    assert_eq!(
        spawn(async { Client(Cell::new(1)).unique(Cell::new(2)).await }),
        Ok(3)
    );
    assert_eq!((DEPENDENCY.runs(), METHOD.runs()), (2, 2));
    assert_eq!(block_on(local(Rc::new(4))), Ok(Rc::new(4)));
}
