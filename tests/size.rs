//! How much larger than the body an annotated function's future is.

use std::hint::black_box;

use resilience::{Error, fail_fast, resilient};

/// `bare`, `looped`, `once` and `boxed` with one body, which holds a buffer over an await.
macro_rules! variants {
    ($name:ident, $size:literal) => {
        #[allow(dead_code)]
        mod $name {
            use super::*;

            async fn body(buffer: &[u8; $size], text: &str) -> Result<usize, Error> {
                std::future::ready(()).await;
                Ok(buffer.len() + text.len())
            }

            pub(super) async fn bare(owned: String, text: &str) -> Result<usize, Error> {
                let buffer = black_box([0_u8; $size]);
                let length = body(&buffer, text).await?;
                Ok(length + owned.len() + buffer.len())
            }

            #[resilient]
            pub(super) async fn looped(owned: String, text: &str) -> Result<usize, Error> {
                let buffer = black_box([0_u8; $size]);
                let length = body(&buffer, text).await?;
                Ok(length + owned.len() + buffer.len())
            }

            #[fail_fast]
            pub(super) async fn once(owned: String, text: &str) -> Result<usize, Error> {
                let buffer = black_box([0_u8; $size]);
                let length = body(&buffer, text).await?;
                Ok(length + owned.len() + buffer.len())
            }

            #[resilient(boxed)]
            pub(super) async fn boxed(owned: String, text: &str) -> Result<usize, Error> {
                let buffer = black_box([0_u8; $size]);
                let length = body(&buffer, text).await?;
                Ok(length + owned.len() + buffer.len())
            }
        }
    };
}

variants!(small, 16);
variants!(medium, 512);
variants!(large, 4096);

macro_rules! over_the_body {
    ($name:ident) => {{
        let body = size_of_val(&$name::bare(String::new(), ""));
        (
            size_of_val(&$name::looped(String::new(), "")) - body,
            size_of_val(&$name::once(String::new(), "")) - body,
        )
    }};
}

#[test]
fn the_body_is_in_the_future_once() {
    let over = [
        over_the_body!(small),
        over_the_body!(medium),
        over_the_body!(large),
    ];
    assert!(over.iter().all(|other| *other == over[0]), "{over:?}");
    let (looped, once) = over[0];
    assert!(looped <= 160 && once <= 120, "{over:?}");
}

#[test]
fn a_boxed_attempt_does_not_count() {
    let sizes = [
        size_of_val(&small::boxed(String::new(), "")),
        size_of_val(&large::boxed(String::new(), "")),
    ];
    assert!(sizes[0] == sizes[1] && sizes[0] <= 208, "{sizes:?}");
}
