//! A `&mut self` method is retried, and its future can be spawned.

use crate::support::{Failure, Flaky, block_on, spawn};
use resilience::resilient;

static DEPENDENCY: Flaky = Flaky::new(2);

struct Client {
    calls: u32,
}

impl Client {
    #[resilient(retries = 3)]
    async fn send(&mut self, text: &str) -> Result<u32, Failure> {
        self.calls += 1;
        tokio::task::yield_now().await;
        assert_eq!(text, "text");
        DEPENDENCY.run()
    }

    #[resilient(retries = 1)]
    async fn typed(self: &mut Self, owned: String) -> Result<usize, Failure> {
        self.calls = 0;
        Ok(owned.len())
    }
}

#[test]
fn runs() {
    let mut client = Client { calls: 0 };
    let client = spawn(async move {
        assert_eq!(client.send("text").await, Ok(3));
        client
    });
    assert_eq!((client.calls, DEPENDENCY.runs()), (3, 3));
    let mut client = client;
    assert_eq!(block_on(client.typed("four".into())), Ok(4));
}
