//! Generics of every kind, without an inner function that would have to repeat them.

use std::fmt::Debug;
use std::marker::PhantomData;

use crate::support::{Failure, Flaky, block_on};
use resilience::{fail_fast, resilient};

static DEPENDENCY: Flaky = Flaky::new(1);

#[resilient(retries = 1)]
async fn every<'a, 'b: 'a, T, F, const N: usize>(
    list: [T; N],
    map: F,
    text: &'a str,
    _more: &'b str,
) -> Result<(usize, &'a str), Failure>
where
    T: Clone + Debug + 'b,
    F: for<'x> Fn(&'x T) -> &'x T + Clone,
{
    DEPENDENCY.run()?;
    let first = map(&list[0]);
    Ok((N + format!("{first:?}").len(), text))
}

struct Generic<T> {
    value: T,
}

impl<T: Clone> Generic<T> {
    #[resilient(retries = 1)]
    async fn get<U: Default>(&self) -> Result<(T, U), Failure> {
        Ok((self.value.clone(), U::default()))
    }
}

struct Borrowing<'a>(&'a str);

impl<'a> Borrowing<'a> {
    #[resilient(retries = 1)]
    async fn get(&self, _: PhantomData<&'a ()>) -> Result<&'a str, Failure> {
        Ok(self.0)
    }
}

#[resilient]
async fn any_error<E>(n: u8) -> Result<u8, E>
where
    E: From<resilience::Error>,
{
    Ok(n)
}

#[fail_fast(breaker = off, timeout = off)]
async fn no_bound<E>(result: Result<u8, E>) -> Result<u8, E> {
    result
}

#[test]
fn runs() {
    block_on(async {
        assert_eq!(every([7, 8], |n| n, "a", "b").await, Ok((3, "a")));
        assert_eq!(Generic { value: 1 }.get::<u8>().await, Ok((1, 0)));
        assert_eq!(Borrowing("b").get(PhantomData).await, Ok("b"));
        assert_eq!(any_error::<Failure>(1).await, Ok(1));
        assert_eq!(no_bound(Err("e")).await, Err("e"));
    });
    assert_eq!(DEPENDENCY.runs(), 2);
}
