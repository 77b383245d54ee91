//! An attempt that failed: what that means for the breaker, and whether there is another one.

use std::time::Duration;

use super::{Decisions, Failed, PANIC, Stage, Verdict, text};
use crate::breaker::{CallId, Moved};
use crate::clock::Moment;
use crate::error::{ErrorKind, TimeLimit, TimedOut};
use crate::event::{
    CallFailure, CallOutcome, Event, EventSite, emit, emit_moved, emit_rejected, is_heard,
};
use crate::fallback::On;
use crate::fields::write_bounded;
use crate::redact::redact_in_place;
use crate::scope::{self, Mark};
use crate::{Category, Classification, Classify, Effect, Error, Fault, Retry, Severity};

impl Decisions {
    /// The attempt failed, or was dropped by its timeout.
    #[cold]
    pub(crate) fn fail(&mut self, failed: Failed<'_>) -> Verdict {
        let Failed {
            classification,
            error_type,
            message,
        } = failed;
        self.give_back();
        self.count();
        if self.mark == Mark::GaveUp && self.site.settings.nested_retry {
            self.mark = Mark::None;
        }
        let refused = classification.is_rejection() || self.mark == Mark::Refused;
        let mut text = self.known_text();
        if let Some(rules) = self.site.rules.as_deref().filter(|_| !refused) {
            write_bounded(&mut text, format_args!("{message}"));
            if let Some(own) = rules.own_text(&text) {
                *classification = own;
            }
        }
        self.adopt(classification);
        let now = self.now();
        let inside = self.inside_span();
        let guarded = self.admission.is_some();
        if guarded {
            self.tell_breaker(classification, refused, now);
        }

        let severity = classification.severity(self.attempts);
        let worth = !refused
            && self.mark == Mark::None
            && classification.retry() != Retry::No
            && severity != Severity::Critical
            && (self.site.settings.idempotent || classification.effect() == Effect::None);
        let over = self.around.fail_fast || self.site.shared.drain.is_draining();
        let delay = if worth && !over {
            self.delay(classification, guarded, now)
        } else {
            None
        };

        let failure = CallFailure {
            category: classification.category(),
            severity: match severity {
                // A passing failure that did not pass is worse.
                Severity::Low if delay.is_none() && classification.retry() != Retry::No => {
                    Severity::Medium
                }
                severity => severity,
            },
            error_type: classification.error_type().unwrap_or(error_type),
            refused,
        };
        write_bounded(&mut text, format_args!("{message}"));
        redact_in_place(&mut text);
        self.attempt_failed(classification, failure, &text, delay.is_none(), now);
        drop(inside);
        if let Some(rare) = self.rare_if_any()
            && let Some(spans) = &mut rare.spans
        {
            spans.attempt_failed(failure, delay.is_some());
        }
        let Some(delay) = delay else {
            text::give_back(text);
            self.give_up(worth, failure, now);
            return Verdict::GiveUp;
        };
        self.extra().last_error = Some(text);
        self.stage = Stage::Between;
        if is_heard(&self.site.shared) {
            self.retry_scheduled(delay);
        }
        Verdict::Again
    }

    #[cold]
    fn retry_scheduled(&self, delay: Duration) {
        let _inside = self.inside_span();
        emit(
            &self.site.shared,
            &Event::RetryScheduled {
                site: EventSite(&self.site),
                next_attempt: self.attempts + 1,
                delay,
                context: &scope::context(),
            },
        );
    }

    /// Something to write the text of an error in: what holds that of the attempt before, if there
    /// was one.
    fn known_text(&mut self) -> String {
        let extra = self.extra.as_mut();
        extra
            .and_then(|extra| extra.as_mut().open().last_error.take())
            .unwrap_or_else(text::take)
    }

    /// The runtime's own answer: a refusal ends the call, a timeout is a failed attempt.
    #[cold]
    pub(crate) fn fail_with(&mut self, error: &Error) -> Verdict {
        if self.is_over() {
            // It was refused at once.
            return Verdict::GiveUp;
        }
        if !self.is_running() {
            self.give_back();
            self.release_breaker();
            let failure = error.refusal();
            let now = self.now();
            let inside = self.inside_span();
            emit_rejected(
                &self.site.shared,
                &Event::Rejected {
                    site: EventSite(&self.site),
                    error,
                    failure,
                    fields: self.fields(),
                    context: &scope::context(),
                },
                now,
            );
            drop(inside);
            self.mark_enclosing(Mark::Refused);
            self.finish(CallOutcome::Rejected, Some(failure), Some(now));
            return Verdict::GiveUp;
        }
        self.fail(Failed {
            classification: &mut Self::classify_own(error),
            error_type: error.kind_name(),
            message: error,
        })
    }

    /// The body panicked, in a poll of the attempt.
    #[cold]
    pub(crate) fn panicked(&mut self) {
        self.leave();
        self.give_back();
        let inside = self.inside_span();
        let now = self.now();
        self.fail_breaker(now);
        drop(inside);
        let failure = CallFailure {
            category: self.site.settings.category.unwrap_or(Category::UNKNOWN),
            severity: Severity::High,
            error_type: PANIC,
            refused: false,
        };
        self.finish(CallOutcome::Panicked, Some(failure), Some(now));
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

    /// Whether the call has any pattern.
    #[inline]
    pub(crate) fn is_enabled(&self) -> bool {
        self.site.settings.enabled
    }

    /// Whether one of these names the failure.
    pub(crate) fn falls_back(&self, failure: &Classification, on: &[On]) -> bool {
        let mut adopted = failure.clone();
        self.adopt(&mut adopted);
        on.iter().any(|on| on.names(failure, adopted.category()))
    }

    /// The site's category replaces `unknown`, and, if it names a dependency, `service`.
    fn adopt(&self, classification: &mut Classification) {
        let Some(own) = self.site.settings.category else {
            return;
        };
        match classification.category() {
            Category::UNKNOWN => classification.adopt(own),
            Category::SERVICE if own.is_dependency() => classification.set_category(own),
            _ => {}
        }
    }

    /// The delay before the next attempt, and the timer for it; `None` if there is no such attempt, or
    /// no point in it.
    fn delay(
        &mut self,
        classification: &Classification,
        guarded: bool,
        now: Moment,
    ) -> Option<Duration> {
        let policy = self.site.settings.retry(classification.category());
        if self.attempts > policy.retries {
            return None;
        }
        let backoff = &policy.backoff;
        let random = if backoff.is_random() {
            self.site.shared.random()
        } else {
            0.0
        };
        let previous = self.known().map_or(Duration::ZERO, |extra| extra.delay);
        let asked = classification.retry_after();
        let delay = backoff.delay(self.attempts, previous, asked, random)?;
        let wake = now + delay;
        let enclosing = match self.known().and_then(|extra| extra.enclosing) {
            Some(enclosing) if self.is_anchored() => enclosing,
            _ => scope::limit(now),
        };
        if wake >= self.deadline.min(enclosing) {
            return None;
        }
        // An attempt that had no admission of its own needs none the next time either.
        if guarded && self.guards().breaker.refuses_at(wake) {
            return None;
        }
        if self.site.settings.budget.is_some() && !self.site.service.budget.withdraw(now) {
            emit(
                &self.site.shared,
                &Event::BudgetSpent {
                    site: EventSite(&self.site),
                    context: &scope::context(),
                },
            );
            return None;
        }
        // A zero delay does not sleep, but every few attempts lets other tasks run.
        let delay = if self.site.shared.waits {
            delay
        } else {
            Duration::ZERO
        };
        let mut pauses = !delay.is_zero() || self.attempts.is_multiple_of(YIELD_EVERY);
        if pauses && self.set_timer(wake).is_err() {
            // Outside of tokio nobody can sleep, but who need not goes on.
            if !delay.is_zero() {
                return None;
            }
            pauses = false;
        }
        let extra = self.extra();
        extra.wake = pauses.then_some(wake);
        extra.enclosing = Some(enclosing);
        extra.delay = delay;
        extra.since.get_or_insert(now);
        Some(delay)
    }

    fn tell_breaker(&mut self, classification: &Classification, refused: bool, now: Moment) {
        let says = self.site.settings.counted.says(classification.category());
        let counts = says.unwrap_or_else(|| classification.fault() != Fault::Caller);
        let counts = counts && !refused && self.mark == Mark::None;
        if counts {
            self.fail_breaker(now);
        } else {
            self.release_breaker();
        }
    }

    pub(super) fn release_breaker(&mut self) {
        if let Some(admission) = self.admission.take() {
            self.guards().breaker.release(admission);
        }
    }

    pub(super) fn fail_breaker(&mut self, now: Moment) {
        if let Some(admission) = self.admission.take() {
            let id = self.id();
            let elapsed = self.began().map(|began| now.since(began));
            let moved = self.guards().breaker.fail(admission, id, elapsed, now);
            self.breaker_moved(moved);
        }
    }

    pub(super) fn breaker_moved(&self, moved: Option<Moved>) {
        if let Some(moved) = moved {
            let service = self.site.service();
            emit_moved(&self.site.shared, service, moved);
        }
    }

    /// Tells the enclosing attempt that trying again from there would multiply: this call has
    /// tried, or calls inside it have, or the runtime has refused.
    fn give_up(&mut self, worth: bool, failure: CallFailure, now: Moment) {
        if failure.refused {
            self.mark_enclosing(Mark::Refused);
        } else if self.mark == Mark::GaveUp
            || (worth && self.site.settings.can_retry && !self.around.fail_fast)
        {
            self.mark_enclosing(Mark::GaveUp);
        }
        self.finish(CallOutcome::Failed, Some(failure), Some(now));
    }

    pub(super) fn mark_enclosing(&self, mark: Mark) {
        if self.around.nested {
            scope::mark(mark);
        }
    }

    fn id(&mut self) -> CallId {
        if let Some(id) = self.known().and_then(|extra| extra.id) {
            return id;
        }
        let id = self.site.shared.next_call();
        self.extra().id = Some(id);
        id
    }
}

/// How many attempts without a delay follow on each other before other tasks get their turn.
const YIELD_EVERY: u32 = 8;
