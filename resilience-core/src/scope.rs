//! What a call knows of the calls that it runs inside: the only ambient state.
//!
//! Every attempt puts its [`Frame`] on the thread's stack for as long as it is being polled, so
//! what lies below a frame are exactly the attempts that enclose it, across `await`, `join!` and
//! `select!`. A spawned task is polled by nobody's attempt and starts with an empty stack.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use crate::blocking::{Running, Work};
use crate::clock::Moment;
use crate::context::Context;
use crate::runtime::{Lent, Runtime, SiteRef, SiteState};
use crate::site::Site;

/// One running attempt, as seen by the calls inside it.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// The earliest of all limits on this attempt that are known.
    pub(crate) until: Moment,
    /// The attempt's own timeout, if it has not begun: an attempt that is ready at once never asks
    /// for the time.
    pub(crate) timeout: Option<Duration>,
    /// When it began, if a call inside was the first to ask for the time.
    pub(crate) began: Option<Moment>,
    /// The operation whose attempt it is, and its number.
    pub(crate) operation: &'static str,
    pub(crate) attempt: u32,
    /// The guards of its service and key, by address, and what it holds of them.
    pub(crate) guards: usize,
    pub(crate) holds: Covered,
    /// Nothing in here retries or waits.
    pub(crate) fail_fast: bool,
    pub(crate) mark: Mark,
    /// The blocking work that was begun in it.
    pub(crate) work: Option<Arc<Work>>,
}

/// What a call inside an attempt left behind for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mark {
    #[default]
    None,
    /// A call that could retry has given up: trying it all again from outside would multiply.
    GaveUp,
    /// The runtime refused a call.
    Refused,
}

/// What attempts around a call hold of the same guards, so that it needs none of its own: no second
/// probe, no second slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Covered {
    /// An admission of the breaker.
    pub(crate) breaker: bool,
    /// A slot of the bulkhead.
    pub(crate) slot: bool,
}

/// What the attempts around here hold of the guards at this address.
pub(crate) fn covers(guards: usize) -> Covered {
    SCOPE.with_borrow(|scope| {
        let around = scope.frames.iter().filter(|frame| frame.guards == guards);
        around.fold(Covered::default(), |covered, frame| Covered {
            breaker: covered.breaker || frame.holds.breaker,
            slot: covered.slot || frame.holds.slot,
        })
    })
}

/// What a call learns when it begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Enclosing {
    /// There is an attempt of ours around.
    pub(crate) nested: bool,
    pub(crate) fail_fast: bool,
}

impl Enclosing {
    /// What encloses a call of this site, here and now, and the site's state in the runtime that
    /// holds here.
    #[inline]
    pub(crate) fn of(site: &'static Site) -> (SiteRef, Self) {
        let found = SCOPE.with_borrow_mut(|scope| {
            let site = SiteRef::known(site, scope.runtime.as_ref(), &mut scope.lent)?;
            let around = Self::among(&scope.frames);
            Some((site, around))
        });
        found.unwrap_or_else(|| {
            // Made without a hold on the scope: somebody may log, and the log may call.
            let site = SiteRef::make(site, current_runtime());
            let around = SCOPE.with_borrow(|scope| Self::among(&scope.frames));
            (site, around)
        })
    }

    /// What encloses a call here and now.
    pub(crate) fn here() -> Self {
        SCOPE.with_borrow(|scope| Self::among(&scope.frames))
    }

    fn among(frames: &[Frame]) -> Self {
        match frames.last() {
            None => Self {
                nested: false,
                fail_fast: false,
            },
            Some(frame) => Self {
                nested: true,
                fail_fast: frame.fail_fast,
            },
        }
    }
}

/// Puts a frame on the stack for the time of one poll.
#[inline]
pub(crate) fn enter(frame: Frame) {
    SCOPE.with_borrow_mut(|scope| scope.frames.push(frame));
}

/// Takes the frame off again, with what happened to it meanwhile.
#[inline]
pub(crate) fn leave() -> Option<Frame> {
    SCOPE.with_borrow_mut(|scope| scope.frames.pop())
}

/// Marks the enclosing attempt, or clears its mark.
pub(crate) fn mark(mark: Mark) {
    SCOPE.with_borrow_mut(|scope| {
        if let Some(frame) = scope.frames.last_mut() {
            frame.mark = mark;
        }
    });
}

/// Blocking work begins in all the attempts around here.
pub(crate) fn work() -> Vec<Running> {
    SCOPE.with_borrow_mut(|scope| {
        let begin = |frame: &mut Frame| frame.work.get_or_insert_default().begin();
        scope.frames.iter_mut().map(begin).collect()
    })
}

/// The earliest limit of all enclosing attempts. The timeouts of those that have not read the clock
/// yet begin `now`.
pub(crate) fn limit(now: Moment) -> Moment {
    SCOPE.with_borrow_mut(|scope| {
        scope
            .frames
            .iter_mut()
            .fold(Moment::NEVER, |limit, frame| frame.limit(now).min(limit))
    })
}

impl Frame {
    /// The earliest limit on this attempt, whose own time begins now unless it has begun.
    fn limit(&mut self, now: Moment) -> Moment {
        let began = *self.began.get_or_insert(now);
        self.timeout
            .map_or(self.until, |timeout| self.until.min(began + timeout))
    }
}

/// The attempt that runs here and now, if it is one of ours, and the limit on it.
pub(crate) fn current(now: impl FnOnce() -> Moment) -> Option<(Frame, Moment, Moment)> {
    let frame = SCOPE.with_borrow(|scope| scope.frames.last().cloned())?;
    let now = now();
    Some((frame, now, limit(now)))
}

/// All that a task is in the midst of, to be carried over to another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Carried {
    runtime: Option<Runtime>,
    context: Context,
    frames: Vec<Frame>,
}

impl Carried {
    /// A copy of what holds here. The attempts' own times begin `now`.
    pub(crate) fn from_here(now: Moment) -> Self {
        limit(now);
        SCOPE.with_borrow(|scope| Self {
            runtime: scope.runtime.clone(),
            context: scope.context.clone(),
            frames: scope.frames.clone(),
        })
    }

    /// Exchanges this with what holds here.
    pub(crate) fn swap(&mut self) {
        SCOPE.with_borrow_mut(|scope| {
            std::mem::swap(&mut scope.runtime, &mut self.runtime);
            std::mem::swap(&mut scope.context, &mut self.context);
            std::mem::swap(&mut scope.frames, &mut self.frames);
        });
    }
}

/// The scoped runtime of this task, if there is one.
pub(crate) fn current_runtime() -> Option<Runtime> {
    SCOPE.with_borrow(|scope| scope.runtime.clone())
}

/// Swaps the task's runtime; the former one comes back in `runtime`.
pub(crate) fn swap_runtime(runtime: &mut Option<Runtime>) {
    SCOPE.with_borrow_mut(|scope| std::mem::swap(&mut scope.runtime, runtime));
}

/// What this task is about.
pub(crate) fn context() -> Context {
    SCOPE.with_borrow(|scope| scope.context.clone())
}

/// Exchanges the context of this task.
pub(crate) fn swap_context(context: &mut Context) {
    SCOPE.with_borrow_mut(|scope| std::mem::swap(&mut scope.context, context));
}

struct Scope {
    runtime: Option<Runtime>,
    context: Context,
    frames: Vec<Frame>,
    /// No part of what a task is in the midst of: the thread's own.
    lent: Lent,
}

/// Takes back the state of a site for the next call of it on this thread.
pub(crate) fn give_back(number: usize, state: Arc<SiteState>) {
    let surplus = SCOPE.try_with(|scope| {
        let Ok(mut scope) = scope.try_borrow_mut() else {
            return Some(state);
        };
        if scope.lent.len() <= number {
            scope.lent.resize(number + 1, None);
        }
        scope.lent[number].replace(state)
    });
    // Dropped where nobody holds the scope.
    drop(surplus);
}

thread_local! {
    static SCOPE: RefCell<Scope> =
        const {
            RefCell::new(Scope {
                runtime: None,
                context: Context::new(),
                frames: Vec::new(),
                lent: Vec::new(),
            })
        };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(timeout: u64) -> Frame {
        Frame {
            until: Moment::NEVER,
            timeout: Some(Duration::from_nanos(timeout)),
            began: None,
            operation: "k::f",
            attempt: 1,
            guards: 7,
            holds: Covered {
                breaker: true,
                slot: false,
            },
            fail_fast: false,
            mark: Mark::None,
            work: None,
        }
    }

    #[test]
    fn the_earliest_limit_of_all_enclosing_attempts_holds() {
        enter(frame(50));
        enter(frame(90));
        assert_eq!(limit(Moment::from_nanos(10)), Moment::from_nanos(60));
        // The timeouts have begun: a later question does not begin them again.
        assert_eq!(limit(Moment::from_nanos(40)), Moment::from_nanos(60));
        leave();
        assert_eq!(leave().unwrap().began, Some(Moment::from_nanos(10)));
        assert_eq!(limit(Moment::from_nanos(40)), Moment::NEVER);
    }

    #[test]
    fn what_is_held_around_covers_the_same_guards_only() {
        enter(frame(1));
        assert_eq!(
            covers(7),
            Covered {
                breaker: true,
                slot: false
            }
        );
        assert_eq!(covers(8), Covered::default());
        leave();
        assert_eq!(covers(7), Covered::default());
    }

    #[test]
    fn only_the_innermost_attempt_is_marked() {
        enter(frame(1));
        enter(frame(1));
        mark(Mark::GaveUp);
        assert_eq!(leave().unwrap().mark, Mark::GaveUp);
        assert_eq!(leave().unwrap().mark, Mark::None);
        mark(Mark::GaveUp);
    }
}
