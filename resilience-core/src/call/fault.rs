//! What a test puts in the way of a body.

use std::task::{Context, Poll};

use super::Decisions;
use super::time::{NoTimer, no_timer};
use crate::Error;
use crate::testing::Struck;

impl Decisions {
    #[cold]
    pub(super) fn strike(&mut self) {
        let site = &self.site;
        let fault = site.shared.faults.strike(site.operation(), site.service());
        let silent = site.site().options().silent;
        self.rare().fault = fault.filter(|fault| !(silent && matches!(fault, Struck::Error(_))));
    }

    /// What a test put in the way of the body; `None` where nothing is.
    pub(super) fn poll_fault(&mut self, cx: &mut Context<'_>) -> Option<Poll<Error>> {
        if self.known_rare().is_some_and(|rare| rare.fault.is_some()) {
            self.poll_struck(cx)
        } else {
            None
        }
    }

    #[cold]
    fn poll_struck(&mut self, cx: &mut Context<'_>) -> Option<Poll<Error>> {
        let delay = match self.rare().fault.take()? {
            Struck::Error(error) => return Some(Poll::Ready(error)),
            Struck::Hang => {
                self.rare().fault = Some(Struck::Hang);
                return Some(self.poll_limit(cx));
            }
            Struck::Delay(delay) => delay,
        };
        let now = self.now();
        if !self.is_anchored() {
            self.anchor(now);
        }
        let over = *self.rare().fault_over.get_or_insert(now + delay);
        if now >= over {
            self.rare().fault_over = None;
            return None;
        }
        self.rare().fault = Some(Struck::Delay(delay));
        self.pend();
        let limit = self.own_limit();
        match self.poll_timer(over.min(limit), cx) {
            Poll::Pending => Some(Poll::Pending),
            Poll::Ready(Err(NoTimer)) => Some(Poll::Ready(no_timer())),
            Poll::Ready(Ok(())) if over > limit => Some(Poll::Ready(self.timed_out())),
            Poll::Ready(Ok(())) => self.poll_struck(cx),
        }
    }
}
