//! The runtime's own answers: what a caller gets instead of, or after, running the body.

use std::fmt;
use std::time::Duration;

pub(crate) use self::answer::ServiceName;
use self::answer::{Answer, What};
use crate::breaker::{OpenedBy, Refusal};
use crate::clock::Wait;
use crate::event::CallFailure;
use crate::{Category, Classification, Classify, Retry, Severity};

mod answer;

/// An answer of the runtime itself: the circuit is open, the call timed out, a requirement is not
/// met.
///
/// It reaches the caller as the annotated function's own error type, through
/// `From<resilience::Error>`. [`kind`](Self::kind) says what happened, with data. `Display` is the
/// technical text; [`user_message`](Self::user_message) the one for people.
///
/// Two words long; what a breaker, a rate limit or a bulkhead answers to a first attempt does not
/// allocate.
pub struct Error(Repr);

enum Repr {
    /// Of a breaker, a rate limit or a bulkhead.
    Answer(Answer),
    Detail(Box<Detail>),
}

enum Detail {
    Requirements(Vec<Requirement>),
    TimedOut(TimedOut),
    Setting {
        field: &'static str,
        message: String,
    },
    Injected(Classification),
    Draining {
        operation: &'static str,
    },
    /// An answer to a further attempt.
    After {
        answer: Error,
        last_error: String,
    },
    ResourceExhausted {
        resource: &'static str,
        current: u64,
        limit: u64,
    },
}

/// What happened, with the data of each case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind<'a> {
    /// The breaker of the service is open: the body was not run.
    #[non_exhaustive]
    CircuitOpen {
        /// The service whose breaker it is.
        service: &'a str,
        /// What opened it.
        opened_by: OpenedBy,
        /// How many failures, or slow calls, opened it, 65 535 at most.
        failures: u32,
        /// The time until a call may be let through as a probe, to the millisecond, to the second
        /// where it is hours; `None` where somebody holds it open by hand.
        retry_in: Option<Duration>,
    },
    /// The rate limit of the service is used up: the body was not run.
    #[non_exhaustive]
    RateLimited {
        /// The service whose limit it is.
        service: &'a str,
        /// The time until there is a permit, as things stand, to the millisecond, to the second
        /// where it is hours.
        retry_in: Duration,
    },
    /// All slots of the service's bulkhead are taken, and nobody may wait longer: the body was not
    /// run.
    #[non_exhaustive]
    BulkheadFull {
        /// The service whose bulkhead it is.
        service: &'a str,
    },
    /// More of a resource was asked for than is free: the body was not run.
    #[non_exhaustive]
    ResourceExhausted {
        /// The resource.
        resource: &'a str,
        /// What is taken.
        current: u64,
        /// What there is.
        limit: u64,
    },
    /// Requirements of a `#[fail_fast]` function are not met: the body was not run.
    Requirements(&'a [Requirement]),
    /// The attempt or the call took too long and was dropped.
    TimedOut(TimedOut),
    /// A setting, or where the function runs, makes the call impossible.
    #[non_exhaustive]
    Setting {
        /// What is wrong.
        field: &'a str,
        /// How it is wrong.
        message: &'a str,
    },
    /// The runtime is being [drained](crate::Runtime::drain): the call was not tried again, or not
    /// waited with.
    #[non_exhaustive]
    Draining {
        /// The operation.
        operation: &'a str,
    },
    /// A test wanted it so: see [`testing`](crate::testing).
    Injected(&'a Classification),
}

/// A requirement that was not met.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Requirement {
    /// The field it is about.
    pub field: &'static str,
    /// What it demands.
    pub message: String,
}

/// What took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimedOut {
    /// The operation.
    pub operation: &'static str,
    /// The limit that was reached.
    pub limit: Duration,
    /// Attempts made, the one that was dropped included.
    pub attempts: u32,
    /// Whose limit it was.
    pub of: TimeLimit,
}

/// Whose limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeLimit {
    /// The `timeout` of one attempt.
    Attempt,
    /// The `deadline` of the call.
    Call,
}

impl Error {
    #[inline]
    pub(crate) fn circuit_open(service: &'static ServiceName, refusal: Refusal) -> Self {
        let Refusal { reason, retry_in } = refusal;
        let failures = u16::try_from(reason.count).unwrap_or(u16::MAX);
        let what = What::CircuitOpen(reason.by, failures);
        Self(Repr::Answer(Answer::new(service, what, retry_in)))
    }

    /// The same answer, with the time until it makes sense to come back.
    #[inline]
    pub(crate) fn waiting(self, wait: Wait) -> Self {
        match self.0 {
            Repr::Answer(answer) => Self(Repr::Answer(answer.waiting(wait))),
            Repr::Detail(_) => self,
        }
    }

    pub(crate) fn rate_limited(service: &'static ServiceName, retry_in: Duration) -> Self {
        let what = What::RateLimited;
        Self(Repr::Answer(Answer::new(
            service,
            what,
            Some(retry_in.into()),
        )))
    }

    pub(crate) fn bulkhead_full(service: &'static ServiceName) -> Self {
        Self(Repr::Answer(Answer::new(service, What::BulkheadFull, None)))
    }

    /// A copy, where none needs memory of its own.
    pub(crate) fn small(&self) -> Option<Self> {
        match self.0 {
            Repr::Answer(answer) => Some(Self(Repr::Answer(answer))),
            Repr::Detail(_) => None,
        }
    }

    /// All that a circuit-open answer says.
    #[inline]
    pub(crate) fn packed(&self) -> Option<u64> {
        match self.0 {
            Repr::Answer(answer) if matches!(answer.what(), What::CircuitOpen(..)) => {
                Some(answer.word())
            }
            _ => None,
        }
    }

    /// The answer that was packed.
    pub(crate) fn unpacked(word: u64) -> Self {
        Self(Repr::Answer(Answer::of_word(word)))
    }

    /// What the telemetry says of a refusal.
    pub(crate) fn refusal(&self) -> CallFailure {
        let classification = self.classify();
        CallFailure {
            category: classification.category(),
            severity: classification.severity(1),
            error_type: self.kind_name(),
            refused: true,
        }
    }

    #[cold]
    pub(crate) fn resource_exhausted(resource: &'static str, current: u64, limit: u64) -> Self {
        Self(Repr::Detail(Box::new(Detail::ResourceExhausted {
            resource,
            current,
            limit,
        })))
    }

    #[cold]
    pub(crate) fn timed_out(timed_out: TimedOut) -> Self {
        Self(Repr::Detail(Box::new(Detail::TimedOut(timed_out))))
    }

    #[cold]
    pub(crate) fn requirements(unmet: Vec<Requirement>) -> Self {
        Self(Repr::Detail(Box::new(Detail::Requirements(unmet))))
    }

    #[cold]
    pub(crate) fn setting(field: &'static str, message: impl Into<String>) -> Self {
        Self(Repr::Detail(Box::new(Detail::Setting {
            field,
            message: message.into(),
        })))
    }

    #[cold]
    pub(crate) fn draining(operation: &'static str) -> Self {
        Self(Repr::Detail(Box::new(Detail::Draining { operation })))
    }

    /// The same answer, to an attempt that followed one which failed with this error.
    #[cold]
    pub(crate) fn after(self, last_error: String) -> Self {
        Self(Repr::Detail(Box::new(Detail::After {
            answer: self,
            last_error,
        })))
    }

    #[cold]
    pub(crate) fn injected(classification: Classification) -> Self {
        Self(Repr::Detail(Box::new(Detail::Injected(classification))))
    }

    /// What happened, with its data.
    pub fn kind(&self) -> ErrorKind<'_> {
        match &self.0 {
            Repr::Answer(answer) => {
                let (service, wait) = (answer.service(), answer.wait());
                match answer.what() {
                    What::CircuitOpen(opened_by, failures) => ErrorKind::CircuitOpen {
                        service,
                        opened_by,
                        failures: failures.into(),
                        retry_in: wait,
                    },
                    What::RateLimited => ErrorKind::RateLimited {
                        service,
                        retry_in: wait.unwrap_or_default(),
                    },
                    What::BulkheadFull => ErrorKind::BulkheadFull { service },
                }
            }
            Repr::Detail(detail) => match &**detail {
                &Detail::ResourceExhausted {
                    resource,
                    current,
                    limit,
                } => ErrorKind::ResourceExhausted {
                    resource,
                    current,
                    limit,
                },
                Detail::Requirements(unmet) => ErrorKind::Requirements(unmet),
                Detail::TimedOut(timed_out) => ErrorKind::TimedOut(*timed_out),
                Detail::Setting { field, message } => ErrorKind::Setting { field, message },
                Detail::Injected(classification) => ErrorKind::Injected(classification),
                Detail::Draining { operation } => ErrorKind::Draining { operation },
                Detail::After { answer, .. } => answer.kind(),
            },
        }
    }

    /// How long to wait before a call can succeed, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.answer()?.wait()
    }

    /// The technical text of the error in which the attempt before ended, where the call was
    /// answered before a further one: the error itself is gone by then. Secrets in it are masked.
    pub fn last_error(&self) -> Option<&str> {
        match &self.0 {
            Repr::Detail(detail) => match &**detail {
                Detail::After { last_error, .. } => Some(last_error),
                _ => None,
            },
            Repr::Answer(_) => None,
        }
    }

    /// The service that refused, where one did.
    pub fn service(&self) -> Option<&str> {
        self.answer().map(Answer::service)
    }

    /// The name of the kind, for telemetry.
    pub fn kind_name(&self) -> &'static str {
        match &self.0 {
            Repr::Answer(answer) => match answer.what() {
                What::CircuitOpen(..) => "circuit_open",
                What::RateLimited => "rate_limited",
                What::BulkheadFull => "bulkhead_full",
            },
            Repr::Detail(detail) => match &**detail {
                Detail::ResourceExhausted { .. } => "resource_exhausted",
                Detail::Requirements(_) => "requirements",
                Detail::TimedOut(_) => "timed_out",
                Detail::Setting { .. } => "setting",
                Detail::Injected(_) => "injected",
                Detail::Draining { .. } => "draining",
                Detail::After { answer, .. } => answer.kind_name(),
            },
        }
    }

    /// That of a breaker, a rate limit or a bulkhead.
    fn answer(&self) -> Option<Answer> {
        match &self.0 {
            Repr::Answer(answer) => Some(*answer),
            Repr::Detail(detail) => match &**detail {
                Detail::After { answer, .. } => answer.answer(),
                _ => None,
            },
        }
    }

    /// What happened, in words for people who do not know the program. It names no internals but
    /// the service, field or operation, and promises nothing.
    pub fn user_message(&self) -> String {
        match self.kind() {
            ErrorKind::CircuitOpen {
                service,
                opened_by,
                retry_in,
                ..
            } => {
                let because = match opened_by {
                    OpenedBy::Failures => "because calls to it failed",
                    OpenedBy::SlowCalls => "because calls to it took too long",
                    OpenedBy::Hand => "because somebody switched it off",
                };
                let text = format!("“{service}” is not being called at the moment, {because}.");
                match retry_in {
                    Some(wait) => format!("{text} It can be tried again in {}.", Plain(wait)),
                    None => text,
                }
            }
            ErrorKind::RateLimited { service, retry_in } => format!(
                "“{service}” has been asked too often in a short time. It can be asked again in {}.",
                Plain(retry_in)
            ),
            ErrorKind::BulkheadFull { service } => {
                format!("“{service}” is busy with other requests, so this one was not made.")
            }
            ErrorKind::ResourceExhausted { resource, .. } => {
                format!("There is not enough “{resource}” free for this request.")
            }
            ErrorKind::Requirements(unmet) => {
                let mut text = String::from("The request cannot be carried out:");
                for Requirement { field, message } in unmet {
                    text.push_str(if text.ends_with(':') { " " } else { "; " });
                    text.push_str(field);
                    text.push(' ');
                    text.push_str(message);
                }
                text.push('.');
                text
            }
            ErrorKind::TimedOut(TimedOut { limit, .. }) => {
                format!("This took longer than {} and was stopped.", Plain(limit))
            }
            ErrorKind::Injected(_) => String::from("A test made this fail on purpose."),
            ErrorKind::Draining { .. } => {
                String::from("The program is being stopped, so this was not tried any longer.")
            }
            ErrorKind::Setting { field, .. } => format!(
                "The program is not set up correctly (“{field}”). Whoever runs it has to correct \
                 that."
            ),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind().fmt(f)?;
        match self.last_error() {
            Some(last_error) => write!(f, "; last error: {last_error}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ErrorKind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            ErrorKind::CircuitOpen {
                service,
                opened_by,
                failures,
                retry_in,
            } => {
                write!(f, "circuit open for service `{service}` ")?;
                match opened_by {
                    OpenedBy::Failures => write!(f, "after {failures} failures")?,
                    OpenedBy::SlowCalls => write!(f, "after {failures} slow calls")?,
                    OpenedBy::Hand => f.write_str("by hand, until it is reset")?,
                }
                match retry_in {
                    Some(retry_in) => write!(f, ", next probe in {retry_in:?}"),
                    None => Ok(()),
                }
            }
            ErrorKind::RateLimited { service, retry_in } => write!(
                f,
                "rate limit of service `{service}` used up, next permit in {retry_in:?}"
            ),
            ErrorKind::BulkheadFull { service } => {
                write!(f, "bulkhead of service `{service}` full")
            }
            ErrorKind::ResourceExhausted {
                resource,
                current,
                limit,
            } => {
                write!(
                    f,
                    "resource `{resource}` exhausted: {current} of {limit} taken"
                )
            }
            ErrorKind::Requirements(unmet) => {
                f.write_str("requirements not met: ")?;
                for (i, Requirement { field, message }) in unmet.iter().enumerate() {
                    let comma = if i == 0 { "" } else { ", " };
                    write!(f, "{comma}`{field}` {message}")?;
                }
                Ok(())
            }
            ErrorKind::TimedOut(TimedOut {
                operation,
                limit,
                attempts,
                of,
            }) => {
                let of = match of {
                    TimeLimit::Attempt => "an attempt",
                    TimeLimit::Call => "the call",
                };
                write!(
                    f,
                    "`{operation}` timed out: {of} took longer than {limit:?}, attempts made: \
                     {attempts}"
                )
            }
            ErrorKind::Setting { field, message } => write!(f, "setting `{field}`: {message}"),
            ErrorKind::Draining { operation } => write!(
                f,
                "`{operation}` not tried any longer, the program is being stopped"
            ),
            ErrorKind::Injected(fault) => {
                write!(f, "injected fault of category {}", fault.category())
            }
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?})", self.kind())
    }
}

impl std::error::Error for Error {}

impl Classify for Error {
    fn classify(&self) -> Classification {
        let classification = match &self.0 {
            Repr::Answer(answer) => answer.classify(),
            Repr::Detail(detail) => match &**detail {
                Detail::ResourceExhausted { .. } => Classification::new(Category::RATE_LIMIT)
                    .with_severity(Severity::High)
                    .rejection(),
                Detail::Requirements(_) => Classification::new(Category::VALIDATION).rejection(),
                Detail::Draining { .. } => Classification::new(Category::CANCELLED).rejection(),
                Detail::TimedOut(_) => Classification::new(Category::TIMEOUT),
                Detail::Injected(classification) => return classification.clone(),
                Detail::Setting { .. } => Classification::new(Category::VALIDATION)
                    .with_severity(Severity::Critical)
                    .with_retry(Retry::No),
                Detail::After { answer, .. } => return answer.classify(),
            },
        };
        classification
            .with_error_type(self.kind_name())
            .with_reason(self.kind_name())
    }

    fn user_message(&self) -> Option<String> {
        Some(Self::user_message(self))
    }
}

impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        use std::io::ErrorKind as Io;
        let kind = match error.kind() {
            ErrorKind::TimedOut(_) => Io::TimedOut,
            ErrorKind::Requirements(_) => Io::InvalidInput,
            _ => Io::Other,
        };
        Self::new(kind, error)
    }
}

/// The technical text.
impl From<Error> for String {
    fn from(error: Error) -> Self {
        error.to_string()
    }
}

/// A duration in words: whole seconds, minutes where it is long, rounded up.
struct Plain(Duration);

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self
            .0
            .as_secs()
            .saturating_add(u64::from(self.0.subsec_nanos() > 0));
        let (number, unit) = match seconds {
            0..=90 => (seconds, "second"),
            _ => (seconds.div_ceil(60), "minute"),
        };
        write!(f, "{number} {unit}{}", if number == 1 { "" } else { "s" })
    }
}

const _: () = assert!(size_of::<Error>() <= 2 * size_of::<u64>());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breaker::Reason;

    fn open() -> Error {
        opened(OpenedBy::Failures, 5, Some(Duration::from_millis(29_500)))
    }

    fn opened(by: OpenedBy, count: u32, retry_in: Option<Duration>) -> Error {
        let reason = Reason { by, count };
        let retry_in = retry_in.map(Wait::from);
        Error::circuit_open(ServiceName::new("weaviate"), Refusal { reason, retry_in })
    }

    #[test]
    fn b12_the_open_error_names_the_breaker_and_says_when_to_retry() {
        let error = open();
        assert_eq!(error.service(), Some("weaviate"));
        assert_eq!(error.retry_after(), Some(Duration::from_millis(29_500)));
        assert_eq!(
            error.to_string(),
            "circuit open for service `weaviate` after 5 failures, next probe in 29.5s"
        );
        assert_eq!(
            error.user_message(),
            "“weaviate” is not being called at the moment, because calls to it failed. It can be \
             tried again in 30 seconds."
        );
    }

    #[test]
    fn an_open_error_says_when_it_was_slow_calls_and_when_it_was_somebody() {
        let slow = opened(OpenedBy::SlowCalls, 8, Some(Duration::MAX));
        assert!(slow.to_string().contains("after 8 slow calls, next probe"));
        assert!(slow.retry_after().is_some(), "long is not never");
        let held = opened(OpenedBy::Hand, 0, None);
        assert_eq!(held.retry_after(), None);
        assert_eq!(
            held.to_string(),
            "circuit open for service `weaviate` by hand, until it is reset"
        );
        assert_eq!(
            Error::user_message(&held),
            "“weaviate” is not being called at the moment, because somebody switched it off."
        );
    }

    #[test]
    fn a_timeout_says_what_took_how_long() {
        let error = Error::timed_out(TimedOut {
            operation: "index",
            limit: Duration::from_secs(120),
            attempts: 3,
            of: TimeLimit::Call,
        });
        assert_eq!(
            error.to_string(),
            "`index` timed out: the call took longer than 120s, attempts made: 3"
        );
        assert_eq!(
            error.user_message(),
            "This took longer than 2 minutes and was stopped."
        );
        assert_eq!(error.classify().category(), Category::TIMEOUT);
        assert!(!error.classify().is_rejection());
    }

    #[test]
    fn all_failed_requirements_are_told() {
        let unmet = [("prompt", "must not be empty"), ("model", "must be known")].map(
            |(field, message)| Requirement {
                field,
                message: message.into(),
            },
        );
        let error = Error::requirements(unmet.to_vec());
        assert_eq!(
            error.to_string(),
            "requirements not met: `prompt` must not be empty, `model` must be known"
        );
        assert_eq!(
            error.user_message(),
            "The request cannot be carried out: prompt must not be empty; model must be known."
        );
        assert!(error.classify().is_rejection());
    }

    #[test]
    fn it_becomes_an_io_error_that_still_carries_it() {
        let io = std::io::Error::from(open());
        let inner = io.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
        assert_eq!(inner.and_then(Error::service), Some("weaviate"));
    }
}
