//! What the telemetry hears of a call, up to its end.

use std::time::Duration;

use super::{Decisions, Stage, text};
use crate::Classification;
use crate::clock::Moment;
use crate::event::{
    AttemptFailed, CallFailure, CallOutcome, Event, EventSite, emit, emit_failed, emit_finished,
};
use crate::fields::Fields;
use crate::scope::{self, Mark};
use crate::trace::{Entered, Spans};

impl Decisions {
    pub(super) fn attempt_failed(
        &self,
        classification: &Classification,
        failure: CallFailure,
        message: &str,
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
        emit_failed(
            &self.site.shared,
            &AttemptFailed {
                site: EventSite(&self.site),
                attempt: self.attempts,
                of: retries.saturating_add(1).max(self.attempts),
                last,
                refused,
                classification,
                severity,
                error_type,
                message,
                duration: self.attempt_took(now),
                fields: self.fields(),
                context: &scope::context(),
            },
            now,
        );
    }

    /// A fallback has run, after the end of the call. For the enclosing attempt, one that succeeds
    /// is a success of this call.
    #[cold]
    pub(crate) fn fell_back(&self, number: u32, succeeded: bool) {
        if succeeded {
            self.mark_enclosing(Mark::None);
        }
        emit(
            &self.site.shared,
            &Event::FallbackUsed {
                site: EventSite(&self.site),
                number,
                succeeded,
                context: &scope::context(),
            },
        );
    }

    /// The end, of every call but those that are over at once while nobody listens; `now`, where the
    /// caller knows that.
    #[cold]
    pub(super) fn finish(
        &mut self,
        outcome: CallOutcome,
        failure: Option<CallFailure>,
        now: Option<Moment>,
    ) {
        self.stage = Stage::Over;
        self.count();
        let began = self.known().and_then(|extra| extra.since);
        let now = now.or_else(|| began.map(|_| self.now()));
        let inside = self.inside_span();
        let since = |now: Moment| began.map_or(Duration::ZERO, |began| now.since(began));
        let event = Event::CallFinished {
            site: EventSite(&self.site),
            outcome,
            attempts: self.attempts,
            duration: now.map_or(Duration::ZERO, since),
            last_attempt: now.map_or(Duration::ZERO, |now| self.attempt_took(now)),
            failure,
            context: &scope::context(),
        };
        emit_finished(&self.site.shared, &event, now);
        drop(inside);
        let spans = self.rare_if_any().and_then(|rare| rare.spans.take());
        if let Some(spans) = spans {
            spans.finish(outcome, self.attempts, failure);
        }
        self.land();
        if let Some(extra) = &mut *self.extra
            && let Some(text) = extra.as_mut().open().last_error.take()
        {
            text::give_back(text);
        }
    }

    /// No longer in flight.
    #[inline]
    pub(super) fn land(&mut self) {
        let Some(extra) = &mut *self.extra else {
            return;
        };
        let extra = extra.as_mut().open();
        if let Some(flight) = extra.pending.take() {
            self.site.shared.drain.end(flight, extra.asleep.take());
        }
    }

    /// Counts the call for the budget, once.
    pub(super) fn count(&mut self) {
        if !std::mem::replace(&mut self.is_counted, true) {
            self.site.service.budget.count();
        }
    }

    /// How long the attempt has taken, so far as it is known.
    fn attempt_took(&self, now: Moment) -> Duration {
        self.known()
            .and_then(|extra| extra.attempt_since)
            .map_or(Duration::ZERO, |since| now.since(since))
    }

    /// In the span of the attempt or the call, if there is one: mostly there is none, and the box
    /// lets that be seen at a glance.
    #[inline]
    pub(super) fn inside_span(&self) -> Option<Box<Entered>> {
        self.spans().map(|spans| Box::new(spans.entered()))
    }

    #[inline]
    pub(super) fn spans(&self) -> Option<&Spans> {
        self.known_rare().and_then(|rare| rare.spans.as_ref())
    }

    pub(super) fn fields(&self) -> Option<&Fields> {
        self.known_rare().and_then(|rare| rare.fields.as_ref())
    }
}
