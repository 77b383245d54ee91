//! `#[cfg]` and lint attributes on parameters and in the body.

#![deny(unused)]

use crate::support::{Failure, Flaky, block_on};
use resilience::resilient;

static FREE: Flaky = Flaky::new(1);
static METHOD: Flaky = Flaky::new(1);

#[resilient(retries = 1)]
async fn some(
    #[cfg(panic = "unwind")] kept: String,
    #[cfg(any())] gone: NoSuchType,
    #[allow(unused_variables)] idle: String,
    #[expect(unused_variables)] expected: Vec<u8>,
) -> Result<usize, Failure> {
    #[cfg(any())]
    compile_error!("left out");
    FREE.run()?;
    Ok(kept.len())
}

struct Client;

impl Client {
    #[resilient(retries = 1)]
    async fn some(
        &mut self,
        #[cfg(any())] gone: NoSuchType,
        #[cfg(panic = "unwind")] mut kept: String,
        #[expect(unused_variables)] expected: Vec<u8>,
    ) -> Result<usize, Failure> {
        kept.push('x');
        METHOD.run()?;
        Ok(kept.len())
    }

    #[cfg_attr(all(), resilient(retries = 1))]
    async fn conditional(&self) -> Result<u8, Failure> {
        Ok(1)
    }
}

#[test]
fn runs() {
    block_on(async {
        assert_eq!(some("abc".into(), String::new(), vec![]).await, Ok(3));
        assert_eq!(Client.some("abc".into(), vec![]).await, Ok(4));
        assert_eq!(Client.conditional().await, Ok(1));
        assert_eq!((FREE.runs(), METHOD.runs()), (2, 2));
    });
}
