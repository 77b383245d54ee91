//! The async edge of a call: the only place that awaits.
//!
//! An annotated function expands into a loop around its body (see `resilience-macros`):
//!
//! ```text
//! let mut call = begin::<Result<T, E>>(&SITE);
//! loop {
//!     let out = { let attempt = pin!(async { body }); Call::watch(&mut call, attempt).await };
//!     if let Step::Done(result) = Call::next(&mut call, out, how) {
//!         break result;
//!     }
//! }
//! ```
//!
//! The pause before a further attempt is the beginning of its watch, so that a function has one
//! `await` and not two: that is less code in every one of them. Generic are only the poll of the body
//! and the move of its result; [`Decisions`] is not.

use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::call::{Decisions, Failed, Verdict};
use crate::error::Requirement;
use crate::fallback::{Answer, AnswerOf, On, When};
use crate::fields::{Fields, bounded};
use crate::how::How;
use crate::outcome::{Outcome, Shape};
use crate::site::Site;
use crate::{Classification, Classify as _, Error};

/// One call of an annotated function that returns `R`.
pub struct Call<S> {
    decisions: Decisions,
    returns: PhantomData<fn() -> S>,
}

/// How an attempt ended.
pub struct Attempt<R>(Ended<R>);

enum Ended<R> {
    /// The body's own result.
    Body(R),
    /// An answer of the runtime: refused, or timed out.
    Ours(Error),
}

/// What comes after an attempt.
pub enum Step<R> {
    /// This is what the caller gets.
    Done(R),
    /// Another attempt, whose [`Call::watch`] begins with the pause.
    Wait,
}

/// Begins a call.
#[inline]
pub fn begin<R: Outcome>(site: &'static Site) -> Call<R::Shape> {
    Call {
        decisions: Decisions::new(site),
        returns: PhantomData,
    }
}

/// Begins a call of a policy.
pub(crate) fn begin_with<R: Outcome>(decisions: Decisions) -> Call<R::Shape> {
    Call {
        decisions,
        returns: PhantomData,
    }
}

impl<S: Shape> Call<S> {
    /// Runs an attempt, after the pause if it is not the first and unless the runtime refuses,
    /// until it is ready or its time is over.
    #[inline]
    pub fn watch<'a, F>(call: &'a mut Self, attempt: Pin<&'a mut F>) -> Watch<'a, F>
    where
        F: Future<Output = S::Result> + ?Sized,
    {
        Watch {
            decisions: &mut call.decisions,
            attempt,
        }
    }

    /// Keeps what `fields(..)` names, for the events of this call.
    #[cold]
    pub fn record(call: &mut Self, fields: Fields) {
        call.decisions.record(fields);
    }

    /// Gives the call the guards of a key.
    #[inline]
    pub fn key<K: Hash + ?Sized>(call: &mut Self, key: &K) {
        call.decisions.key(key);
    }

    /// Takes so much of a named pool for the time of the call.
    #[inline]
    pub fn resource(call: &mut Self, name: &'static str, amount: u64) {
        call.decisions.demand(name, amount);
    }

    /// Takes the requirements that are not met. If there are any, the body is never run.
    #[inline]
    pub fn require(call: &mut Self, unmet: Unmet) {
        if !unmet.0.is_empty() {
            call.decisions.refuse(Error::requirements(unmet.0));
        }
    }

    /// Decides what comes after an attempt.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "left to itself the compiler calls it where many functions have one error type"
    )]
    pub fn next(call: &mut Self, out: Attempt<S::Result>, how: How<'_, S>) -> Step<S::Result> {
        match out.0 {
            Ended::Body(result) if succeeds(&mut call.decisions, &result, &how) => {
                Step::Done(result)
            }
            Ended::Ours(error) if call.decisions.is_over() => Step::Done(how.reject(error)),
            ended => match settle(&mut call.decisions, Attempt(ended), how) {
                (Verdict::Again, _) => Step::Wait,
                (Verdict::GiveUp, result) => Step::Done(result),
            },
        }
    }

    /// As [`next`](Self::next), with something to do before another attempt that follows an
    /// error.
    #[inline]
    pub fn next_after(
        call: &mut Self,
        out: Attempt<S::Result>,
        how: How<'_, S>,
        before_retry: impl FnOnce(&S::Error),
    ) -> Step<S::Result> {
        match settle(&mut call.decisions, out, how) {
            (Verdict::Again, result) => {
                if let Some(error) = S::error(&result) {
                    before_retry(error);
                }
                Step::Wait
            }
            (Verdict::GiveUp, result) => Step::Done(result),
        }
    }

    /// Ends a call that has one attempt, or that a fallback may follow.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "left to itself the compiler calls it where many functions have one error type"
    )]
    pub fn end(call: &mut Self, out: Attempt<S::Result>, how: How<'_, S>) -> S::Result {
        match out.0 {
            Ended::Body(result) if succeeds(&mut call.decisions, &result, &how) => result,
            Ended::Ours(error) if call.decisions.is_over() => how.reject(error),
            ended => settle(&mut call.decisions, Attempt(ended), how).1,
        }
    }

    /// Whether there are patterns, and so a fallback.
    #[inline]
    pub fn is_enabled(call: &Self) -> bool {
        call.decisions.is_enabled()
    }

    /// Whether a fallback that is narrowed is for the failure in which an attempt has ended.
    #[cold]
    pub fn falls_back(call: &Self, out: &Attempt<S::Result>, how: &How<'_, S>, on: &[On]) -> bool {
        let failure = match &out.0 {
            Ended::Ours(error) => error.classify(),
            Ended::Body(result) => match S::error(result) {
                Some(error) => how.classify(error),
                None => return false,
            },
        };
        call.decisions.is_enabled() && call.decisions.falls_back(&failure, on)
    }

    /// What a fallback returned.
    #[inline]
    pub fn answer<W, A>(_: &Self, answer: A) -> AnswerOf<S::Result, W, A>
    where
        W: When,
        A: Answer<S::Result, W>,
    {
        answer.answer()
    }

    /// Tells that the fallback of this number, from 1, has run.
    #[cold]
    pub fn fell_back(call: &Self, number: u32, answer: &S::Result) {
        call.decisions.fell_back(number, S::error(answer).is_none());
    }
}

/// Ends a call that has plainly succeeded. Says whether it is such a call.
#[inline]
fn succeeds<S: Shape>(decisions: &mut Decisions, result: &S::Result, how: &How<'_, S>) -> bool {
    S::error(result).is_none() && !how.fails_although_ok() && decisions.succeed_plainly()
}

#[inline(never)]
fn settle<S: Shape>(
    decisions: &mut Decisions,
    out: Attempt<S::Result>,
    how: How<'_, S>,
) -> (Verdict, S::Result) {
    let how = &how;
    match out.0 {
        Ended::Body(result) => {
            let verdict = match S::error(&result) {
                None if how.fails_although_ok() => decisions.fail(Failed {
                    classification: &mut Classification::unknown(),
                    error_type: "retry_if_ok",
                    message: &"`retry_if_ok` does not accept the value",
                }),
                None => {
                    decisions.succeed();
                    Verdict::GiveUp
                }
                Some(error) => decisions.fail(Failed {
                    classification: &mut how.classify(error),
                    error_type: std::any::type_name::<S::Error>(),
                    message: &how.describe(error),
                }),
            };
            (verdict, result)
        }
        Ended::Ours(error) if how.decides() && decisions.is_running() => {
            let mut classification = Decisions::classify_own(&error);
            let (error_type, message) = (error.kind_name(), error.to_string());
            // `retry_if` sees what the caller would get.
            let result = how.reject(error);
            how.decide(&mut classification, S::error(&result));
            let verdict = decisions.fail(Failed {
                classification: &mut classification,
                error_type,
                message: &message,
            });
            (verdict, result)
        }
        Ended::Ours(error) => {
            let verdict = decisions.fail_with(&error);
            (verdict, how.reject(error))
        }
    }
}

/// Polls an attempt inside its scope, and its time limit when it is pending.
#[must_use = "futures do nothing unless polled"]
pub struct Watch<'a, F: ?Sized> {
    decisions: &'a mut Decisions,
    attempt: Pin<&'a mut F>,
}

impl<F: Future + ?Sized> Future for Watch<'_, F> {
    type Output = Attempt<F::Output>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { decisions, attempt } = &mut *self;
        if !decisions.enter_plainly()
            && let Err(instead) = decisions.enter(cx)
        {
            return instead.map(|error| Attempt(Ended::Ours(error)));
        }
        let inside = Inside(decisions);
        let polled = attempt.as_mut().poll(cx);
        inside.leave();
        match polled {
            Poll::Ready(result) => Poll::Ready(Attempt(Ended::Body(result))),
            Poll::Pending => decisions
                .poll_limit(cx)
                .map(|timed_out| Attempt(Ended::Ours(timed_out))),
        }
    }
}

impl<T, E> Attempt<Result<T, E>> {
    /// Whether it ended in an error of the body or an answer of the runtime.
    pub fn failed(attempt: &Self) -> bool {
        match &attempt.0 {
            Ended::Body(result) => result.is_err(),
            Ended::Ours(_) => true,
        }
    }
}

impl<R> Attempt<R> {
    /// What the body returned, unless the answer is ours.
    #[inline]
    pub(crate) fn body(attempt: &Self) -> Option<&R> {
        match &attempt.0 {
            Ended::Body(result) => Some(result),
            Ended::Ours(_) => None,
        }
    }
}

/// The attempt is on the task's stack. A poll that ends without [`leave`](Self::leave) panicked.
struct Inside<'a>(&'a mut Decisions);

impl Inside<'_> {
    #[inline]
    fn leave(self) {
        self.0.leave();
        std::mem::forget(self);
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.panicked();
    }
}

/// The requirements of a call that are not met.
#[derive(Debug, Default)]
pub struct Unmet(Vec<Requirement>);

impl Unmet {
    /// None so far.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Notes a requirement, unless it is met.
    #[must_use]
    pub fn require(mut self, met: bool, field: &'static str, message: fmt::Arguments<'_>) -> Self {
        if !met {
            self.0.push(Requirement {
                field,
                message: bounded(message),
            });
        }
        self
    }
}

impl<S> fmt::Debug for Call<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Call").field(&self.decisions).finish()
    }
}

impl<R> fmt::Debug for Attempt<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ended::Body(_) => f.write_str("Attempt(body)"),
            Ended::Ours(error) => f.debug_tuple("Attempt").field(error).finish(),
        }
    }
}

impl<R> fmt::Debug for Step<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done(_) => "Done",
            Self::Wait => "Wait",
        })
    }
}

impl<F: ?Sized> fmt::Debug for Watch<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watch").field(&self.decisions).finish()
    }
}
