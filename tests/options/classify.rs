//! The options of `#[classify]`.

use std::io::{self, ErrorKind};
use std::time::Duration;

use resilience::{Category, Classify, Retry, Severity};

proofs! {
    transparent {
        #[classify([transparent])]
        pub struct Failure(pub io::Error);
    } => {
        let failure = Failure(ErrorKind::ConnectionRefused.into());
        assert_eq!(failure.classify().category(), Category::NETWORK);
    }

    category {
        #[classify([category = "rate_limit"])]
        pub struct Failure;
    } => {
        assert_eq!(Failure.classify().category(), Category::RATE_LIMIT);
    }

    severity {
        #[classify([severity = "critical"], category = "network")]
        pub struct Failure;
    } => {
        assert_eq!(Failure.classify().severity(1), Severity::Critical);
    }

    retryable {
        #[classify([retryable = false], category = "network")]
        pub struct Failure;
    } => {
        assert_eq!(Failure.classify().retry(), Retry::No);
    }

    retry_after {
        #[classify([retry_after = _0], category = "network")]
        pub struct Failure(pub Duration);
    } => {
        let asked = Duration::from_secs(3);
        assert_eq!(Failure(asked).classify().retry_after(), Some(asked));
    }

    user {
        #[classify([user = "Please try {0} again."], category = "network")]
        pub struct Failure(pub u32);
    } => {
        assert_eq!(Failure(7).user_message().as_deref(), Some("Please try 7 again."));
    }
}
