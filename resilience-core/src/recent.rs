//! The listener that keeps the most recent errors.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::clock::{Calendar, Date, Moment};
use crate::context::Context;
use crate::error::ServiceName;
use crate::event::{AttemptFailed, CallFailure, CallOutcome, Event, EventSite};
use crate::fields::Fields;
use crate::redact::redacted;
use crate::runtime::SiteState;
use crate::site::Place;
use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use crate::sync::{Mutex, lock};
use crate::{Category, Error, Severity};

/// A failed attempt, a refusal or a panic, as kept in memory.
///
/// An open breaker may refuse thousands of calls in a second. Of those that have no context and no
/// fields, the latest of each function is kept and those before it are not.
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
    calendar: Calendar,
    /// How many have been kept so far.
    kept: AtomicU64,
    ring: Mutex<Ring>,
}

#[derive(Debug, Default)]
struct Ring {
    /// In the order in which they came, from `oldest` on and around.
    errors: Vec<Kept>,
    /// Zero where there is room for more.
    oldest: usize,
}

/// One of them. What costs time to write out is written out for whoever asks.
#[derive(Debug)]
struct Kept {
    /// How many had been kept before it.
    number: u64,
    about: About,
    /// Where the message is a text. Its memory is used again for the next one.
    text: String,
    message: Message,
    fields: Fields,
    context: Context,
}

#[derive(Clone, Copy, Debug)]
struct About {
    at: Date,
    operation: &'static str,
    service: &'static ServiceName,
    place: Place,
    attempt: u32,
    of: u32,
    last: bool,
    category: Category,
    severity: Severity,
    error_type: &'static str,
}

#[derive(Debug)]
enum Message {
    Text,
    /// The text of an answer that is small enough to be kept as it is.
    Answer(Error),
    Refusals(Arc<Refusals>),
    Panic,
}

/// The latest refusal of one function by an open breaker, and its place in the ring.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    is_listed: AtomicBool,
    /// How many errors had been kept before it.
    number: AtomicU64,
    at: AtomicU64,
    answer: AtomicU64,
}

impl Recent {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            default: limit,
            limit: AtomicUsize::new(limit),
            calendar: Calendar::default(),
            kept: AtomicU64::new(0),
            ring: Mutex::default(),
        }
    }

    /// Keeps so many from now on; without a number, as many as at the beginning.
    pub(crate) fn set_limit(&self, limit: Option<usize>) {
        let limit = limit.unwrap_or(self.default);
        let mut ring = lock(&self.ring);
        self.limit.store(limit, Ordering::Relaxed);
        let Ring { errors, oldest } = &mut *ring;
        errors.rotate_left(std::mem::take(oldest));
        let surplus = errors.len().saturating_sub(limit);
        errors.drain(..surplus).for_each(|error| error.unlist());
        errors.shrink_to(limit);
    }

    /// The `count` newest errors, oldest first.
    pub(crate) fn last(&self, count: usize) -> Vec<RecentError> {
        let ring = lock(&self.ring);
        let (newer, oldest) = ring.errors.split_at(ring.oldest);
        let mut errors = Vec::new();
        for error in oldest.iter().chain(newer) {
            // Nearly all come in order.
            let order = (error.newest(), !error.is_refusals());
            let before = |other: &&Kept| (other.newest(), !other.is_refusals()) <= order;
            errors.insert(errors.partition_point(before), error);
        }
        let skipped = errors.len().saturating_sub(count);
        errors[skipped..]
            .iter()
            .map(|error| error.written_out())
            .collect()
    }

    pub(crate) fn clear(&self) {
        let mut ring = lock(&self.ring);
        ring.oldest = 0;
        ring.errors.drain(..).for_each(|error| error.unlist());
    }

    /// Keeps an attempt that failed `now`.
    pub(crate) fn attempt_failed(&self, failure: &AttemptFailed<'_>, now: Moment) {
        let AttemptFailed {
            site,
            attempt,
            of,
            last,
            classification,
            severity,
            error_type,
            message,
            fields,
            context,
            ..
        } = *failure;
        let at = self.calendar.date(now);
        let about = || About {
            at,
            operation: site.operation(),
            service: site.service_name(),
            place: site.place(),
            attempt,
            of,
            last,
            category: classification.category(),
            severity,
            error_type,
        };
        self.keep(about, message, Message::Text, fields, context);
    }

    /// Keeps a refusal.
    #[cold]
    pub(crate) fn rejected(&self, event: &Event<'_>, now: Moment) {
        let &Event::Rejected {
            site,
            error,
            failure,
            fields,
            context,
        } = event
        else {
            return;
        };
        if context.is_empty() && fields.is_none_or(Fields::is_empty) && error.packed().is_some() {
            return self.refused(site.0, error, now);
        }
        let about = self.about(site, failure, 0, now);
        if let Some(answer) = error.small() {
            self.keep(|| about, "", Message::Answer(answer), fields, context);
        } else {
            let text = redacted(error.to_string());
            self.keep(|| about, &text, Message::Text, fields, context);
        }
    }

    /// Keeps a call that ended in a panic.
    #[inline]
    pub(crate) fn finished(&self, event: &Event<'_>, now: Moment) {
        if let &Event::CallFinished {
            site,
            outcome: CallOutcome::Panicked,
            attempts,
            failure: Some(failure),
            context,
            ..
        } = event
        {
            let about = self.about(site, failure, attempts, now);
            self.keep(|| about, "", Message::Panic, None, context);
        }
    }

    /// An open breaker refused a call that has nothing to tell but which function it is of.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a refusal does little else")]
    pub(crate) fn refused(&self, site: &SiteState, error: &Error, now: Moment) {
        let at = self.calendar.date(now);
        if let Some(refusals) = site.refusals.get()
            && refusals.is_listed.load(Ordering::Relaxed)
        {
            refusals.renew(self.kept.load(Ordering::Relaxed), error, at);
        } else {
            self.list(site, error, now);
        }
    }

    /// Gives the refusals of a function their place.
    #[cold]
    fn list(&self, site: &SiteState, error: &Error, now: Moment) {
        if self.limit.load(Ordering::Relaxed) == 0 {
            return;
        }
        let refusals = site.refusals.get_or_init(Arc::default);
        let failure = error.refusal();
        let about = self.about(EventSite(site), failure, 0, now);
        refusals.renew(self.kept.load(Ordering::Relaxed), error, about.at);
        let message = Message::Refusals(Arc::clone(refusals));
        self.keep(|| about, "", message, None, &Context::new());
    }

    fn about(
        &self,
        site: EventSite<'_>,
        failure: CallFailure,
        attempts: u32,
        now: Moment,
    ) -> About {
        About {
            at: self.calendar.date(now),
            operation: site.operation(),
            service: site.service_name(),
            place: site.place(),
            attempt: attempts,
            of: attempts,
            last: true,
            category: failure.category,
            severity: failure.severity,
            error_type: failure.error_type,
        }
    }

    /// Keeps one more. What is about it is written into its place, and not made before.
    #[inline]
    fn keep(
        &self,
        about: impl FnOnce() -> About,
        text: &str,
        message: Message,
        fields: Option<&Fields>,
        context: &Context,
    ) {
        // Made, and what is there instead dropped, without the lock.
        let mut fields = fields.cloned().unwrap_or_default();
        let mut context = context.clone();
        let mut ring = lock(&self.ring);
        let limit = self.limit.load(Ordering::Relaxed);
        let number = self.kept.load(Ordering::Relaxed);
        if limit == 0 || !message.needs_place() {
            return;
        }
        let kept = ring.place(limit, about);
        kept.number = number;
        kept.text.clear();
        kept.text.push_str(text);
        kept.message = message;
        std::mem::swap(&mut kept.fields, &mut fields);
        std::mem::swap(&mut kept.context, &mut context);
        self.kept.store(number + 1, Ordering::Relaxed);
        drop(ring);
    }
}

impl Ring {
    /// The place for one more: a new one, or that of the oldest. Refusals that have gone on since
    /// they got theirs get another turn.
    #[inline]
    fn place(&mut self, limit: usize, about: impl FnOnce() -> About) -> &mut Kept {
        let Self { errors, oldest } = self;
        let at = if errors.len() < limit {
            errors.push(Kept::new(about()));
            errors.len() - 1
        } else {
            for _ in 0..errors.len() {
                let error = &mut errors[*oldest];
                let newest = error.newest();
                if newest == error.number {
                    break;
                }
                error.number = newest;
                *oldest = next(*oldest, errors.len());
            }
            let at = *oldest;
            *oldest = next(at, errors.len());
            errors[at].unlist();
            errors[at].about = about();
            at
        };
        &mut errors[at]
    }
}

/// The place behind one, around the end.
fn next(at: usize, length: usize) -> usize {
    if at + 1 < length { at + 1 } else { 0 }
}

impl Kept {
    fn new(about: About) -> Self {
        Self {
            number: 0,
            about,
            text: String::new(),
            message: Message::Text,
            fields: Fields::new(),
            context: Context::new(),
        }
    }

    /// The number of the latest error that this tells of.
    fn newest(&self) -> u64 {
        match &self.message {
            Message::Refusals(refusals) => refusals.number.load(Ordering::Relaxed),
            _ => self.number,
        }
    }

    /// Of what has the same number, these were there first.
    fn is_refusals(&self) -> bool {
        matches!(self.message, Message::Refusals(_))
    }

    /// It loses its place.
    fn unlist(&self) {
        if let Message::Refusals(refusals) = &self.message {
            refusals.is_listed.store(false, Ordering::Relaxed);
        }
    }

    fn written_out(&self) -> RecentError {
        let About {
            at,
            operation,
            service,
            place,
            attempt,
            of,
            last,
            category,
            severity,
            error_type,
        } = self.about;
        let (at, message) = match &self.message {
            Message::Text => (at, self.text.clone()),
            Message::Answer(answer) => (at, redacted(answer.to_string())),
            Message::Refusals(refusals) => {
                let answer = Error::unpacked(refusals.answer.load(Ordering::Relaxed));
                (Date::load(&refusals.at), redacted(answer.to_string()))
            }
            Message::Panic => (at, "the body panicked".to_owned()),
        };
        RecentError {
            at: at.into(),
            operation,
            service: service.as_str().to_owned(),
            place,
            attempt,
            of,
            last,
            category,
            severity,
            error_type,
            message,
            fields: self.fields.clone(),
            context: self.context.clone(),
        }
    }
}

impl Message {
    /// Whether it is not in the ring yet; it is from now on.
    fn needs_place(&self) -> bool {
        match self {
            Self::Refusals(refusals) => !refusals.is_listed.swap(true, Ordering::Relaxed),
            _ => true,
        }
    }
}

impl Refusals {
    /// Written only where it shows, so that threads which are refused at the same time do not meet.
    #[inline]
    fn renew(&self, number: u64, error: &Error, at: Date) {
        if self.number.load(Ordering::Relaxed) != number {
            self.number.store(number, Ordering::Relaxed);
        }
        if !Date::load(&self.at).is_about(at) {
            at.store(&self.at);
            self.answer
                .store(error.packed().unwrap_or_default(), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about() -> About {
        About {
            at: Date::default(),
            operation: "k::f",
            service: ServiceName::new("recent"),
            place: Place {
                file: "f.rs",
                line: 1,
                column: 1,
            },
            attempt: 1,
            of: 1,
            last: true,
            category: Category::NETWORK,
            severity: Severity::Low,
            error_type: "t",
        }
    }

    fn fail(recent: &Recent, text: &str) {
        recent.keep(about, text, Message::Text, None, &Context::new());
    }

    fn refuse(recent: &Recent, refusals: &Arc<Refusals>) {
        let number = recent.kept.load(Ordering::Relaxed);
        refusals.renew(number, &Error::unpacked(0), Date::default());
        if !refusals.is_listed.load(Ordering::Relaxed) {
            let message = Message::Refusals(Arc::clone(refusals));
            recent.keep(about, "", message, None, &Context::new());
        }
    }

    fn texts(recent: &Recent) -> String {
        let errors = recent.last(9).into_iter();
        let short = |error: RecentError| error.message.chars().next().unwrap_or('-');
        errors.map(short).collect()
    }

    #[test]
    fn refusals_have_one_place_among_the_errors_that_of_the_latest() {
        let recent = Recent::new(3);
        let refusals = Arc::default();
        fail(&recent, "1");
        for _ in 0..5 {
            refuse(&recent, &refusals);
        }
        fail(&recent, "2");
        assert_eq!(texts(&recent), "1c2");
        refuse(&recent, &refusals);
        assert_eq!(texts(&recent), "12c");
        // What has gone on since it got its place gets another turn.
        fail(&recent, "3");
        assert_eq!(texts(&recent), "2c3");
        fail(&recent, "4");
        assert_eq!(texts(&recent), "c34");
        fail(&recent, "5");
        assert_eq!(texts(&recent), "c45");
        fail(&recent, "6");
        assert_eq!(texts(&recent), "456");
        refuse(&recent, &refusals);
        assert_eq!(texts(&recent), "56c");
        recent.clear();
        assert_eq!(texts(&recent), "");
        refuse(&recent, &refusals);
        assert_eq!(texts(&recent), "c");
    }

    #[test]
    fn fewer_and_more_are_kept_as_the_limit_says() {
        let recent = Recent::new(3);
        for text in ["1", "2", "3", "4"] {
            fail(&recent, text);
        }
        recent.set_limit(Some(2));
        assert_eq!(texts(&recent), "34");
        recent.set_limit(Some(4));
        for text in ["5", "6", "7"] {
            fail(&recent, text);
        }
        assert_eq!(texts(&recent), "4567");
        recent.set_limit(Some(0));
        fail(&recent, "8");
        assert_eq!(texts(&recent), "");
        recent.set_limit(None);
        fail(&recent, "9");
        assert_eq!(texts(&recent), "9");
    }
}
