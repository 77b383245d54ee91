//! The bulkhead: so many attempts at a time, and a bounded line of those who wait for one to end.
//!
//! ```text
//!            there is room, nobody waits
//!   enter ───────────────────────────────▶ Ok(None): a slot ──▶ release
//!     │      the line is full ──▶ Full                            │
//!     ▼                                                           │ hands the slot
//!   Ticket ── poll_turn ──▶ Pending                               │ to the first
//!     │          └──────────────▶ Ready: a slot, once woken ◀─────┘
//!     └ leave: the place, or the slot just handed to it, goes to the next
//! ```
//!
//! A slot that comes free is handed to the first in the line before it is woken, so nobody can
//! overtake it, and several slots go to as many at once.

use std::task::{Poll, Waker};

use crate::clock::Moment;
use crate::keyed::Forgettable;
use crate::line::{Line, Place};
use crate::settings::BulkheadSettings;
use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use crate::sync::{Mutex, MutexGuard, lock};

impl BulkheadSettings {
    /// Two thousand million are as good as more.
    fn slots(self) -> u32 {
        self.concurrency.clamp(1, u32::MAX >> 1)
    }
}

/// A bulkhead, shared by the sites of one service.
///
/// While there is room and nobody waits, taking a slot and giving it back are one exchange each of
/// one word; being refused is a look at it where nobody may wait. Waiting happens under a short
/// lock.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Bulkhead {
    word: AtomicU64,
    queue: AtomicU32,
    line: Mutex<Line>,
}

/// All slots are taken, and all places in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// A place among those who wait. Give it to [`Bulkhead::leave`] unless its turn has come; doing so
/// all the same does no harm.
#[derive(Debug)]
#[must_use]
pub(crate) struct Ticket(Option<Place>);

impl Bulkhead {
    pub(crate) fn new(settings: BulkheadSettings) -> Self {
        let word = Word {
            limit: settings.slots(),
            taken: 0,
            waited: false,
        };
        Self {
            word: AtomicU64::new(word.pack()),
            queue: AtomicU32::new(settings.queue),
            line: Mutex::default(),
        }
    }

    /// Sets other numbers, which hold at once. With fewer slots those that are too many end in
    /// their own time; whoever waits keeps its place in a shorter line.
    pub(crate) fn set(&self, settings: BulkheadSettings) {
        self.queue.store(settings.queue, Ordering::Relaxed);
        let mut held = self.hold();
        held.word.limit = settings.slots();
        held.end();
    }

    /// Whether there is a slot, and nobody waits.
    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        let word = Word::unpack(self.word.load(Ordering::Relaxed));
        !word.waited && word.taken < word.limit
    }

    /// A slot, if one is there and nobody waits. Else it says nothing: ask one of the others.
    #[inline]
    pub(crate) fn pass(&self) -> bool {
        matches!(self.exchange(), Exchange::Taken)
    }

    /// A slot, or none: for those who do not wait. Give it back with [`release`](Self::release).
    #[inline]
    pub(crate) fn try_acquire(&self) -> Result<(), Full> {
        match self.exchange() {
            Exchange::Taken => Ok(()),
            Exchange::None => Err(Full),
            Exchange::Ask => self.ask(),
        }
    }

    /// A slot (`None`), or a place in the line, which is to be polled at once.
    #[inline]
    pub(crate) fn enter(&self) -> Result<Option<Ticket>, Full> {
        match self.exchange() {
            Exchange::Taken => Ok(None),
            Exchange::None if self.queue.load(Ordering::Relaxed) == 0 => Err(Full),
            Exchange::None | Exchange::Ask => self.join(),
        }
    }

    /// Ready when the ticket has been handed a slot, which is then to be given back with
    /// [`release`](Self::release); else keeps whom to wake when it is.
    pub(crate) fn poll_turn(&self, ticket: &mut Ticket, waker: &Waker) -> Poll<()> {
        let Some(place) = ticket.0 else {
            return Poll::Ready(());
        };
        let waker = waker.clone();
        let _kept = {
            let mut line = lock(&self.line);
            let Some(ahead) = line.ahead_of(place) else {
                ticket.0 = None;
                return Poll::Ready(());
            };
            line.keep(ahead, waker)
        };
        Poll::Pending
    }

    /// Gives the place up, or the slot that was handed to it unseen.
    pub(crate) fn leave(&self, ticket: &mut Ticket) {
        let Some(place) = ticket.0.take() else {
            return;
        };
        let mut held = self.hold();
        let ahead = held.line.ahead_of(place);
        let _kept = ahead.and_then(|ahead| held.line.remove(ahead));
        if ahead.is_none() {
            held.give_back();
        }
        held.end();
    }

    /// Gives a slot back.
    #[inline]
    pub(crate) fn release(&self) {
        let mut seen = self.word.load(Ordering::Relaxed);
        loop {
            let mut word = Word::unpack(seen);
            if word.waited {
                return self.release_to_next();
            }
            debug_assert!(word.taken > 0, "a slot was given back twice");
            word.taken = word.taken.saturating_sub(1);
            match self.replace(seen, word) {
                Ok(()) => return,
                Err(other) => seen = other,
            }
        }
    }

    /// How many slots are taken.
    pub(crate) fn taken(&self) -> u32 {
        Word::unpack(self.word.load(Ordering::Relaxed)).taken
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        lock(&self.line).len()
    }

    /// The answer without the lock, if nobody waits.
    #[inline]
    fn exchange(&self) -> Exchange {
        let mut seen = self.word.load(Ordering::Relaxed);
        loop {
            let mut word = Word::unpack(seen);
            if word.waited {
                return Exchange::Ask;
            }
            if word.taken >= word.limit {
                return Exchange::None;
            }
            word.taken += 1;
            match self.replace(seen, word) {
                Ok(()) => return Exchange::Taken,
                Err(other) => seen = other,
            }
        }
    }

    /// Acquires what the one before left behind, and releases what this one does.
    #[inline]
    fn replace(&self, seen: u64, word: Word) -> Result<(), u64> {
        self.word
            .compare_exchange_weak(seen, word.pack(), Ordering::AcqRel, Ordering::Relaxed)
            .map(drop)
    }

    #[cold]
    fn ask(&self) -> Result<(), Full> {
        let mut held = self.hold();
        let answer = held.take();
        held.end();
        answer
    }

    #[cold]
    fn join(&self) -> Result<Option<Ticket>, Full> {
        let mut held = self.hold();
        let answer = match held.take() {
            Ok(()) => Ok(None),
            Err(Full) if held.line.len() < self.queue.load(Ordering::Relaxed) as usize => {
                Ok(Some(Ticket(Some(held.line.join()))))
            }
            Err(Full) => Err(Full),
        };
        held.end();
        answer
    }

    #[cold]
    fn release_to_next(&self) {
        let mut held = self.hold();
        held.give_back();
        held.end();
    }

    /// Flags the word, so that until the lock is free again nobody else changes it.
    fn hold(&self) -> Held<'_> {
        let line = lock(&self.line);
        let word = self.word.fetch_or(WAITED, Ordering::AcqRel);
        Held {
            bulkhead: self,
            word: Word::unpack(word),
            line,
        }
    }
}

impl Forgettable for Bulkhead {
    /// With nobody inside it, it is.
    fn is_fresh(&self, _: Moment) -> bool {
        let word = Word::unpack(self.word.load(Ordering::Acquire));
        word.taken == 0 && !word.waited
    }
}

/// What the word says, without a look at the line.
enum Exchange {
    Taken,
    /// All are taken, and nobody waits.
    None,
    /// Somebody waits.
    Ask,
}

/// The bulkhead while one thread has it for itself.
struct Held<'a> {
    bulkhead: &'a Bulkhead,
    word: Word,
    line: MutexGuard<'a, Line>,
}

impl Held<'_> {
    /// Takes a slot, unless somebody waits for it.
    fn take(&mut self) -> Result<(), Full> {
        if !self.line.is_empty() || self.word.taken >= self.word.limit {
            return Err(Full);
        }
        self.word.taken += 1;
        Ok(())
    }

    fn give_back(&mut self) {
        debug_assert!(self.word.taken > 0, "a slot was given back twice");
        self.word.taken = self.word.taken.saturating_sub(1);
    }

    /// Hands out what is free, tells the others, and wakes whom it has handed a slot.
    fn end(mut self) {
        let mut roused = Vec::new();
        while self.word.taken < self.word.limit && !self.line.is_empty() {
            self.word.taken += 1;
            roused.extend(self.line.remove(0));
        }
        self.word.waited = !self.line.is_empty();
        let Self {
            bulkhead,
            word,
            line,
        } = self;
        bulkhead.word.store(word.pack(), Ordering::Release);
        drop(line);
        roused.into_iter().for_each(Waker::wake);
    }
}

/// The state: slots that there are, slots that are taken, and whether to ask under the lock.
#[derive(Clone, Copy)]
struct Word {
    limit: u32,
    taken: u32,
    waited: bool,
}

impl Word {
    #[inline]
    fn pack(self) -> u64 {
        u64::from(self.limit) << 32 | u64::from(self.taken) << 1 | u64::from(self.waited)
    }

    #[inline]
    const fn unpack(word: u64) -> Self {
        Self {
            limit: (word >> 32) as u32,
            taken: (word as u32) >> 1,
            waited: word & WAITED != 0,
        }
    }
}

/// Somebody waits, or holds the lock.
const WAITED: u64 = 1;

#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(all(test, not(loom)))]
mod tests;
