//! The decisions of one call: everything that does not depend on the user's types, compiled once.
//!
//! [`Decisions`] is told what happens (`start`, `fail`, `succeed`, a drop) and answers what to do.
//! It awaits nothing; `driver` does. It asks the clock only where a decision needs the time: a body
//! that is ready at once, behind a closed breaker and without a deadline, never does.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::Sleep;

use crate::breaker::{Admission, CallId, Moved};
use crate::clock::{self, Moment};
use crate::error::{ErrorKind, TimeLimit, TimedOut};
use crate::event::{
    AttemptFailed, CallFailure, CallOutcome, Event, EventSite, emit, succeeded_unseen, watched,
};
use crate::fields::Fields;
use crate::redact::redacted;
use crate::runtime::SiteRef;
use crate::scope::{self, Enclosing, Frame, Mark};
use crate::site::Site;
use crate::testing::Struck;
use crate::trace::{Entered, Spans};
use crate::{Category, Classification, Classify, Error, Fault, Retry, Severity};

/// One call, from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Decisions {
    site: SiteRef,
    /// What only a call that waits, fails or has fields needs: one allocation for all of it.
    extra: Option<Pin<Box<Extra>>>,
    /// The call's own deadline.
    deadline: Moment,
    /// The earliest limit of the enclosing attempts, once the clock has been read.
    enclosing: Moment,
    /// When the running attempt times out, or the pause ends, once the clock has been read.
    due: Moment,
    admission: Option<Admission>,
    /// When the attempt was admitted, where slow calls are counted; else never.
    began: Moment,
    attempts: u32,
    stage: Stage,
    mark: Mark,
    around: Enclosing,
    /// The clock has been read for the running attempt.
    anchored: bool,
}

pin_project! {
    #[derive(Debug, Default)]
    #[project = ExtraProjection]
    struct Extra {
        // For the time limit of an attempt, or the pause after it.
        #[pin]
        timer: Option<Sleep>,
        // What `fields(..)` names.
        fields: Option<Fields>,
        // The requirements that are not met: the answer, instead of a first attempt.
        refusal: Option<Error>,
        // Given at the first failure.
        id: Option<CallId>,
        // The delay before the attempt that runs.
        delay: Duration,
        // What a test does to the attempt that runs, and from when on the body may run after all.
        fault: Option<Struck>,
        fault_over: Option<Moment>,
        // When the call and the running attempt began: from their beginning where somebody
        // listens, else from when they first waited.
        since: Option<Moment>,
        attempt_since: Option<Moment>,
        spans: Option<Spans>,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Between attempts, or before the first.
    Between,
    /// An attempt runs, and holds its admission.
    Running,
    /// The end has been told.
    Over,
}

/// What to do after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Wait until the pause is over, then try again.
    Again,
    /// Hand the error to the caller.
    GiveUp,
}

/// A failure as the telemetry sees it. Texts are made only if somebody asks.
pub(crate) struct Failed<'a> {
    pub(crate) classification: Classification,
    pub(crate) error_type: &'a str,
    pub(crate) message: &'a dyn Fn() -> String,
}

impl Decisions {
    #[inline]
    pub(crate) fn new(site: &'static Site) -> Self {
        let (site, around) = Enclosing::of(site);
        let deadline = match site.settings.deadline {
            Some(deadline) => site.shared.clock.now() + deadline,
            None => Moment::NEVER,
        };
        Self {
            site,
            extra: None,
            deadline,
            enclosing: Moment::NEVER,
            due: Moment::NEVER,
            admission: None,
            began: Moment::NEVER,
            attempts: 0,
            stage: Stage::Between,
            mark: Mark::None,
            around,
            anchored: false,
        }
    }

    /// Keeps what `fields(..)` names, for the events of this call.
    pub(crate) fn record(&mut self, fields: Fields) {
        *self.extra().fields = Some(fields);
    }

    /// Keeps the answer that the first attempt gets instead of being run.
    pub(crate) fn refuse(&mut self, refusal: Error) {
        *self.extra().refusal = Some(refusal);
    }

    pub(crate) const fn is_running(&self) -> bool {
        matches!(self.stage, Stage::Running)
    }

    /// Asks for leave to run an attempt.
    #[inline]
    pub(crate) fn start(&mut self) -> Result<(), Error> {
        let watched = watched(&self.site.shared);
        if watched {
            self.watch();
        }
        if let Some(extra) = &mut self.extra {
            let extra = extra.as_mut().project();
            if let Some(refusal) = extra.refusal.take() {
                return Err(refusal);
            }
            *extra.attempt_since = None;
        }
        if self.site.settings.breaker.is_some() && !self.around.covered {
            self.admission = match self.site.service.breaker.admit_closed() {
                Some(admission) => Some(admission),
                None => Some(self.admit()?),
            };
            // Measured only where slow calls are counted.
            if self.site.service.breaker.slow_call_duration().is_some() {
                self.began = self.now();
            }
        }
        self.attempts += 1;
        self.stage = Stage::Running;
        self.mark = Mark::None;
        self.anchored = false;
        self.due = Moment::NEVER;
        if watched {
            self.watch_attempt();
        }
        if self.site.shared.faults.any() {
            self.strike();
        }
        Ok(())
    }

    /// Somebody listens: takes the time of the call and opens its span.
    #[cold]
    fn watch(&mut self) {
        if self.attempts > 0 {
            return;
        }
        let now = self.now();
        let spans = Spans::open(EventSite(&self.site), self.fields());
        let extra = self.extra();
        *extra.since = Some(now);
        *extra.spans = spans;
    }

    /// The same for an attempt.
    #[cold]
    fn watch_attempt(&mut self) {
        let (now, attempt) = (self.now(), self.attempts);
        let extra = self.extra();
        *extra.attempt_since = Some(now);
        if let Some(spans) = extra.spans {
            spans.attempt(attempt);
        }
    }

    #[cold]
    fn admit(&self) -> Result<Admission, Error> {
        let breaker = &self.site.service.breaker;
        let (answer, moves) = breaker.admit(self.now());
        for moved in moves.into_iter().flatten() {
            self.breaker_moved(Some(moved));
        }
        answer.map_err(|refusal| {
            Error::circuit_open(breaker.name().clone(), refusal.reason, refusal.retry_in)
        })
    }

    #[cold]
    fn strike(&mut self) {
        let site = &self.site;
        let fault = site.shared.faults.strike(site.operation(), site.service());
        let silent = site.site().options().silent;
        *self.extra().fault = fault.filter(|fault| !(silent && matches!(fault, Struck::Error(_))));
    }

    /// What a test put in the way of the body; `None` where nothing is.
    #[inline]
    pub(crate) fn poll_fault(&mut self, cx: &mut Context<'_>) -> Option<Poll<Error>> {
        if self
            .extra
            .as_ref()
            .is_some_and(|extra| extra.fault.is_some())
        {
            self.poll_struck(cx)
        } else {
            None
        }
    }

    #[cold]
    fn poll_struck(&mut self, cx: &mut Context<'_>) -> Option<Poll<Error>> {
        let delay = match self.extra().fault.take()? {
            Struck::Error(error) => return Some(Poll::Ready(error)),
            Struck::Hang => {
                *self.extra().fault = Some(Struck::Hang);
                return Some(self.poll_limit(cx));
            }
            Struck::Delay(delay) => delay,
        };
        let now = self.now();
        if !self.anchored {
            self.anchor(now);
        }
        let over = *self.extra().fault_over.get_or_insert(now + delay);
        if now >= over {
            *self.extra().fault_over = None;
            return None;
        }
        *self.extra().fault = Some(Struck::Delay(delay));
        let limit = self.due.min(self.deadline);
        match self.poll_timer(over.min(limit), cx) {
            Poll::Pending => Some(Poll::Pending),
            Poll::Ready(Err(NoTimer)) => Some(Poll::Ready(no_timer())),
            Poll::Ready(Ok(())) if over > limit => Some(Poll::Ready(self.timed_out())),
            Poll::Ready(Ok(())) => self.poll_struck(cx),
        }
    }

    /// Puts the attempt on the task's stack for one poll.
    #[inline]
    pub(crate) fn enter(&self) {
        let timeout = if self.anchored {
            None
        } else {
            self.site.settings.timeout
        };
        scope::enter(Frame {
            until: self.due.min(self.deadline).min(self.enclosing),
            timeout,
            began: None,
            site: self.site.site(),
            attempt: self.attempts,
            service: if self.admission.is_some() {
                self.site.service_address()
            } else {
                0
            },
            fail_fast: self.around.fail_fast || self.site.is_fail_fast(),
            mark: self.mark,
        });
        if let Some(spans) = self.spans() {
            spans.enter();
        }
    }

    /// Takes it off again, and learns what the calls inside left behind.
    #[inline]
    pub(crate) fn leave(&mut self) {
        if let Some(spans) = self.spans() {
            spans.exit();
        }
        let Some(frame) = scope::leave() else { return };
        self.mark = frame.mark;
        if let Some(began) = frame.began
            && !self.anchored
        {
            self.anchor(began);
        }
    }

    /// The attempt is pending: waits for its timeout or the deadline, whichever comes first.
    pub(crate) fn poll_limit(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        if !self.anchored {
            let now = self.now();
            self.anchor(now);
            let extra = self.extra();
            extra.since.get_or_insert(now);
            extra.attempt_since.get_or_insert(now);
        }
        let until = self.due.min(self.deadline);
        if until == Moment::NEVER {
            return Poll::Pending;
        }
        if ready!(self.poll_timer(until, cx)).is_err() {
            return Poll::Ready(no_timer());
        }
        Poll::Ready(self.timed_out())
    }

    /// The pause before the next attempt.
    pub(crate) fn poll_pause(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.due == Moment::NEVER {
            return Poll::Ready(());
        }
        // That there is a timer was made sure before the pause was decided.
        self.poll_timer(self.due, cx).map(|_| ())
    }

    /// The attempt succeeded.
    #[inline]
    pub(crate) fn succeed(&mut self) {
        if let Some(admission) = self.admission.take() {
            let breaker = &self.site.service.breaker;
            let elapsed = self.elapsed();
            if !breaker.is_healthy(admission, elapsed) {
                self.breaker_moved(breaker.succeed(admission, elapsed, self.now()));
            }
        }
        if self.around.nested {
            scope::mark(Mark::None);
        }
        if self.extra.is_none() && self.attempts == 1 {
            self.stage = Stage::Over;
            succeeded_unseen(&self.site);
        } else {
            self.finish(CallOutcome::Succeeded, None);
        }
    }

    /// The attempt failed, or was dropped by its timeout.
    #[cold]
    pub(crate) fn fail(&mut self, failed: Failed<'_>) -> Verdict {
        let Failed {
            classification,
            error_type,
            message,
        } = failed;
        let refused = classification.is_rejection() || self.mark == Mark::Refused;
        let classification = self.adopt(classification);
        let now = self.now();
        if !self.anchored {
            self.enclosing = scope::limit(now);
        }
        let inside = self.inside_span();
        self.tell_breaker(&classification, refused, now);

        let category = classification.category();
        let policy = self.site.settings.retry(category);
        let worth = !refused
            && self.mark == Mark::None
            && classification.retry() != Retry::No
            && classification.severity(self.attempts) != Severity::Critical;
        let delay = if worth && !self.around.fail_fast && self.attempts <= policy.retries {
            self.delay(&classification, now)
        } else {
            None
        };

        let failure = CallFailure {
            category,
            severity: self.severity(&classification, delay.is_none()),
            error_type: classification.error_type().unwrap_or(error_type),
            refused,
        };
        self.attempt_failed(&classification, failure, message, delay.is_none(), now);
        drop(inside);
        if let Some(extra) = &mut self.extra
            && let Some(spans) = extra.as_mut().project().spans
        {
            spans.attempt_failed(failure, delay.is_some());
        }
        let Some(delay) = delay else {
            self.give_up(worth, failure);
            return Verdict::GiveUp;
        };
        let inside = self.inside_span();
        emit(
            &self.site.shared,
            Event::RetryScheduled {
                site: EventSite(&self.site),
                next_attempt: self.attempts + 1,
                delay,
                context: &scope::context(),
            },
        );
        drop(inside);
        self.stage = Stage::Between;
        Verdict::Again
    }

    /// The runtime's own answer: a refusal ends the call, a timeout is a failed attempt.
    #[cold]
    pub(crate) fn fail_with(&mut self, error: &Error) -> Verdict {
        if !self.is_running() {
            let inside = self.inside_span();
            emit(
                &self.site.shared,
                Event::Rejected {
                    site: EventSite(&self.site),
                    error,
                    fields: self.fields(),
                    context: &scope::context(),
                },
            );
            drop(inside);
            self.mark_enclosing(Mark::Refused);
            let classification = error.classify();
            let failure = CallFailure {
                category: classification.category(),
                severity: classification.severity(1),
                error_type: error.kind_name(),
                refused: true,
            };
            self.finish(CallOutcome::Rejected, Some(failure));
            return Verdict::GiveUp;
        }
        self.fail(Failed {
            classification: Self::classify_own(error),
            error_type: error.kind_name(),
            message: &|| error.to_string(),
        })
    }

    /// What an answer of the runtime means for the attempt that it ended.
    pub(crate) fn classify_own(error: &Error) -> Classification {
        match error.kind() {
            // The call's own time is over, so there is nothing left to try in.
            ErrorKind::TimedOut(TimedOut {
                of: TimeLimit::Call,
                ..
            }) => error.classify().with_severity(Severity::Medium),
            _ => error.classify(),
        }
    }

    /// The body panicked, in a poll of the attempt.
    #[cold]
    pub(crate) fn panicked(&mut self) {
        self.leave();
        let inside = self.inside_span();
        self.fail_breaker(self.now());
        drop(inside);
        let failure = CallFailure {
            category: self.site.settings.category.unwrap_or(Category::UNKNOWN),
            severity: Severity::High,
            error_type: PANIC,
            refused: false,
        };
        self.finish(CallOutcome::Panicked, Some(failure));
    }

    /// The delay before the next attempt, and the timer for it; `None` if there is no point.
    fn delay(&mut self, classification: &Classification, now: Moment) -> Option<Duration> {
        let backoff = self.site.settings.retry(classification.category()).backoff;
        let previous = self
            .extra
            .as_ref()
            .map_or(Duration::ZERO, |extra| extra.delay);
        let random = self.site.shared.random();
        let asked = classification.retry_after();
        let delay = backoff.delay(self.attempts, previous, asked, random)?;
        let wake = now + delay;
        if wake >= self.deadline.min(self.enclosing) {
            return None;
        }
        if self.site.settings.breaker.is_some()
            && !self.around.covered
            && self.site.service.breaker.refuses_at(wake)
        {
            return None;
        }
        // A zero delay does not sleep, but every few attempts lets other tasks run.
        self.due = Moment::NEVER;
        let delay = if self.site.shared.waits {
            delay
        } else {
            Duration::ZERO
        };
        if !delay.is_zero() || self.attempts.is_multiple_of(YIELD_EVERY) {
            self.due = wake;
            self.set_timer(wake).ok()?;
        }
        let extra = self.extra();
        *extra.delay = delay;
        extra.since.get_or_insert(now);
        Some(delay)
    }

    /// The site's category replaces `unknown`, and, if it names a dependency, `service`.
    fn adopt(&self, classification: Classification) -> Classification {
        let Some(own) = self.site.settings.category else {
            return classification;
        };
        match classification.category() {
            Category::UNKNOWN => classification.adopted_by(own),
            Category::SERVICE if own.is_dependency() => classification.with_category(own),
            _ => classification,
        }
    }

    fn tell_breaker(&mut self, classification: &Classification, refused: bool, now: Moment) {
        let counts = !refused && self.mark == Mark::None && classification.fault() != Fault::Caller;
        if counts {
            self.fail_breaker(now);
        } else if let Some(admission) = self.admission.take() {
            self.site.service.breaker.release(admission);
        }
    }

    fn fail_breaker(&mut self, now: Moment) {
        if let Some(admission) = self.admission.take() {
            let id = self.id();
            let elapsed = self.began.is_finite().then(|| now.since(self.began));
            let moved = self.site.service.breaker.fail(admission, id, elapsed, now);
            self.breaker_moved(moved);
        }
    }

    /// How bad the failure is: a passing one that did not pass is worse.
    fn severity(&self, classification: &Classification, last: bool) -> Severity {
        match classification.severity(self.attempts) {
            Severity::Low if last && classification.retry() != Retry::No => Severity::Medium,
            severity => severity,
        }
    }

    fn attempt_failed(
        &self,
        classification: &Classification,
        failure: CallFailure<'_>,
        message: &dyn Fn() -> String,
        last: bool,
        now: Moment,
    ) {
        let CallFailure {
            category,
            severity,
            error_type,
            refused,
        } = failure;
        let retries = self.site.settings.retry(category).retries;
        emit(
            &self.site.shared,
            Event::AttemptFailed(AttemptFailed {
                site: EventSite(&self.site),
                attempt: self.attempts,
                of: retries.saturating_add(1).max(self.attempts),
                last,
                refused,
                classification,
                severity,
                error_type,
                message: &redacted(message()),
                duration: self.attempt_took(now),
                fields: self.fields(),
                context: &scope::context(),
            }),
        );
    }

    /// Tells the enclosing attempt that trying again from there would multiply: this call has
    /// tried, or calls inside it have, or the runtime has refused.
    fn give_up(&mut self, worth: bool, failure: CallFailure<'_>) {
        if failure.refused {
            self.mark_enclosing(Mark::Refused);
        } else if self.mark == Mark::GaveUp
            || (worth && self.site.settings.can_retry() && !self.around.fail_fast)
        {
            self.mark_enclosing(Mark::GaveUp);
        }
        self.finish(CallOutcome::Failed, Some(failure));
    }

    fn mark_enclosing(&self, mark: Mark) {
        if self.around.nested {
            scope::mark(mark);
        }
    }

    /// The end, of every call but those that succeed at once while nobody listens.
    #[cold]
    fn finish(&mut self, outcome: CallOutcome, failure: Option<CallFailure<'_>>) {
        self.stage = Stage::Over;
        let began = self.extra.as_ref().and_then(|extra| extra.since);
        let now = began.map(|_| self.now());
        let inside = self.inside_span();
        emit(
            &self.site.shared,
            Event::CallFinished {
                site: EventSite(&self.site),
                outcome,
                attempts: self.attempts,
                duration: now
                    .zip(began)
                    .map_or(Duration::ZERO, |(now, began)| now.since(began)),
                last_attempt: now.map_or(Duration::ZERO, |now| self.attempt_took(now)),
                failure,
                context: &scope::context(),
            },
        );
        drop(inside);
        if let Some(extra) = &mut self.extra
            && let Some(spans) = extra.as_mut().project().spans.take()
        {
            spans.finish(outcome, self.attempts, failure);
        }
    }

    /// How long the attempt has taken, so far as it is known.
    fn attempt_took(&self, now: Moment) -> Duration {
        self.extra
            .as_ref()
            .and_then(|extra| extra.attempt_since)
            .map_or(Duration::ZERO, |since| now.since(since))
    }

    /// In the span of the attempt or the call, if there is one.
    fn inside_span(&self) -> Option<Entered> {
        self.spans().map(Spans::entered)
    }

    #[inline]
    fn spans(&self) -> Option<&Spans> {
        self.extra.as_ref().and_then(|extra| extra.spans.as_ref())
    }

    /// The attempt's time begins: it is pending for the first time, or a call inside it asked for
    /// the time.
    #[cold]
    fn anchor(&mut self, now: Moment) {
        self.anchored = true;
        self.enclosing = scope::limit(now);
        self.due = self
            .site
            .settings
            .timeout
            .map_or(Moment::NEVER, |timeout| now + timeout);
    }

    fn timed_out(&self) -> Error {
        let settings = &self.site.settings;
        let (limit, of) = if self.deadline <= self.due {
            (settings.deadline, TimeLimit::Call)
        } else {
            (settings.timeout, TimeLimit::Attempt)
        };
        Error::timed_out(TimedOut {
            operation: self.site.operation(),
            limit: limit.unwrap_or_default(),
            attempts: self.attempts,
            of,
        })
    }

    fn poll_timer(&mut self, at: Moment, cx: &mut Context<'_>) -> Poll<Result<(), NoTimer>> {
        match self.set_timer(at) {
            Ok(timer) => clock::poll_timer(timer, cx).map(Ok),
            Err(no_timer) => Poll::Ready(Err(no_timer)),
        }
    }

    fn set_timer(&mut self, at: Moment) -> Result<Pin<&mut Sleep>, NoTimer> {
        let clock = self.site.shared.clock;
        let mut slot = self.extra().timer;
        match slot.as_mut().as_pin_mut() {
            Some(timer) => clock::set_timer(timer, at),
            None => slot.set(clock.timer(at)),
        }
        slot.as_pin_mut().ok_or(NoTimer)
    }

    fn breaker_moved(&self, moved: Option<Moved>) {
        if let Some(moved) = moved {
            let service = self.site.service();
            emit(&self.site.shared, Event::moved(service, moved));
        }
    }

    fn id(&mut self) -> CallId {
        if let Some(id) = self.extra.as_ref().and_then(|extra| extra.id) {
            return id;
        }
        let id = self.site.shared.next_call();
        *self.extra().id = Some(id);
        id
    }

    fn fields(&self) -> Option<&Fields> {
        self.extra.as_ref().and_then(|extra| extra.fields.as_ref())
    }

    fn extra(&mut self) -> ExtraProjection<'_> {
        self.extra
            .get_or_insert_with(|| Box::pin(Extra::default()))
            .as_mut()
            .project()
    }

    /// How long the attempt has taken, where slow calls are counted.
    fn elapsed(&self) -> Option<Duration> {
        self.began.is_finite().then(|| self.now().since(self.began))
    }

    fn now(&self) -> Moment {
        self.site.shared.clock.now()
    }
}

impl Drop for Decisions {
    /// The future was dropped: whatever it held is given back at once.
    fn drop(&mut self) {
        if self.stage != Stage::Over {
            self.cancelled();
        }
    }
}

impl Decisions {
    #[cold]
    fn cancelled(&mut self) {
        if self.admission.is_some() {
            let limit = self.due.min(self.deadline).min(self.enclosing);
            let now = if limit == Moment::NEVER {
                None
            } else {
                Some(self.now())
            };
            match now {
                // Whoever dropped it, its time was over: that speaks against the service.
                Some(now) if self.is_running() && now >= limit => self.fail_breaker(now),
                _ => {
                    if let Some(admission) = self.admission.take() {
                        self.site.service.breaker.release(admission);
                    }
                }
            }
        }
        self.finish(CallOutcome::Cancelled, None);
    }
}

/// There is no tokio runtime to drive a timer.
#[derive(Clone, Copy, Debug)]
struct NoTimer;

#[cold]
fn no_timer() -> Error {
    Error::setting(
        "runtime",
        "timeouts need a tokio runtime with its timer enabled, and this call runs outside of one",
    )
}

/// The type of error that a panic is.
pub(crate) const PANIC: &str = "panic";

/// How many attempts without a delay follow on each other before other tasks get their turn.
const YIELD_EVERY: u32 = 8;
