//! `Self`, its constants, and items in the body with a `self` of their own.

use crate::support::{Failure, Flaky, block_on};
use resilience::resilient;

static DEPENDENCY: Flaky = Flaky::new(1);

#[derive(Clone, PartialEq, Debug)]
struct Step(u8);

impl Step {
    const FIRST: u8 = 1;

    #[resilient(retries = 1)]
    async fn next(&self, other: Self) -> Result<Self, Failure> {
        struct Inner(u8);
        impl Inner {
            fn get(&self) -> u8 {
                self.0
            }
            fn double(self) -> Self {
                Self(self.0 * 2)
            }
        }
        trait Local {
            fn local(&self) -> u8;
        }
        impl Local for u8 {
            fn local(&self) -> u8 {
                *self
            }
        }
        DEPENDENCY.run()?;
        let Self(mine) = self;
        Ok(Self(
            Inner(*mine).double().get() + other.0 + Self::FIRST.local(),
        ))
    }
}

#[test]
fn runs() {
    assert_eq!(block_on(Step(2).next(Step(3))), Ok(Step(8)));
    assert_eq!(DEPENDENCY.runs(), 2);
}
