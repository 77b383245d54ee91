//! `#[derive(Classify)]`.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use resilience::{Category, Classification, Classify, Retry, Severity, classify};

const BILLING: Category = Category::custom("billing");
const PAUSE: Duration = Duration::from_secs(7);

#[derive(Debug, thiserror::Error, Classify)]
enum IndexError {
    #[error(transparent)]
    #[classify(transparent)]
    Io(#[from] io::Error),
    #[error("rejected: {reason}")]
    #[classify(
        category = "validation",
        user = "The document could not be read: {reason}."
    )]
    Rejected { reason: String },
    #[error("busy")]
    #[classify(category = "rate_limit", retry_after = after)]
    Busy { after: Duration },
    #[error("busy")]
    #[classify(category = "rate_limit", retry_after = _0, user = "Wait {0:?}.")]
    Maybe(Option<Duration>),
    #[error("billing")]
    #[classify(category = BILLING, severity = "high", retry_after = PAUSE)]
    Billing,
    #[error("for good")]
    #[classify(category = "network", retryable = false, severity = Severity::Medium)]
    ForGood,
    #[error("conflict")]
    #[classify(category = "conflict", retryable)]
    Serialization,
    #[error("from below")]
    Source(#[source] io::Error),
    #[error("nobody knows")]
    Unsaid(u8),
    #[error("own text")]
    #[classify(transparent, user = "Ours.")]
    Ours(#[from] resilience::Error),
}

#[allow(clippy::needless_pass_by_value)]
fn of(error: IndexError) -> Classification {
    error.classify()
}

fn refused() -> io::Error {
    io::ErrorKind::ConnectionRefused.into()
}

#[test]
fn every_option_says_its_part() {
    let rejected = IndexError::Rejected {
        reason: "empty".into(),
    };
    assert_eq!(
        rejected.user_message().as_deref(),
        Some("The document could not be read: empty.")
    );
    assert_eq!(of(rejected).category(), Category::VALIDATION);
    let busy = of(IndexError::Busy {
        after: Duration::from_secs(3),
    });
    assert_eq!(busy.category(), Category::RATE_LIMIT);
    assert_eq!(busy.retry_after(), Some(Duration::from_secs(3)));
    assert_eq!(busy.error_type(), Some("IndexError::Busy"));
    let maybe = IndexError::Maybe(Some(PAUSE));
    assert_eq!(maybe.user_message().as_deref(), Some("Wait Some(7s)."));
    assert_eq!(of(maybe).retry_after(), Some(PAUSE));
    assert_eq!(of(IndexError::Maybe(None)).retry_after(), None);
    let billing = of(IndexError::Billing);
    assert_eq!(
        (billing.category(), billing.severity(1)),
        (BILLING, Severity::High)
    );
    assert_eq!(billing.retry_after(), Some(PAUSE));
    let for_good = of(IndexError::ForGood);
    assert_eq!(
        (for_good.retry(), for_good.severity(1)),
        (Retry::No, Severity::Medium)
    );
    assert_eq!(of(IndexError::Serialization).retry(), Retry::Yes);
    assert_eq!(of(IndexError::Unsaid(1)).category(), Category::UNKNOWN);
}

#[test]
fn transparent_and_sources_ask_the_field() {
    assert_eq!(of(refused().into()).category(), Category::NETWORK);
    assert_eq!(
        of(IndexError::Source(refused())).category(),
        Category::NETWORK
    );
    assert_eq!(
        IndexError::from(refused()).user_message(),
        refused().user_message()
    );
}

/// Where a failure comes from may be boxed, and may be missing.
#[derive(Debug, thiserror::Error, Classify)]
enum Perhaps {
    #[error("boxed")]
    Boxed(#[source] Box<dyn Error + Send + Sync>),
    #[error("perhaps boxed")]
    Box(#[source] Option<Box<dyn Error + Send + Sync + 'static>>),
    #[error("perhaps")]
    Plain {
        source: std::option::Option<io::Error>,
    },
    #[error("perhaps shared")]
    Shared(#[source] Option<Arc<io::Error>>),
}

#[derive(Debug, Classify)]
#[classify(transparent)]
struct Last(Option<IndexError>);

#[test]
fn a_source_in_an_option_or_a_box_is_looked_into() {
    let boxed = |error: io::Error| Box::new(error);
    for error in [
        Perhaps::Boxed(boxed(refused())),
        Perhaps::Box(Some(boxed(refused()))),
        Perhaps::Plain {
            source: Some(refused()),
        },
        Perhaps::Shared(Some(Arc::new(refused()))),
    ] {
        assert_eq!(error.classify().category(), Category::NETWORK, "{error:?}");
    }
    for error in [
        Perhaps::Box(None),
        Perhaps::Plain { source: None },
        Perhaps::Shared(None),
    ] {
        let found = error.classify();
        assert_eq!(found.category(), Category::UNKNOWN, "{error:?}");
        assert!(
            found
                .error_type()
                .is_some_and(|name| name.starts_with("Perhaps::"))
        );
    }
    let last = Last(Some(IndexError::Rejected {
        reason: "empty".into(),
    }));
    assert_eq!(last.classify().category(), Category::VALIDATION);
    assert!(last.user_message().is_some());
    assert_eq!(Last(None).user_message(), None);
    assert_eq!(Last(None).classify().error_type(), Some("Last"));
}

#[test]
fn the_derive_makes_the_type_known_behind_dyn_error() {
    let error = anyhow::Error::from(IndexError::Serialization).context("while indexing");
    let found = classify::error(error.as_ref());
    assert_eq!(
        (found.category(), found.retry()),
        (Category::CONFLICT, Retry::Yes)
    );
}

/// Alone: no `Display`, no `Error`, generic, with an attribute for all variants.
#[derive(Classify)]
#[classify(category = "network", severity = "high")]
enum Alone<'a, T> {
    First(#[allow(dead_code)] &'a T),
    #[classify(category = "memory")]
    Second {
        ask: T,
    },
}

#[derive(Classify)]
#[classify(category = "auth", user = "Nobody called {name} may do that.")]
struct Denied {
    name: &'static str,
}

#[derive(Classify)]
#[classify(transparent)]
struct Wrapper<E>(E);

#[derive(Classify)]
struct Unit;

#[derive(Classify)]
enum Never {}

#[test]
fn it_works_alone_and_with_generics() {
    assert_eq!(Alone::First(&1).classify().severity(1), Severity::High);
    let second = Alone::Second { ask: 1 };
    assert_eq!(second.classify().category(), Category::MEMORY);
    let Alone::Second { ask: 1 } = second else {
        panic!("not the second")
    };
    let denied = Denied { name: "x" };
    assert_eq!(denied.classify().category(), Category::AUTH);
    assert_eq!(
        denied.user_message().as_deref(),
        Some("Nobody called x may do that.")
    );
    // In generic code the bounds in scope decide, and here are none.
    assert_eq!(Wrapper(refused()).classify().category(), Category::UNKNOWN);
    assert_eq!(Unit.classify().error_type(), Some("Unit"));
    let never: Option<Never> = None;
    assert!(never.is_none_or(|never| never.classify().is_rejection()));
}

/// What an enum says of all its variants, where it does not fit what one says of itself.
#[derive(Debug, thiserror::Error, Classify)]
#[classify(category = "rate_limit", retryable, retry_after = "5s")]
enum Limited {
    #[error("busy")]
    Busy,
    #[error("used up")]
    #[classify(retryable = false)]
    UsedUp,
    #[error("locked out")]
    #[classify(severity = "critical")]
    LockedOut,
}

#[test]
fn what_an_enum_says_does_not_apply_where_it_means_nothing() {
    let (busy, used_up) = (Limited::Busy.classify(), Limited::UsedUp.classify());
    assert_eq!(busy.retry_after(), Some(Duration::from_secs(5)));
    assert_eq!((used_up.retry(), used_up.retry_after()), (Retry::No, None));
    assert_eq!(
        Limited::LockedOut.classify().severity(1),
        Severity::Critical
    );
}

#[derive(Classify)]
#[classify(category = "rate_limit", retry_after = r#yield, user = "Wait for {yield:?}.")]
struct Keyword {
    r#yield: Duration,
}

#[test]
fn a_field_may_be_called_like_a_keyword() {
    let r#yield = Duration::from_secs(3);
    let keyword = Keyword { r#yield };
    assert_eq!(keyword.classify().retry_after(), Some(r#yield));
    assert_eq!(keyword.user_message().as_deref(), Some("Wait for 3s."));
}

/// A derive that a macro writes finds the fields that its user names.
macro_rules! failure {
    ($(#[$attr:meta])* $name:ident($field:ty)) => {
        #[derive(Classify)]
        $(#[$attr])*
        struct $name($field);
    };
}

failure! {
    #[classify(category = "rate_limit", retry_after = _0, user = "Wait for {0:?}.")]
    Busy(Duration)
}

#[test]
fn a_derive_may_be_written_by_a_macro() {
    let busy = Busy(Duration::from_secs(3));
    assert_eq!(busy.classify().retry_after(), Some(busy.0));
    assert_eq!(busy.user_message().as_deref(), Some("Wait for 3s."));
}
