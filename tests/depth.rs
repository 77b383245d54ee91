//! Annotated functions that call each other far down: the compiler proves within its usual recursion
//! limit that all of it is `Send`. Bare ones go down about twice as far, and those with
//! `#[tracing::instrument]` as far as these.

use resilience::{Error, current, resilient};

macro_rules! chain {
    ($first:ident) => {
        #[resilient(retries = 1)]
        async fn $first(depth: u32) -> Result<u32, Error> {
            assert_eq!(current().unwrap().attempt, 1);
            Ok(depth)
        }
    };
    ($first:ident $second:ident $($more:ident)*) => {
        #[resilient(retries = 1)]
        async fn $first(depth: u32) -> Result<u32, Error> {
            $second(depth + 1).await
        }
        chain! { $second $($more)* }
    };
}

chain! {
    a01 a02 a03 a04 a05 a06 a07 a08 a09 a10 a11 a12 a13 a14 a15 a16
}

#[tokio::test]
async fn sixteen_functions_inside_each_other_can_be_spawned() {
    assert_eq!(tokio::spawn(a01(1)).await.unwrap().unwrap(), 16);
}
