//! `self: Arc<Self>` and its like stay with the call and serve every attempt.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use crate::support::{Failure, Flaky, block_on, spawn};
use resilience::resilient;

static DEPENDENCY: Flaky = Flaky::new(2);

struct Service {
    name: String,
}

impl Service {
    #[resilient(retries = 2)]
    async fn shared(self: Arc<Self>, suffix: String) -> Result<String, Failure> {
        tokio::task::yield_now().await;
        DEPENDENCY.run()?;
        let me = self.clone();
        Ok(me.name.clone() + &suffix)
    }

    #[resilient]
    async fn local(self: Rc<Self>) -> Result<usize, Failure> {
        Ok(self.name.len())
    }

    #[resilient]
    async fn owned(self: Box<Self>) -> Result<usize, Failure> {
        Ok(self.name.len())
    }

    #[resilient]
    async fn pinned(self: Pin<&mut Self>) -> Result<usize, Failure> {
        Ok(self.name.len())
    }

    #[resilient]
    async fn reference(self: &Self) -> Result<usize, Failure> {
        Ok(self.name.len())
    }

    #[resilient]
    async fn reference_to_counted(self: &Arc<Self>) -> Result<usize, Failure> {
        Ok(self.name.len())
    }
}

fn service() -> Service {
    Service { name: "s".into() }
}

#[test]
fn runs() {
    let shared = spawn(Arc::new(service()).shared("!".into()));
    assert_eq!((shared, DEPENDENCY.runs()), (Ok("s!".to_owned()), 3));
    block_on(async {
        assert_eq!(Rc::new(service()).local().await, Ok(1));
        assert_eq!(Box::new(service()).owned().await, Ok(1));
        assert_eq!(Box::pin(service()).as_mut().pinned().await, Ok(1));
        assert_eq!(service().reference().await, Ok(1));
        assert_eq!(Arc::new(service()).reference_to_counted().await, Ok(1));
    });
}
