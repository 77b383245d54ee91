//! Shapes of functions with a fallback: each gets the arguments of the call.

use std::fmt::Display;
use std::sync::Arc;

use async_trait::async_trait;
use resilience::{fail_fast, resilient};

use crate::support::{Failure, Flaky, block_on, spawn};

/// Unique references, lent to the body, then to each fallback.
#[fail_fast(fallback = [mark, mark_later])]
async fn unique(out: &mut String, mut text: String) -> Result<usize, Failure> {
    text.push('1');
    out.push_str(&text);
    Err(Failure::Planned)
}

fn mark(out: &mut String, text: String, error: Failure) -> Result<usize, Failure> {
    out.push_str(&text);
    Err(error)
}

async fn mark_later(out: &mut String, text: String, _: Failure) -> Result<usize, Failure> {
    tokio::task::yield_now().await;
    out.push_str(&text);
    Ok(out.len())
}

/// A borrow of an argument is returned, by the fallback as well.
#[resilient(retries = 1, fallback = whole)]
async fn borrow<'a>(text: &'a str, flaky: &Flaky) -> Result<&'a str, Failure> {
    flaky.run()?;
    Ok(&text[..1])
}

fn whole<'a>(text: &'a str, _: &Flaky, _: Failure) -> Result<&'a str, Failure> {
    Ok(text)
}

/// Generic, and with `impl Trait`.
#[resilient(retries = 0, fallback = shown)]
async fn generic<T: Display + Clone>(
    value: T,
    more: impl Display + Clone,
) -> Result<String, Failure> {
    drop((value, more));
    Err(Failure::Planned)
}

async fn shown<T: Display>(value: T, more: impl Display, _: Failure) -> Result<String, Failure> {
    Ok(format!("{value}{more}"))
}

/// A generic return type.
#[resilient(retries = 0, fallback = |value, _| Ok(value))]
async fn returned<T: Clone>(value: T) -> Result<T, Failure> {
    drop(value);
    Err(Failure::Planned)
}

struct Memory(usize);

impl Memory {
    #[resilient(retries = 1, boxed, fallback = [Self::vain, Self::count])]
    async fn counted(self: Arc<Self>, n: usize) -> Result<usize, Failure> {
        tokio::task::yield_now().await;
        Err(Failure::Planned)
    }

    fn vain(self: Arc<Self>, _: usize, error: Failure) -> Result<usize, Failure> {
        Err(error)
    }

    async fn count(self: Arc<Self>, n: usize, _: Failure) -> Result<usize, Failure> {
        Ok(self.0 + n)
    }
}

#[async_trait]
trait Store {
    async fn get(&mut self, key: String) -> Result<usize, Failure>;
    async fn copy(&mut self, key: String, error: Failure) -> Result<usize, Failure>;
}

#[async_trait]
impl Store for Memory {
    #[resilient(retries = 1, fallback = Self::copy)]
    async fn get(&mut self, key: String) -> Result<usize, Failure> {
        self.0 += key.len();
        Err(Failure::Planned)
    }

    async fn copy(&mut self, key: String, _: Failure) -> Result<usize, Failure> {
        Ok(self.0 + key.len())
    }
}

/// Above `#[async_trait]`.
struct Above(usize);

#[resilient(retries = 0)]
#[async_trait]
impl Store for Above {
    #[resilient(fallback = Self::copy)]
    async fn get(&mut self, key: String) -> Result<usize, Failure> {
        self.0 += key.len();
        Err(Failure::Planned)
    }

    #[resilient(skip)]
    async fn copy(&mut self, key: String, _: Failure) -> Result<usize, Failure> {
        Ok(self.0 + key.len())
    }
}

#[test]
fn runs() {
    let mut out = String::new();
    assert_eq!(block_on(unique(&mut out, "a".into())), Ok(4));
    assert_eq!(out, "a1aa");
    let flaky = Flaky::new(9);
    assert_eq!(block_on(borrow("text", &flaky)), Ok("text"));
    assert_eq!(flaky.runs(), 2);
    assert_eq!(spawn(generic(1, "b".to_owned())), Ok("1b".to_owned()));
    assert_eq!(spawn(returned(vec![1])), Ok(vec![1]));
    assert_eq!(spawn(Arc::new(Memory(3)).counted(4)), Ok(7));
    assert_eq!(spawn(async { Memory(0).get("ab".into()).await }), Ok(6));
    assert_eq!(spawn(async { Above(0).get("ab".into()).await }), Ok(4));
}
