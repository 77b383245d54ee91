//! Functions that `macro_rules!` writes, with types, patterns and bodies as fragments.

use crate::support::{Failure, Flaky, block_on};
use resilience::resilient;

static DEPENDENCY: Flaky = Flaky::new(1);

macro_rules! method {
    ($name:ident, $retries:expr, $me:ident, $arg:ident: $ty:ty, $ret:ty, $body:block) => {
        #[resilient(retries = $retries, timeout = "1s")]
        async fn $name(&mut $me, $arg: $ty) -> $ret $body
    };
}

macro_rules! get {
    ($this:ident) => {
        $this.count
    };
}

struct Counter {
    count: u32,
}

impl Counter {
    method!(add, 2, self, n: &mut u32, Result<u32, Failure>, {
        *n += 1;
        self.count += *n;
        DEPENDENCY.run()?;
        Ok(get!(self))
    });
    method!(text, 0, self, text: &'static str, Result<usize, Failure>, { Ok(text.len()) });
}

macro_rules! free {
    ($(#[$attr:meta])* $name:ident($arg:ident: $ty:ty) $category:literal) => {
        $(#[$attr])*
        #[resilient(category = $category)]
        async fn $name($arg: $ty) -> Result<$ty, Failure> {
            macro_rules! twice {
                ($e:expr) => { $e + $e };
            }
            Ok(twice!($arg))
        }
    };
}

free!(#[must_use] double(n: u32) "network");

#[test]
fn runs() {
    block_on(async {
        let mut counter = Counter { count: 0 };
        assert_eq!(counter.add(&mut 0).await, Ok(3));
        assert_eq!(counter.text("abc").await, Ok(3));
        assert_eq!(double(2).await, Ok(4));
    });
    assert_eq!(DEPENDENCY.runs(), 2);
}
