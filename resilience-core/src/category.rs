//! What kind of failure, or of dependency, this is.

use std::fmt;
use std::mem::discriminant;

/// What kind of failure (or of dependency) this is.
///
/// A category chooses the retry numbers and the default severity and fault of an error. The names
/// that [`as_str`](Self::as_str) gives are the ones to write in an attribute:
/// `#[resilient(category = "rate_limit")]`.
///
/// An application adds categories of its own as constants and uses them by path:
///
/// ```
/// use resilience_core::Category;
///
/// const BILLING: Category = Category::custom("billing");
/// assert!(BILLING.is_dependency());
/// assert_eq!(BILLING.to_string(), "billing");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Category(Repr);

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Repr {
    Network,
    Service,
    Weaviate,
    RateLimit,
    Timeout,
    Filesystem,
    Encoding,
    Validation,
    Memory,
    Auth,
    NotFound,
    Conflict,
    Cancelled,
    Unknown,
    Custom(&'static str),
}

impl Category {
    /// The connection, the name lookup or the TLS handshake failed.
    pub const NETWORK: Self = Self(Repr::Network);
    /// An upstream's own failure: HTTP 5xx, gRPC `UNAVAILABLE`.
    pub const SERVICE: Self = Self(Repr::Service);
    /// A failure of a Weaviate server.
    pub const WEAVIATE: Self = Self(Repr::Weaviate);
    /// The other side asks us to slow down, or our own limit does.
    pub const RATE_LIMIT: Self = Self(Repr::RateLimit);
    /// Something took longer than it may.
    pub const TIMEOUT: Self = Self(Repr::Timeout);
    /// Reading or writing files failed.
    pub const FILESYSTEM: Self = Self(Repr::Filesystem);
    /// Bytes that are not the text they should be.
    pub const ENCODING: Self = Self(Repr::Encoding);
    /// The request or the data is wrong.
    pub const VALIDATION: Self = Self(Repr::Validation);
    /// Memory ran out.
    pub const MEMORY: Self = Self(Repr::Memory);
    /// Missing, wrong or insufficient credentials.
    pub const AUTH: Self = Self(Repr::Auth);
    /// What was asked for does not exist.
    pub const NOT_FOUND: Self = Self(Repr::NotFound);
    /// The state of the other side forbids it: already there, version mismatch.
    pub const CONFLICT: Self = Self(Repr::Conflict);
    /// Somebody stopped it on purpose.
    pub const CANCELLED: Self = Self(Repr::Cancelled);
    /// What cannot be placed.
    pub const UNKNOWN: Self = Self(Repr::Unknown);

    /// Every built-in category, in the order of the table of defaults.
    pub const BUILT_IN: [Self; 14] = [
        Self::NETWORK,
        Self::SERVICE,
        Self::WEAVIATE,
        Self::RATE_LIMIT,
        Self::TIMEOUT,
        Self::FILESYSTEM,
        Self::ENCODING,
        Self::VALIDATION,
        Self::MEMORY,
        Self::AUTH,
        Self::NOT_FOUND,
        Self::CONFLICT,
        Self::CANCELLED,
        Self::UNKNOWN,
    ];

    /// A category of the application's own: a dependency, with settings under `[categories.NAME]`.
    ///
    /// # Panics
    ///
    /// If `name` is empty, longer than 64 bytes, has another character than `a-z`, `0-9` and `_`,
    /// or is the name of a built-in category. In a constant, where it belongs, that is a compile
    /// error.
    pub const fn custom(name: &'static str) -> Self {
        let bytes = name.as_bytes();
        assert!(
            !bytes.is_empty() && bytes.len() <= 64,
            "the name of a category has 1 to 64 characters"
        );
        let mut i = 0;
        while i < bytes.len() {
            assert!(
                matches!(bytes[i], b'a'..=b'z' | b'0'..=b'9' | b'_'),
                "the name of a category is made of a-z, 0-9 and _"
            );
            i += 1;
        }
        let mut i = 0;
        while i < Self::BUILT_IN.len() {
            assert!(
                !same(bytes, Self::BUILT_IN[i].as_str().as_bytes()),
                "this category is built in: write its name as a string"
            );
            i += 1;
        }
        Self(Repr::Custom(name))
    }

    /// The built-in category of this name.
    pub fn built_in(name: &str) -> Option<Self> {
        Self::BUILT_IN
            .into_iter()
            .find(|category| category.as_str() == name)
    }

    /// The name, as written in attributes, settings and telemetry.
    pub const fn as_str(self) -> &'static str {
        match self.0 {
            Repr::Network => "network",
            Repr::Service => "service",
            Repr::Weaviate => "weaviate",
            Repr::RateLimit => "rate_limit",
            Repr::Timeout => "timeout",
            Repr::Filesystem => "filesystem",
            Repr::Encoding => "encoding",
            Repr::Validation => "validation",
            Repr::Memory => "memory",
            Repr::Auth => "auth",
            Repr::NotFound => "not_found",
            Repr::Conflict => "conflict",
            Repr::Cancelled => "cancelled",
            Repr::Unknown => "unknown",
            Repr::Custom(name) => name,
        }
    }

    /// Which one of [`BUILT_IN`](Self::BUILT_IN) this is, if it is one.
    #[inline]
    pub(crate) const fn number(self) -> Option<usize> {
        Some(match self.0 {
            Repr::Network => 0,
            Repr::Service => 1,
            Repr::Weaviate => 2,
            Repr::RateLimit => 3,
            Repr::Timeout => 4,
            Repr::Filesystem => 5,
            Repr::Encoding => 6,
            Repr::Validation => 7,
            Repr::Memory => 8,
            Repr::Auth => 9,
            Repr::NotFound => 10,
            Repr::Conflict => 11,
            Repr::Cancelled => 12,
            Repr::Unknown => 13,
            Repr::Custom(_) => return None,
        })
    }

    /// `==`, as far as that is seen without a look at letters.
    #[inline]
    pub(crate) fn is_surely(self, other: Self) -> bool {
        match (self.0, other.0) {
            (Repr::Custom(own), Repr::Custom(other)) => std::ptr::eq(own, other),
            (own, other) => discriminant(&own) == discriminant(&other),
        }
    }

    /// `==`, in constants.
    pub(crate) const fn is(self, other: Self) -> bool {
        same(self.as_str().as_bytes(), other.as_str().as_bytes())
    }

    /// Whether this names a dependency rather than a kind of failure: `weaviate` and every custom
    /// category. Such a category of a site is its default service, and replaces `service` and
    /// `unknown` in what its errors are classified as.
    pub const fn is_dependency(self) -> bool {
        matches!(self.0, Repr::Weaviate | Repr::Custom(_))
    }

    /// Whether this is one of the application's own categories.
    pub const fn is_custom(self) -> bool {
        matches!(self.0, Repr::Custom(_))
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Category({})", self.as_str())
    }
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_category() {
        for category in Category::BUILT_IN {
            assert_eq!(Category::built_in(category.as_str()), Some(category));
        }
        let numbers = Category::BUILT_IN.map(Category::number);
        assert_eq!(numbers, std::array::from_fn(Some));
        assert_eq!(Category::built_in("Network"), None);
    }

    #[test]
    fn only_weaviate_and_custom_categories_are_dependencies() {
        let dependencies: Vec<_> = Category::BUILT_IN
            .into_iter()
            .filter(|category| category.is_dependency())
            .collect();
        assert_eq!(dependencies, [Category::WEAVIATE]);
        assert!(Category::custom("billing").is_dependency());
    }

    #[test]
    #[should_panic(expected = "built in")]
    fn a_custom_category_cannot_take_a_built_in_name() {
        let _ = Category::custom("weaviate");
    }
}
