//! What is known about a failure once it has been looked at.

use std::borrow::Cow;
use std::time::Duration;

use crate::{Category, Severity};

/// What is known about a failure: what kind it is, how bad, whose fault, and whether trying again
/// makes sense.
///
/// [`Classification::new`] fills in what the category implies; the `with_` methods change single
/// answers:
///
/// ```
/// use resilience_core::{Category, Classification, Retry};
///
/// let quota = Classification::new(Category::RATE_LIMIT)
///     .with_retry(Retry::No)
///     .with_reason("the month's quota is used up");
/// assert_eq!(quota.retry(), Retry::No);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classification {
    category: Category,
    severity: Option<Severity>,
    retry: Retry,
    fault: Fault,
    effect: Effect,
    retry_after: Option<Duration>,
    rejection: bool,
    error_type: Option<&'static str>,
    reason: Cow<'static, str>,
}

impl Classification {
    /// A failure of this category, with everything else as the category implies.
    pub const fn new(category: Category) -> Self {
        Self {
            category,
            severity: None,
            retry: Retry::of(category),
            fault: Fault::of(category),
            effect: Effect::Possible,
            retry_after: None,
            rejection: false,
            error_type: None,
            reason: Cow::Borrowed(""),
        }
    }

    /// What cannot be placed: `unknown`, and unsure whether to retry.
    pub const fn unknown() -> Self {
        Self::new(Category::UNKNOWN)
    }

    /// Replaces the category and keeps every other answer, as a site's own category does.
    #[must_use]
    pub const fn with_category(mut self, category: Category) -> Self {
        self.category = category;
        self
    }

    /// Sets the severity. Without it, the category and the number of the attempt decide.
    #[must_use]
    pub const fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// Sets whether trying again makes sense.
    #[must_use]
    pub const fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Sets whose fault it is.
    #[must_use]
    pub const fn with_fault(mut self, fault: Fault) -> Self {
        self.fault = fault;
        self
    }

    /// Sets whether the request may have had an effect.
    #[must_use]
    pub const fn with_effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    /// Sets how long the other side asked to wait.
    #[must_use]
    pub const fn with_retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Names the kind of error for telemetry (`error.type`): a word out of a bounded set, such as
    /// the variant's name.
    #[must_use]
    pub const fn with_error_type(mut self, name: &'static str) -> Self {
        self.error_type = Some(name);
        self
    }

    /// Says what decided: the rule, the status, the kind.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<Cow<'static, str>>) -> Self {
        self.reason = reason.into();
        self
    }

    /// As [`with_retry`](Self::with_retry), in its place.
    pub(crate) fn set_retry(&mut self, retry: Retry) {
        self.retry = retry;
    }

    /// As [`with_category`](Self::with_category), in its place.
    pub(crate) fn set_category(&mut self, category: Category) {
        self.category = category;
    }

    /// An unknown failure takes its site's category, and what that implies; that nobody could tell
    /// whether to retry stays so, unless the category rules it out.
    pub(crate) fn adopt(&mut self, category: Category) {
        if self.retry == Retry::Unsure && Retry::of(category) == Retry::No {
            self.retry = Retry::No;
        }
        self.category = category;
        self.fault = Fault::of(category);
    }

    /// Marks an answer that the runtime gave without running a body.
    pub(crate) const fn rejection(mut self) -> Self {
        self.rejection = true;
        self.retry = Retry::No;
        self.effect = Effect::None;
        self
    }

    /// The category.
    pub const fn category(&self) -> Category {
        self.category
    }

    /// How bad this is as the failure of attempt number `attempt` (from 1): what was set, else
    /// what the category implies.
    pub const fn severity(&self, attempt: u32) -> Severity {
        match self.severity {
            Some(severity) => severity,
            None => category_severity(self.category, attempt),
        }
    }

    /// Whether trying again makes sense.
    pub const fn retry(&self) -> Retry {
        self.retry
    }

    /// Whose fault it is.
    pub const fn fault(&self) -> Fault {
        self.fault
    }

    /// Whether the request may have had an effect.
    pub const fn effect(&self) -> Effect {
        self.effect
    }

    /// How long the other side asked to wait before the next attempt.
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether this is an answer of the runtime itself, given without running a body: circuit
    /// open, rate limited, and so on. It is never retried and no breaker counts it.
    pub const fn is_rejection(&self) -> bool {
        self.rejection
    }

    /// The kind of error for telemetry, out of a bounded set of words, where one is known.
    pub const fn error_type(&self) -> Option<&'static str> {
        self.error_type
    }

    /// What decided: the rule, the status, the kind. Empty where the category was simply given.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// Whether trying again makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// It may well work the next time.
    Yes,
    /// It will fail again in the same way.
    No,
    /// Nobody can tell. Treated as a yes, with the numbers of its category.
    Unsure,
}

impl Retry {
    /// What a category implies.
    pub const fn of(category: Category) -> Self {
        match category {
            Category::ENCODING
            | Category::VALIDATION
            | Category::MEMORY
            | Category::AUTH
            | Category::NOT_FOUND
            | Category::CONFLICT
            | Category::CANCELLED => Self::No,
            Category::UNKNOWN => Self::Unsure,
            _ => Self::Yes,
        }
    }

    /// The name, as in telemetry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unsure => "unsure",
        }
    }
}

/// Whose fault a failure is. The caller's says nothing about the health of a dependency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The other side, or the way to it.
    Remote,
    /// This machine: its disk, its memory.
    Local,
    /// Who called: the request could not have succeeded.
    Caller,
}

impl Fault {
    /// What a category implies.
    pub const fn of(category: Category) -> Self {
        match category {
            Category::FILESYSTEM | Category::MEMORY => Self::Local,
            Category::ENCODING
            | Category::VALIDATION
            | Category::AUTH
            | Category::NOT_FOUND
            | Category::CONFLICT
            | Category::CANCELLED => Self::Caller,
            _ => Self::Remote,
        }
    }

    /// The name, as in telemetry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Remote => "remote",
            Self::Local => "local",
            Self::Caller => "caller",
        }
    }
}

/// Whether the failed request may have changed something on the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// It surely was not processed: refused connection, failed name lookup.
    None,
    /// It may have been.
    Possible,
}

impl Effect {
    /// The name, as in telemetry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Possible => "possible",
        }
    }
}

/// The severity column of the table of defaults.
const fn category_severity(category: Category, attempt: u32) -> Severity {
    match category {
        Category::NETWORK if attempt < 3 => Severity::Low,
        Category::TIMEOUT
        | Category::ENCODING
        | Category::VALIDATION
        | Category::NOT_FOUND
        | Category::CONFLICT
        | Category::CANCELLED => Severity::Low,
        Category::MEMORY => Severity::High,
        _ => Severity::Medium,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_is_low_at_first_and_medium_from_the_third_attempt() {
        let network = Classification::new(Category::NETWORK);
        let severities = [1, 2, 3, 4].map(|attempt| network.severity(attempt));
        assert_eq!(
            severities,
            [
                Severity::Low,
                Severity::Low,
                Severity::Medium,
                Severity::Medium
            ]
        );
    }

    #[test]
    fn what_was_set_wins_over_what_the_category_implies() {
        let classification = Classification::new(Category::NETWORK)
            .with_severity(Severity::Critical)
            .with_retry(Retry::No)
            .with_fault(Fault::Caller);
        assert_eq!(classification.severity(1), Severity::Critical);
        assert_eq!(classification.retry(), Retry::No);
        assert_eq!(classification.fault(), Fault::Caller);
    }
}
