//! Users with strict lints hear nothing about what the attributes write. `cargo test` asks the
//! compiler's lints, `cargo clippy --all-targets` the others.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, missing_debug_implementations, unreachable_pub)]
#![deny(
    unused,
    elided_lifetimes_in_paths,
    single_use_lifetimes,
    trivial_casts,
    unit_bindings
)]
#![deny(
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    variant_size_differences
)]
#![deny(
    let_underscore_drop,
    redundant_lifetimes,
    unused_import_braces,
    meta_variable_misuse
)]
#![deny(tail_expr_drop_order, if_let_rescope, impl_trait_redundant_captures)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery, clippy::cargo)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
#![deny(
    clippy::let_underscore_must_use,
    clippy::print_stdout,
    clippy::absolute_paths
)]
#![deny(clippy::shadow_reuse, clippy::shadow_same, clippy::shadow_unrelated)]
#![deny(
    clippy::wildcard_imports,
    clippy::items_after_statements,
    clippy::undocumented_unsafe_blocks
)]
#![deny(clippy::infinite_loop, clippy::as_underscore, clippy::clone_on_ref_ptr)]
#![allow(
    clippy::missing_errors_doc,
    clippy::cargo_common_metadata,
    clippy::multiple_crate_versions
)]

use core::time::Duration;
use std::io::Error;
use std::sync::Arc;

use resilience::{Classify, Severity, fail_fast, resilient};
use tokio::runtime::Builder;
use tokio::time::sleep;

/// Documented.
#[resilient(retries = 2, timeout = "3s", fields(name, count))]
pub async fn documented(name: &str, count: u64, mut list: Vec<u64>) -> Result<usize, Error> {
    list.push(count);
    Ok(name.len() + list.len())
}

/// One expression.
#[resilient]
pub async fn expression() -> Result<u8, Error> {
    Ok(1)
}

/// A unit.
#[fail_fast(require(!text.is_empty(), field = "text", "must not be empty"))]
pub async fn unit(text: String) -> Result<(), Error> {
    drop(text);
    Ok(())
}

/// Patterns, unused and underscored parameters.
#[resilient(retries = 1)]
pub async fn patterns((a, mut b): (u8, u8), _unused: String, _: u8) -> Result<u8, Error> {
    b += 1;
    Ok(a + b)
}

/// Shapes that are looped differently.
#[derive(Debug, Clone)]
pub struct Client<'a> {
    name: &'a str,
}

impl Client<'_> {
    /// Unique.
    #[resilient(retries = 1)]
    pub async fn unique(&mut self, mut text: String) -> Result<usize, Error> {
        text.push('a');
        self.name = "b";
        Ok(text.len())
    }

    /// Shared, with a borrow.
    #[resilient(retry_if = |error| error.raw_os_error().is_none(), before_retry = |_| ())]
    pub async fn shared(&self, other: Client<'_>) -> Result<&str, Error> {
        if other.name.is_empty() {
            return Err(Error::other("empty"));
        }
        Ok(self.name)
    }

    /// Counted.
    #[resilient(deadline = "1m", boxed)]
    pub async fn counted(self: Arc<Self>) -> Result<usize, Error> {
        sleep(Duration::ZERO).await;
        Ok(self.name.len())
    }

    /// Once.
    #[resilient(retries = 0)]
    pub async fn once(mut self) -> Result<usize, Error> {
        self.name = "c";
        Ok(self.name.len())
    }
}

/// Generic.
#[resilient]
pub async fn generic<T, const N: usize>(list: [T; N]) -> Result<Option<T>, Error>
where
    T: Clone + Send + Sync,
{
    Ok(list.into_iter().next())
}

/// Used by the attribute alone.
#[resilient(
    retries = 1,
    key = tenant,
    rate_limit = "100/1s",
    bulkhead(concurrency = 4),
    fields(name, length = %format_args!("{text}"))
)]
pub async fn by_attribute(tenant: String, name: String, text: String) -> Result<u8, Error> {
    sleep(Duration::ZERO).await;
    Ok(1)
}

/// Used by the fallback alone.
#[resilient(retries = 1, fallback = [other, later])]
pub async fn with_fallback(mut list: Vec<u8>, text: String, word: &str) -> Result<usize, Error> {
    list.push(1);
    sleep(Duration::ZERO).await;
    Ok(list.len())
}

fn other(list: Vec<u8>, text: String, word: &str, error: Error) -> Result<usize, Error> {
    if list.is_empty() && text == word {
        return Ok(0);
    }
    drop((list, text));
    Err(error)
}

async fn later(list: Vec<u8>, text: String, word: &str, error: Error) -> Result<usize, Error> {
    sleep(Duration::ZERO).await;
    other(list, text, word, error)
}

/// Leases, and has a narrowed fallback.
#[fail_fast(resource(lints = tokens), fallback(|_, error| Err(error), on("network")))]
pub async fn leases(tokens: u16) -> Result<u8, Error> {
    Ok(1)
}

/// `impl Trait`.
#[resilient]
pub async fn opaque(n: impl Into<u64> + Clone) -> Result<impl Into<u64>, Error> {
    Ok(n.into())
}

/// A failure of each form.
#[derive(Debug, Classify)]
#[classify(category = "service", user = "It has failed.")]
pub enum Failure<'a, T> {
    /// Fields that nothing asks for, and one that nobody should use any more.
    #[classify(category = "auth", user = "{who} may not do that.")]
    Denied {
        /// Who.
        who: &'a str,
        /// What.
        what: T,
        /// Why.
        #[deprecated]
        why: u8,
    },
    /// By a constant and by a field.
    #[classify(severity = Severity::High, retry_after = _0)]
    Busy(Option<Duration>),
    /// Asks its source.
    #[classify(transparent)]
    Io(Error),
    /// Is no longer used.
    #[deprecated]
    Gone,
}

#[test]
fn every_derived_type_is_clean() {
    let busy: Failure<'_, u8> = Failure::Busy(None);
    assert_eq!(busy.classify().severity(1), Severity::High);
}

#[test]
fn every_decorated_function_is_clean() {
    let mut builder = Builder::new_current_thread();
    let Ok(runtime) = builder.enable_time().build() else {
        return;
    };
    runtime.block_on(async {
        assert_eq!(documented("ab", 1, vec![]).await.ok(), Some(3));
        assert_eq!(expression().await.ok(), Some(1));
        assert_eq!(unit("a".into()).await.ok(), Some(()));
        assert_eq!(patterns((1, 2), String::new(), 3).await.ok(), Some(4));
        let mut client = Client { name: "a" };
        assert_eq!(client.unique(String::new()).await.ok(), Some(1));
        assert_eq!(client.shared(client.clone()).await.ok(), Some("b"));
        assert_eq!(Arc::new(client.clone()).counted().await.ok(), Some(1));
        assert_eq!(client.once().await.ok(), Some(1));
        assert_eq!(generic([1, 2]).await.ok().flatten(), Some(1));
        let (tenant, name, text) = ("t".into(), "n".into(), "x".into());
        assert_eq!(by_attribute(tenant, name, text).await.ok(), Some(1));
        assert_eq!(with_fallback(vec![], "t".into(), "").await.ok(), Some(1));
        assert_eq!(leases(3).await.ok(), Some(1));
        assert_eq!(opaque(1_u32).await.ok().map(Into::into), Some(1_u64));
    });
}
