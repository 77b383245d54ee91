//! The decisions of one call: everything that does not depend on the user's types, compiled once.
//!
//! [`Decisions`] is told what happens (`enter`, `fail`, `succeed`, a drop) and answers what to do.
//! It awaits nothing; `driver` does. It asks the clock only where a decision needs the time: a body
//! that is ready at once, behind a closed breaker and without a deadline, never does.
//!
//! Most calls are plain: nothing encloses them, nobody listens, their breaker is closed, and their
//! first attempt succeeds before it waits. What these need is inlined where the body is polled
//! (`enter_plainly`, `leave`, `succeed`). All others go the long way, which is one for all.

mod end;
mod extra;
mod failure;
mod fault;
mod limits;
mod start;
mod success;
mod text;
mod time;

use std::fmt;
use std::hash::Hash;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::sync::Arc;

use self::extra::{Extra, ExtraBox, Rare, Timed};
use crate::breaker::Admission;
use crate::clock::Moment;
use crate::event::CallOutcome;
use crate::fields::Fields;
use crate::guards::Guards;
use crate::runtime::SiteRef;
use crate::scope::{Enclosing, Mark};
use crate::site::Site;
use crate::{Category, Classification, Error};

/// One call, from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Decisions {
    // What is dropped, is dropped by `give_up_all`: a plain call has nothing of it at its end.
    site: ManuallyDrop<SiteRef>,
    /// What only a call that waits, fails or has fields needs.
    extra: ManuallyDrop<Option<ExtraBox>>,
    /// The guards of the call's key, where it has one.
    keyed: ManuallyDrop<Option<Arc<Guards>>>,
    /// The call's own deadline.
    deadline: Moment,
    admission: Option<Admission>,
    attempts: u32,
    stage: Stage,
    /// For the budget.
    is_counted: bool,
    mark: Mark,
    around: Enclosing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Before the first attempt, with nothing known of the call but its site.
    Begun,
    /// Before the first attempt of a call that has a key or an [`Extra`].
    Prepared,
    /// Before the first attempt of a call that has its permit, if it needs one, but had to see its slot
    /// go to another.
    Permitted,
    /// The first attempt runs, of a call that nothing encloses and nobody watches. Whatever else there
    /// is to be known makes it `Running`.
    Plain { slot: bool },
    /// Between attempts.
    Between,
    /// Waits for a permit of the rate limit.
    Limited,
    /// Waits for a slot of the bulkhead.
    Queued,
    /// An attempt runs, and holds its admission, and perhaps a slot of the bulkhead.
    Running { slot: bool },
    /// The end has been told.
    Over,
    /// The same of a call that was plain until then, or refused at once, so that there is nothing to
    /// drop.
    Gone,
}

/// What to do after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Wait until the pause is over, then try again.
    Again,
    /// Hand the error to the caller.
    GiveUp,
}

/// A failure as the telemetry sees it.
pub(crate) struct Failed<'a> {
    /// Not moved: that costs more than much of what is done with it.
    pub(crate) classification: &'a mut Classification,
    pub(crate) error_type: &'static str,
    pub(crate) message: &'a dyn fmt::Display,
}

impl Decisions {
    #[inline]
    pub(crate) fn new(site: &'static Site) -> Self {
        let (site, deadline) = match SiteRef::staying(site) {
            Some(state) => (SiteRef::Staying(state), state.deadline()),
            None => SiteRef::found(site),
        };
        Self::until(site, deadline)
    }

    /// A call of a site whose state is at hand.
    pub(crate) fn of(site: SiteRef) -> Self {
        let deadline = site.deadline();
        Self::until(site, deadline)
    }

    #[inline]
    fn until(site: SiteRef, deadline: Moment) -> Self {
        Self {
            site: ManuallyDrop::new(site),
            extra: ManuallyDrop::new(None),
            keyed: ManuallyDrop::new(None),
            deadline,
            admission: None,
            attempts: 0,
            stage: Stage::Begun,
            is_counted: false,
            mark: Mark::None,
            around: Enclosing::NONE,
        }
    }

    /// Keeps what `fields(..)` names, for the events of this call.
    pub(crate) fn record(&mut self, fields: Fields) {
        self.rare().fields = Some(fields);
    }

    /// Keeps the answer that the first attempt gets instead of being run.
    pub(crate) fn refuse(&mut self, refusal: Error) {
        self.rare().refusal = Some(refusal);
    }

    /// Takes what `resource(..)` asks for, before the first attempt.
    pub(crate) fn demand(&mut self, resource: &'static str, amount: u64) {
        self.rare().demands.push((resource, amount));
    }

    /// From now on the call has the guards of this key instead of those of the whole service.
    pub(crate) fn key<K: Hash + ?Sized>(&mut self, key: &K) {
        let guards = self.site.service.keyed(key, self.site.shared.clock);
        *self.keyed = Some(guards);
        self.stage = Stage::Prepared;
    }

    pub(crate) const fn is_running(&self) -> bool {
        matches!(self.stage, Stage::Plain { .. } | Stage::Running { .. })
    }

    /// Whether the end has been told: where an attempt has only just ended, the call was refused at
    /// once.
    #[inline]
    pub(crate) const fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over | Stage::Gone)
    }

    const fn has_slot(&self) -> bool {
        matches!(
            self.stage,
            Stage::Plain { slot: true } | Stage::Running { slot: true }
        )
    }

    fn guards(&self) -> &Guards {
        self.keyed.as_deref().unwrap_or(&self.site.service.guards)
    }

    /// What only some calls need, if this is one.
    fn known(&self) -> Option<&Extra> {
        self.extra.as_deref().map(Timed::see)
    }

    fn known_rare(&self) -> Option<&Rare> {
        self.known()?.rare.as_deref()
    }

    /// The same to be changed, if there is any.
    fn rare_if_any(&mut self) -> Option<&mut Rare> {
        self.extra.as_mut()?.as_mut().open().rare.as_deref_mut()
    }

    fn rare(&mut self) -> &mut Rare {
        self.extra().rare.get_or_insert_default()
    }

    fn extra(&mut self) -> &mut Extra {
        self.extra_box().open()
    }

    fn extra_box(&mut self) -> Pin<&mut Timed> {
        match self.stage {
            Stage::Begun => self.stage = Stage::Prepared,
            Stage::Plain { slot } => self.stage = Stage::Running { slot },
            _ => {}
        }
        self.extra.get_or_insert_with(extra::take).as_mut()
    }
}

impl Drop for Decisions {
    /// The future was dropped: whatever it held is given back at once.
    #[inline]
    fn drop(&mut self) {
        if self.stage != Stage::Gone {
            Rest(self).end();
        }
    }
}

/// A call that may have something to drop. A guard of its own, since telling the end may panic.
struct Rest<'a>(&'a mut Decisions);

impl Rest<'_> {
    #[inline(never)]
    fn end(self) {
        if self.0.stage != Stage::Over {
            self.0.cancelled();
        }
    }
}

impl Drop for Rest<'_> {
    #[inline]
    fn drop(&mut self) {
        // Still in flight is who panicked while the end was told.
        self.0.land();
        let Decisions {
            site, extra, keyed, ..
        } = &mut *self.0;
        let (extra, keyed, site) = (take(extra), take(keyed), take(site));
        if let Some(extra) = extra {
            extra::give_back(extra);
        }
        drop((keyed, site));
    }
}

/// What is there, to be dropped.
fn take<T: Default>(place: &mut ManuallyDrop<T>) -> T {
    std::mem::take(&mut **place)
}

impl Decisions {
    #[cold]
    fn cancelled(&mut self) {
        self.give_back();
        let limit = self.limit();
        if self.is_running() && self.admission.is_some() && limit.is_finite() {
            let now = self.now();
            let counted = &self.site.settings.counted;
            if now >= limit && counted.says(Category::TIMEOUT) != Some(false) {
                // Whoever dropped it, its time was over: that speaks against the service.
                self.fail_breaker(now);
            }
        }
        self.release_breaker();
        self.finish(CallOutcome::Cancelled, None, None);
    }
}

/// The type of error that a panic is.
pub(crate) const PANIC: &str = "panic";
