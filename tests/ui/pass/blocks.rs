//! An attribute on an `impl` block or a trait: defaults for its methods.

use async_trait::async_trait;
use resilience::resilient;

use crate::support::{Failure, Flaky, block_on};

struct Client {
    flaky: Flaky,
}

#[resilient(
    category = "network",
    retries = 3,
    backoff(initial = "1s"),
    idempotent = true
)]
impl Client {
    const LIMIT: usize = { 3 };

    fn new(failures: u32) -> Self {
        Self {
            flaky: Flaky::new(failures),
        }
    }

    async fn default(&mut self) -> Result<u32, Failure> {
        self.flaky.run()
    }

    #[resilient(retries = 1)]
    async fn own(&self, text: String) -> Result<usize, Failure> {
        self.flaky.run()?;
        Ok(text.len() + Self::LIMIT)
    }

    /// Of the defaults, those about retries do not apply.
    #[resilient(retries = 0)]
    async fn moved(self) -> Result<u32, Failure> {
        self.flaky.run()
    }

    #[resilient(skip)]
    async fn skipped(&self) -> Result<u32, Failure> {
        self.flaky.run()
    }

    async fn no_result(&self) -> u32 {
        self.flaky.runs()
    }

    #[resilience::fail_fast(timeout = "1s")]
    async fn once(self) -> Result<u32, Failure> {
        self.flaky.run()
    }
}

struct Guarded;

#[resilience::fail_fast(
    require(text.len() > 1, field = "text", "must be longer"),
    require(text.len() < 4, field = "text", "must be shorter")
)]
impl Guarded {
    async fn length(&self, text: &str) -> Result<usize, Failure> {
        Ok(text.len())
    }

    #[resilience::fail_fast(timeout = "1s")]
    async fn length_in_time(&self, text: &str) -> Result<usize, Failure> {
        Ok(text.len())
    }
}

#[resilient(retries = 1)]
#[allow(async_fn_in_trait)]
trait Fetch {
    async fn fetch(&self) -> Result<u32, Failure>;

    async fn fetch_twice(&self) -> Result<u32, Failure> {
        self.fetch().await?;
        self.fetch().await
    }
}

impl Fetch for Client {
    async fn fetch(&self) -> Result<u32, Failure> {
        self.flaky.run()
    }
}

#[async_trait]
trait Below {
    async fn below(&mut self, text: String) -> Result<usize, Failure>;
}

#[resilient(retries = 2)]
#[async_trait]
impl Below for Client {
    async fn below(&mut self, text: String) -> Result<usize, Failure> {
        self.flaky.run()?;
        Ok(text.len())
    }
}

#[async_trait]
trait Above {
    async fn above(&mut self, text: String) -> Result<usize, Failure>;
}

#[async_trait]
#[resilient(retries = 2)]
impl Above for Client {
    async fn above(&mut self, text: String) -> Result<usize, Failure> {
        self.flaky.run()?;
        Ok(text.len())
    }
}

#[test]
fn runs() {
    block_on(async {
        let mut client = Client::new(3);
        assert_eq!(client.default().await, Ok(4));
        let client = Client::new(9);
        assert!(client.own("a".into()).await.is_err());
        assert_eq!(client.no_result().await, 2);
        assert!(client.skipped().await.is_err());
        assert_eq!(client.no_result().await, 3);
        assert!(client.once().await.is_err());
        assert!(Client::new(1).moved().await.is_err());
        for wrong in ["a", "abcd"] {
            assert!(Guarded.length(wrong).await.is_err());
            assert!(Guarded.length_in_time(wrong).await.is_err());
        }
        assert_eq!(Guarded.length_in_time("abc").await, Ok(3));
        let client = Client::new(1);
        assert_eq!(client.fetch_twice().await, Ok(3));
        let mut client = Client::new(2);
        assert_eq!(client.below("ab".into()).await, Ok(2));
        let mut client = Client::new(2);
        assert_eq!(client.above("ab".into()).await, Ok(2));
    });
}
