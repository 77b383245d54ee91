//! An attempt that succeeded.

use super::{Decisions, Stage};
use crate::event::{CallOutcome, succeeded_unseen};
use crate::runtime::SiteRef;
use crate::scope::{self, Mark};

impl Decisions {
    /// Ends a call that succeeded at its first attempt, while nobody listens and the breaker has
    /// nothing to learn. Says whether it is such a call.
    #[inline]
    pub(crate) fn succeed_plainly(&mut self) -> bool {
        let SiteRef::Staying(site) = *self.site else {
            return false;
        };
        let Stage::Plain { slot } = self.stage else {
            return false;
        };
        let guards = &site.service.guards;
        let is_plain = self
            .admission
            .is_none_or(|admission| guards.breaker.stays(admission));
        if is_plain {
            if slot {
                guards.release_slot();
            }
            self.stage = Stage::Gone;
            succeeded_unseen(site);
        }
        is_plain
    }

    /// Ends any other call that succeeded.
    #[inline(never)]
    pub(crate) fn succeed(&mut self) {
        self.give_back();
        if let Some(admission) = self.admission.take() {
            let breaker = &self.guards().breaker;
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
            self.finish(CallOutcome::Succeeded, None, None);
        }
    }
}
