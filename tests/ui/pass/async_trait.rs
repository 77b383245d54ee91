//! Methods under `#[async_trait]`: the loop goes inside the future that it makes.

use std::sync::Arc;

use async_trait::async_trait;
use resilience::{fail_fast, resilient};

use crate::support::{Failure, Flaky, block_on, spawn};

static SHARED: Flaky = Flaky::new(1);
static UNIQUE: Flaky = Flaky::new(2);
static COUNTED: Flaky = Flaky::new(1);

#[async_trait]
trait Store: Send + Sync {
    async fn shared(&self, key: String, mut n: u32) -> Result<String, Failure>;
    async fn unique(&mut self, (a, _): (u8, u8), out: &mut String) -> Result<u32, Failure>;
    async fn counted(self: Arc<Self>, key: &str) -> Result<usize, Failure>;
    async fn taken(self: Box<Self>) -> Result<u32, Failure>;

    #[resilient(retries = 1)]
    async fn default(&self, key: &str) -> Result<String, Failure> {
        self.shared(key.to_owned(), 0).await
    }
}

struct Memory {
    calls: u32,
}

#[async_trait]
impl Store for Memory {
    #[resilient(retries = 1)]
    async fn shared(&self, key: String, mut n: u32) -> Result<String, Failure> {
        n += 1;
        let key = key + &n.to_string();
        SHARED.run()?;
        Ok(key)
    }

    #[resilient(retries = 2)]
    async fn unique(&mut self, (a, _): (u8, u8), out: &mut String) -> Result<u32, Failure> {
        self.calls += u32::from(a);
        tokio::task::yield_now().await;
        out.push('x');
        UNIQUE.run()?;
        Ok(self.calls)
    }

    #[resilient(retries = 1)]
    async fn counted(self: Arc<Self>, key: &str) -> Result<usize, Failure> {
        let me = Arc::clone(&self);
        COUNTED.run()?;
        Ok(key.len() + Arc::strong_count(&me))
    }

    #[fail_fast]
    async fn taken(self: Box<Self>) -> Result<u32, Failure> {
        let Self { calls } = *self;
        Ok(calls)
    }
}

#[test]
fn runs() {
    let out = spawn(async {
        let mut store: Box<dyn Store> = Box::new(Memory { calls: 0 });
        assert_eq!(store.default("k").await.unwrap(), "k1");
        let mut out = String::new();
        assert_eq!(store.unique((1, 0), &mut out).await, Ok(3));
        assert_eq!(store.taken().await, Ok(3));
        out
    });
    assert_eq!(out, "xxx");
    assert!(block_on(Arc::new(Memory { calls: 0 }).counted("ab")).unwrap() >= 4);
    assert_eq!((SHARED.runs(), UNIQUE.runs(), COUNTED.runs()), (2, 3, 2));
    let path = format!("{}::Memory::unique", module_path!());
    assert!(resilience::sites().iter().any(|site| site.path == path));
}
