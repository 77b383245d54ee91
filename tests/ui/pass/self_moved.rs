//! `self` can be given away where there is one attempt.

use crate::support::{Failure, Flaky, block_on};
use resilience::{fail_fast, resilient};

static DEPENDENCY: Flaky = Flaky::new(2);

struct Builder {
    parts: Vec<u8>,
}

impl Builder {
    #[fail_fast(timeout = "1s")]
    async fn build(self) -> Result<Vec<u8>, Failure> {
        DEPENDENCY.run()?;
        Ok(self.parts)
    }

    #[resilient(retries = 0)]
    async fn build_mut(mut self, part: u8) -> Result<Vec<u8>, Failure> {
        DEPENDENCY.run()?;
        self.parts.push(part);
        Ok(self.parts)
    }

    #[fail_fast]
    async fn through(&mut self) -> Result<usize, Failure> {
        let me = self;
        me.parts.push(0);
        Ok(me.parts.len())
    }

    #[resilient(retries = 0)]
    async fn boxed(self: Box<Self>) -> Result<Vec<u8>, Failure> {
        let this = *self;
        Ok(this.parts)
    }
}

#[test]
fn runs() {
    block_on(async {
        assert!(Builder { parts: vec![] }.build().await.is_err());
        assert!(Builder { parts: vec![] }.build_mut(2).await.is_err());
        assert_eq!(DEPENDENCY.runs(), 2);
        assert_eq!(Builder { parts: vec![1] }.build().await, Ok(vec![1]));
        assert_eq!(
            Builder { parts: vec![1] }.build_mut(2).await,
            Ok(vec![1, 2])
        );
        assert_eq!(Builder { parts: vec![1] }.through().await, Ok(2));
        assert_eq!(
            Box::new(Builder { parts: vec![] }).boxed().await,
            Ok(vec![])
        );
    });
}
