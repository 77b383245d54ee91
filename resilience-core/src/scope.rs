//! What a call knows of the calls that it runs inside: the only ambient state.
//!
//! Every attempt is on the thread's stack of [`Frame`]s for as long as it is being polled, so what
//! lies below a frame are exactly the attempts that enclose it, across `await`, `join!` and
//! `select!`. A spawned task is polled by nobody's attempt and starts with an empty stack.
//!
//! The innermost frame is plain data in cells of its own, since every call writes it. All else is
//! behind one `RefCell`, which a call that nothing encloses never opens.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use crate::blocking::{Running, Work};
use crate::clock::Moment;
use crate::context::Context;
use crate::runtime::{Runtime, SiteState};

/// One running attempt, as seen by the calls inside it.
#[derive(Clone, Copy, Debug)]
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
    /// Blocking work was begun in it, or a task that is part of it.
    pub(crate) works: bool,
    /// It is the attempt of another task, which may be over.
    pub(crate) is_carried: bool,
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

/// What a call learns when it begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Enclosing {
    /// There is an attempt of ours around.
    pub(crate) nested: bool,
    pub(crate) fail_fast: bool,
}

/// What every call looks at.
struct Here {
    /// How many attempts are being polled, one inside the other.
    depth: Cell<usize>,
    /// The innermost of them, if there is one and it is not plain.
    top: Cell<Frame>,
    /// The innermost where it is the only one and as its site and its limit make it. It is written
    /// out once something happens to it: a mark, a beginning, a call inside.
    plain: Cell<Option<Plain>>,
    /// There is a scoped runtime.
    is_scoped: Cell<bool>,
    /// There is a context.
    is_about: Cell<bool>,
}

/// An attempt that is as its site makes it, with its number, its limit and whether it holds a slot.
#[derive(Clone, Copy)]
struct Plain {
    site: &'static SiteState,
    until: Moment,
    attempt: u32,
    slot: bool,
}

struct Scope {
    runtime: Option<Runtime>,
    context: Context,
    /// The frames below the innermost one.
    below: Vec<Frame>,
    /// The blocking work that was begun in attempts, by their depth, from 1.
    works: Vec<(usize, Arc<Work>)>,
    /// Of the attempts of other tasks, by their depth, from 1: to know whether they still run.
    others: Vec<(usize, Arc<Work>)>,
}

thread_local! {
    static HERE: Here = const {
        Here {
            depth: Cell::new(0),
            top: Cell::new(Frame::NONE),
            plain: Cell::new(None),
            is_scoped: Cell::new(false),
            is_about: Cell::new(false),
        }
    };

    static SCOPE: RefCell<Scope> = const {
        RefCell::new(Scope {
            runtime: None,
            context: Context::new(),
            below: Vec::new(),
            works: Vec::new(),
            others: Vec::new(),
        })
    };
}

impl Enclosing {
    /// Nothing does.
    pub(crate) const NONE: Self = Self {
        nested: false,
        fail_fast: false,
    };

    /// What encloses a call here and now.
    pub(crate) fn here() -> Self {
        HERE.with(|here| {
            if here.depth.get() == 0 {
                return Self::NONE;
            }
            Self {
                nested: true,
                fail_fast: here.top().fail_fast,
            }
        })
    }
}

impl Here {
    /// The innermost frame; what it says of no frame at all has no meaning.
    #[inline(never)]
    fn top(&self) -> Frame {
        if let Some(plain) = self.plain.take() {
            let Plain {
                site,
                until,
                attempt,
                slot,
            } = plain;
            let holds = Covered {
                slot,
                ..site.frame.holds
            };
            self.top.set(Frame {
                until,
                attempt,
                holds,
                ..site.frame
            });
        }
        self.top.get()
    }
}

/// Puts the plain frame of a site on the stack for the time of one poll, if nothing is there. Says
/// whether it did.
#[inline]
pub(crate) fn enter_plainly(
    site: &'static SiteState,
    until: Moment,
    attempt: u32,
    slot: bool,
) -> bool {
    HERE.with(|here| {
        let is_free = here.depth.get() == 0;
        if is_free {
            here.depth.set(1);
            here.plain.set(Some(Plain {
                site,
                until,
                attempt,
                slot,
            }));
        }
        is_free
    })
}

/// Puts a frame on the stack for the time of one poll.
pub(crate) fn enter(frame: Frame) {
    HERE.with(|here| {
        let depth = here.depth.get();
        if depth > 0 {
            let below = here.top();
            SCOPE.with_borrow_mut(|scope| scope.below.push(below));
        }
        here.depth.set(depth + 1);
        here.top.set(frame);
    });
}

/// Takes the frame off again, if it is still a plain one, to which nothing has happened. Says
/// whether it did.
#[inline]
pub(crate) fn leave_plainly() -> bool {
    HERE.with(|here| {
        let is_plain = here.plain.take().is_some();
        if is_plain {
            here.depth.set(0);
        }
        is_plain
    })
}

/// Takes the frame off again, with what happened to it meanwhile.
pub(crate) fn leave() -> Frame {
    HERE.with(|here| {
        let frame = here.top();
        let depth = here.depth.get().saturating_sub(1);
        here.depth.set(depth);
        if depth > 0 {
            let below = SCOPE.with_borrow_mut(|scope| scope.below.pop());
            here.top.set(below.unwrap_or(Frame::NONE));
        }
        frame
    })
}

/// What the attempts around here hold of the guards at this address.
pub(crate) fn covers(guards: usize) -> Covered {
    let mut covered = Covered::default();
    let mut carried = Vec::new();
    each_frame(|frame, depth| {
        if frame.guards == guards {
            if frame.is_carried {
                carried.push((depth, frame.holds));
            } else {
                covered.add(frame.holds);
            }
        }
    });
    for (depth, holds) in carried {
        if still_runs(depth) {
            covered.add(holds);
        }
    }
    covered
}

/// Whether the attempt of another task, of this depth, is not over.
fn still_runs(depth: usize) -> bool {
    SCOPE.with_borrow(|scope| {
        let mut others = scope.others.iter();
        others.any(|(of, work)| *of == depth && !work.is_over())
    })
}

/// Marks the enclosing attempt, or clears its mark.
pub(crate) fn mark(mark: Mark) {
    HERE.with(|here| here.top.set(Frame { mark, ..here.top() }));
}

/// The earliest limit of all enclosing attempts. The timeouts of those that have not read the clock
/// yet begin `now`.
#[inline]
pub(crate) fn limit(now: Moment) -> Moment {
    if HERE.with(|here| here.depth.get() == 0) {
        return Moment::NEVER;
    }
    limit_of_all(now)
}

fn limit_of_all(now: Moment) -> Moment {
    let mut limit = Moment::NEVER;
    each_frame(|frame, _| limit = limit.min(frame.limit(now)));
    limit
}

/// Blocking work begins in all the attempts around here.
pub(crate) fn work() -> Vec<Running> {
    let works = works();
    works.iter().map(|(_, work)| work.begin()).collect()
}

/// The work of all the attempts around here, by their depth.
fn works() -> Vec<(usize, Arc<Work>)> {
    let mut works = SCOPE.with_borrow_mut(|scope| std::mem::take(&mut scope.works));
    each_frame(|frame, depth| {
        frame.works = true;
        if !works.iter().any(|(of, _)| *of == depth) {
            works.push((depth, Arc::default()));
        }
    });
    SCOPE.with_borrow_mut(|scope| scope.works.clone_from(&works));
    works
}

/// The attempt that has just been put on the stack has begun this work in an earlier poll.
pub(crate) fn put_work(work: Arc<Work>) {
    HERE.with(|here| {
        here.top.set(Frame {
            works: true,
            ..here.top()
        });
        let depth = here.depth.get();
        SCOPE.with_borrow_mut(|scope| scope.works.push((depth, work)));
    });
}

/// The work of the attempt that has just been taken off the stack.
pub(crate) fn take_work() -> Option<Arc<Work>> {
    let depth = HERE.with(|here| here.depth.get()) + 1;
    SCOPE.with_borrow_mut(|scope| {
        let place = scope.works.iter().position(|(of, _)| *of == depth)?;
        Some(scope.works.swap_remove(place).1)
    })
}

/// Looks at all frames, to change them, from the innermost out, with their depth.
fn each_frame(mut look: impl FnMut(&mut Frame, usize)) {
    HERE.with(|here| {
        let depth = here.depth.get();
        if depth == 0 {
            return;
        }
        let mut top = here.top();
        look(&mut top, depth);
        here.top.set(top);
        if depth > 1 {
            SCOPE.with_borrow_mut(|scope| {
                for (below, frame) in scope.below.iter_mut().enumerate().rev() {
                    look(frame, below + 1);
                }
            });
        }
    });
}

impl Covered {
    const fn add(&mut self, more: Self) {
        self.breaker |= more.breaker;
        self.slot |= more.slot;
    }
}

impl Frame {
    pub(crate) const NONE: Self = Self {
        until: Moment::NEVER,
        timeout: None,
        began: None,
        operation: "",
        attempt: 0,
        guards: 0,
        holds: Covered {
            breaker: false,
            slot: false,
        },
        fail_fast: false,
        mark: Mark::None,
        works: false,
        is_carried: false,
    };

    /// The earliest limit on this attempt, whose own time begins now unless it has begun.
    fn limit(&mut self, now: Moment) -> Moment {
        let began = *self.began.get_or_insert(now);
        self.timeout
            .map_or(self.until, |timeout| self.until.min(began + timeout))
    }
}

/// The attempt that runs here and now, if it is one of ours, and the limit on it.
pub(crate) fn current(now: impl FnOnce() -> Moment) -> Option<(Frame, Moment, Moment)> {
    let frame = HERE.with(|here| (here.depth.get() > 0).then(|| here.top()))?;
    let now = now();
    Some((frame, now, limit(now)))
}

/// All that a task is in the midst of, to be carried over to another.
#[derive(Clone, Debug)]
pub(crate) struct Carried {
    runtime: Option<Runtime>,
    context: Context,
    depth: usize,
    top: Frame,
    below: Vec<Frame>,
    works: Vec<(usize, Arc<Work>)>,
    others: Vec<(usize, Arc<Work>)>,
}

impl Carried {
    /// A copy of what holds here, but for blocking work, which belongs to the attempts themselves.
    /// The attempts' own times begin `now`.
    pub(crate) fn from_here(now: Moment) -> Self {
        limit(now);
        let mut others = SCOPE.with_borrow(|scope| scope.others.clone());
        for (depth, work) in works() {
            if !others.iter().any(|(of, _)| *of == depth) {
                others.push((depth, work));
            }
        }
        let idle = |frame: Frame| Frame {
            works: false,
            is_carried: true,
            ..frame
        };
        HERE.with(|here| {
            SCOPE.with_borrow(|scope| Self {
                runtime: scope.runtime.clone(),
                context: scope.context.clone(),
                depth: here.depth.get(),
                top: idle(here.top()),
                below: scope.below.iter().copied().map(idle).collect(),
                works: Vec::new(),
                others,
            })
        })
    }

    /// Exchanges this with what holds here.
    pub(crate) fn swap(&mut self) {
        swap_runtime(&mut self.runtime);
        swap_context(&mut self.context);
        HERE.with(|here| {
            here.top();
            self.depth = here.depth.replace(self.depth);
            self.top = here.top.replace(self.top);
        });
        SCOPE.with_borrow_mut(|scope| {
            std::mem::swap(&mut scope.below, &mut self.below);
            std::mem::swap(&mut scope.works, &mut self.works);
            std::mem::swap(&mut scope.others, &mut self.others);
        });
    }
}

/// Whether calls here are those of a scoped runtime.
#[inline]
pub(crate) fn is_scoped() -> bool {
    HERE.with(|here| here.is_scoped.get())
}

/// The scoped runtime of this task, if there is one; none where a call is made after the scope is gone,
/// at the end of its thread.
pub(crate) fn current_runtime() -> Option<Runtime> {
    SCOPE
        .try_with(|scope| scope.borrow().runtime.clone())
        .unwrap_or_default()
}

/// Swaps the task's runtime; the former one comes back in `runtime`.
pub(crate) fn swap_runtime(runtime: &mut Option<Runtime>) {
    let swap = |scope: &RefCell<Scope>| {
        HERE.with(|here| here.is_scoped.set(runtime.is_some()));
        std::mem::swap(&mut scope.borrow_mut().runtime, runtime);
    };
    SCOPE.try_with(swap).unwrap_or_default();
}

/// What this task is about; nothing where a task is dropped with its thread, after the scope.
#[inline]
pub(crate) fn context() -> Context {
    if HERE.with(|here| here.is_about.get()) {
        the_context()
    } else {
        Context::new()
    }
}

#[inline(never)]
fn the_context() -> Context {
    SCOPE
        .try_with(|scope| scope.borrow().context.clone())
        .unwrap_or_default()
}

/// Whether a call here has nothing around it: no attempt of ours, and no context.
#[inline]
pub(crate) fn is_bare() -> bool {
    HERE.with(|here| here.depth.get() == 0 && !here.is_about.get())
}

/// Exchanges the context of this task, with the same exception.
pub(crate) fn swap_context(context: &mut Context) {
    let swap = |scope: &RefCell<Scope>| {
        HERE.with(|here| here.is_about.set(!context.is_empty()));
        std::mem::swap(&mut scope.borrow_mut().context, context);
    };
    // Where the scope is gone, nobody in it asks for the context.
    SCOPE.try_with(swap).unwrap_or_default();
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
            works: false,
            is_carried: false,
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
        assert_eq!(leave().began, Some(Moment::from_nanos(10)));
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
        assert_eq!(leave().mark, Mark::GaveUp);
        assert_eq!(leave().mark, Mark::None);
        mark(Mark::GaveUp);
    }
}
