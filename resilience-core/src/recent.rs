//! The listener that keeps the most recent errors.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::context::Context;
use crate::error::ServiceName;
use crate::event::{AttemptFailed, CallOutcome, Event};
use crate::fields::Fields;
use crate::redact::redacted;
use crate::runtime::Shared;
use crate::site::Place;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Mutex, lock};
use crate::{Category, Error, Severity};

/// A failed attempt, a refusal or a panic, as kept in memory.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RecentError {
    /// When it happened.
    pub at: SystemTime,
    /// The operation.
    pub operation: &'static str,
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
    pub error_type: &'static str,
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
    errors: Mutex<VecDeque<Kept>>,
}

/// One of them. What costs time to write out is written out for whoever asks.
#[derive(Debug)]
struct Kept {
    at: SystemTime,
    operation: &'static str,
    service: Arc<ServiceName>,
    place: Place,
    attempt: u32,
    of: u32,
    last: bool,
    category: Category,
    severity: Severity,
    error_type: &'static str,
    message: Message,
    fields: Fields,
    context: Context,
}

#[derive(Debug)]
enum Message {
    Text(String),
    /// The text of an answer that is small enough to be kept as it is.
    Answer(Error),
    Panic,
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
        let skipped = errors.len().saturating_sub(count);
        errors.iter().skip(skipped).map(Kept::written_out).collect()
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
        let Some(error) = kept(shared, event) else {
            return;
        };
        // Dropped without the lock.
        let mut surplus = None;
        let mut errors = lock(&self.errors);
        while errors.len() >= limit {
            surplus = errors.pop_front();
        }
        errors.push_back(error);
        drop(errors);
        drop(surplus);
    }
}

impl Kept {
    fn written_out(&self) -> RecentError {
        RecentError {
            at: self.at,
            operation: self.operation,
            service: self.service.as_str().to_owned(),
            place: self.place,
            attempt: self.attempt,
            of: self.of,
            last: self.last,
            category: self.category,
            severity: self.severity,
            error_type: self.error_type,
            message: match &self.message {
                Message::Text(text) => text.clone(),
                Message::Answer(answer) => redacted(answer.to_string()),
                Message::Panic => "the body panicked".to_owned(),
            },
            fields: self.fields.clone(),
            context: self.context.clone(),
        }
    }
}

fn kept(shared: &Shared, event: &Event<'_>) -> Option<Kept> {
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
            Some(Kept {
                at,
                operation: site.operation(),
                service: site.service_name(),
                place: site.place(),
                attempt,
                of,
                last,
                category: classification.category(),
                severity,
                error_type: failure.error_type,
                message: Message::Text(failure.message.to_owned()),
                fields: failure.fields.cloned().unwrap_or_default(),
                context: failure.context.clone(),
            })
        }
        Event::Rejected {
            site,
            error,
            failure,
            fields,
            context,
        } => Some(Kept {
            at,
            operation: site.operation(),
            service: site.service_name(),
            place: site.place(),
            attempt: 0,
            of: 0,
            last: true,
            category: failure.category,
            severity: failure.severity,
            error_type: failure.error_type,
            message: match error.small() {
                Some(answer) => Message::Answer(answer),
                None => Message::Text(redacted(error.to_string())),
            },
            fields: fields.cloned().unwrap_or_default(),
            context: (*context).clone(),
        }),
        Event::CallFinished {
            site,
            attempts,
            failure: Some(failure),
            context,
            ..
        } => Some(Kept {
            at,
            operation: site.operation(),
            service: site.service_name(),
            place: site.place(),
            attempt: *attempts,
            of: *attempts,
            last: true,
            category: failure.category,
            severity: failure.severity,
            error_type: failure.error_type,
            message: Message::Panic,
            fields: Fields::new(),
            context: (*context).clone(),
        }),
        _ => None,
    }
}
