//! The listener that keeps the most recent errors.

use std::collections::VecDeque;
use std::fmt;
use std::time::SystemTime;

use crate::context::Context;
use crate::event::{AttemptFailed, CallOutcome, Event};
use crate::fields::Fields;
use crate::redact::redacted;
use crate::runtime::Shared;
use crate::site::Place;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Mutex, lock};
use crate::{Category, Classify, Severity};

/// A failed attempt, a refusal or a panic, as kept in memory.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RecentError {
    /// When it happened.
    pub at: SystemTime,
    /// The operation.
    pub operation: String,
    /// Its service.
    pub service: String,
    /// Where the annotated function stands.
    pub place: Place,
    /// Which attempt of the call failed; zero for a refusal before the first.
    pub attempt: u32,
    /// Attempts that errors of this category get.
    pub of: u32,
    /// Whether the caller got this error.
    pub last: bool,
    /// The category.
    pub category: Category,
    /// The severity.
    pub severity: Severity,
    /// The kind of error, out of a bounded set.
    pub error_type: String,
    /// The technical text with its chain, cut after 1 KiB, without the secrets that can be told by
    /// where they stand.
    pub message: String,
    /// What `fields(..)` names.
    pub fields: Fields,
    /// What the task was about: session, agent, file, line and so on.
    pub context: Context,
}

impl RecentError {
    /// The time of the error, RFC 3339 in UTC, to the millisecond.
    pub fn timestamp(&self) -> String {
        humantime::format_rfc3339_millis(self.at).to_string()
    }
}

/// One line: time, operation, attempt, category and severity, message, fields, context.
impl fmt::Display for RecentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operation,
            attempt,
            of,
            category,
            severity,
            message,
            fields,
            context,
            ..
        } = self;
        write!(
            f,
            "{} {operation} attempt {attempt}/{of} {category}:{severity} {message}",
            self.timestamp()
        )?;
        if !fields.is_empty() {
            write!(f, " ({fields})")?;
        }
        if !context.is_empty() {
            write!(f, " [{context}]")?;
        }
        Ok(())
    }
}

/// A ring of the most recent errors.
#[derive(Debug)]
pub(crate) struct Recent {
    /// Where settings say nothing else.
    default: usize,
    limit: AtomicUsize,
    errors: Mutex<VecDeque<RecentError>>,
}

impl Recent {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            default: limit,
            limit: AtomicUsize::new(limit),
            errors: Mutex::new(VecDeque::new()),
        }
    }

    /// Keeps so many from now on; without a number, as many as at the beginning.
    pub(crate) fn set_limit(&self, limit: Option<usize>) {
        let limit = limit.unwrap_or(self.default);
        self.limit.store(limit, Ordering::Relaxed);
        let mut errors = lock(&self.errors);
        let surplus = errors.len().saturating_sub(limit);
        errors.drain(..surplus);
        errors.shrink_to(limit);
    }

    /// The `count` newest errors, oldest first.
    pub(crate) fn last(&self, count: usize) -> Vec<RecentError> {
        let errors = lock(&self.errors);
        errors
            .iter()
            .skip(errors.len().saturating_sub(count))
            .cloned()
            .collect()
    }

    pub(crate) fn clear(&self) {
        lock(&self.errors).clear();
    }

    #[inline]
    pub(crate) fn record(&self, shared: &Shared, event: &Event<'_>) {
        if matches!(
            event,
            Event::AttemptFailed(_)
                | Event::Rejected { .. }
                | Event::CallFinished {
                    outcome: CallOutcome::Panicked,
                    ..
                }
        ) {
            self.keep(shared, event);
        }
    }

    #[cold]
    fn keep(&self, shared: &Shared, event: &Event<'_>) {
        let limit = self.limit.load(Ordering::Relaxed);
        if limit == 0 {
            return;
        }
        let Some(error) = to_record(shared, event) else {
            return;
        };
        let mut errors = lock(&self.errors);
        while errors.len() >= limit {
            errors.pop_front();
        }
        errors.push_back(error);
    }
}

fn to_record(shared: &Shared, event: &Event<'_>) -> Option<RecentError> {
    let at = shared.clock.system_now();
    match event {
        Event::AttemptFailed(failure) => {
            let AttemptFailed {
                site,
                attempt,
                of,
                last,
                classification,
                severity,
                ..
            } = *failure;
            Some(RecentError {
                at,
                operation: site.operation().to_owned(),
                service: site.service().to_owned(),
                place: site.place(),
                attempt,
                of,
                last,
                category: classification.category(),
                severity,
                error_type: failure.error_type.to_owned(),
                message: failure.message.to_owned(),
                fields: failure.fields.cloned().unwrap_or_default(),
                context: failure.context.clone(),
            })
        }
        Event::Rejected {
            site,
            error,
            fields,
            context,
        } => {
            let classification = error.classify();
            Some(RecentError {
                at,
                operation: site.operation().to_owned(),
                service: site.service().to_owned(),
                place: site.place(),
                attempt: 0,
                of: 0,
                last: true,
                category: classification.category(),
                severity: classification.severity(1),
                error_type: error.kind_name().to_owned(),
                message: redacted(error.to_string()),
                fields: fields.cloned().unwrap_or_default(),
                context: (*context).clone(),
            })
        }
        Event::CallFinished {
            site,
            attempts,
            failure: Some(failure),
            context,
            ..
        } => Some(RecentError {
            at,
            operation: site.operation().to_owned(),
            service: site.service().to_owned(),
            place: site.place(),
            attempt: *attempts,
            of: *attempts,
            last: true,
            category: failure.category,
            severity: failure.severity,
            error_type: failure.error_type.to_owned(),
            message: "the body panicked".to_owned(),
            fields: Fields::new(),
            context: (*context).clone(),
        }),
        _ => None,
    }
}
