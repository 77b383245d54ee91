//! The outcomes that a rate is taken over: the last so many, or those of the last so many seconds.

use std::time::Duration;

use crate::clock::{Moment, saturating_nanos};

/// One outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) failed: bool,
    pub(super) slow: bool,
}

/// How many outcomes there are, and of what kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) total: u64,
    pub(super) failed: u64,
    pub(super) slow: u64,
}

/// The last `size` outcomes.
#[derive(Debug)]
pub(super) struct CountWindow {
    size: usize,
    /// Where the next outcome goes; until the window is full, how many there are.
    next: usize,
    counts: Counts,
    /// Two bits an outcome, 32 outcomes a word. Grows as the window fills, so that a breaker that
    /// is hardly used (one of ten thousand keys) costs next to nothing.
    bits: Vec<u64>,
}

/// The outcomes of the last `span`, in buckets: an outcome is forgotten when it is at most `span`
/// and more than 31/32 of `span` old.
#[derive(Debug)]
pub(super) struct TimeWindow {
    span: Duration,
    /// The first outcome, at which the first bucket begins.
    begin: Moment,
    /// The number of the newest bucket since then.
    newest: u64,
    counts: Counts,
    /// A ring; empty until the first outcome.
    buckets: Vec<Counts>,
}

impl CountWindow {
    pub(super) const fn new(size: u32) -> Self {
        Self {
            size: size as usize,
            next: 0,
            counts: Counts::ZERO,
            bits: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, outcome: Outcome) {
        let (word, shift) = (self.next / PER_WORD, self.next % PER_WORD * 2);
        if word == self.bits.len() {
            self.bits.push(0);
        }
        if self.is_full() {
            self.counts.take(self.get(self.next).counts());
        }
        self.bits[word] &= !(0b11 << shift);
        self.bits[word] |= outcome.bits() << shift;
        self.counts.add(outcome.counts());
        self.next = (self.next + 1) % self.size;
    }

    pub(super) const fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether another outcome that is neither failed nor slow would change nothing: all there are
    /// have been like that, so it does not matter which of them it replaces.
    pub(super) fn is_clean(&self) -> bool {
        self.is_full() && self.counts.failed == 0 && self.counts.slow == 0
    }

    /// Takes another size, and keeps the newest outcomes.
    pub(super) fn resize(&mut self, size: u32) {
        if size as usize == self.size {
            return;
        }
        let length = self.counts.total as usize;
        let oldest = if self.is_full() { self.next } else { 0 };
        let mut resized = Self::new(size);
        for age in (0..length.min(size as usize)).rev() {
            resized.add(self.get((oldest + length - 1 - age) % self.size));
        }
        *self = resized;
    }

    const fn is_full(&self) -> bool {
        self.counts.total == self.size as u64
    }

    fn get(&self, at: usize) -> Outcome {
        Outcome::of(self.bits[at / PER_WORD] >> (at % PER_WORD * 2))
    }
}

impl TimeWindow {
    pub(super) const fn new(span: Duration) -> Self {
        Self {
            span,
            begin: Moment::NEVER,
            newest: 0,
            counts: Counts::ZERO,
            buckets: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, outcome: Outcome, now: Moment) {
        self.add_counts(outcome.counts(), now);
    }

    /// The outcomes that are in the window at `now`.
    pub(super) fn counts(&self, now: Moment) -> Counts {
        let mut counts = self.counts;
        for old in self.passed(now) {
            counts.take(self.buckets[old]);
        }
        counts
    }

    /// Takes another span, and keeps the newest outcomes: each as old as the newest of its bucket
    /// may be.
    pub(super) fn resize(&mut self, span: Duration, now: Moment) {
        if span == self.span {
            return;
        }
        let mut resized = Self::new(span);
        let now = now.max(self.start(self.newest));
        let length = self.buckets.len() as u64;
        let oldest = self.newest.saturating_add(1).saturating_sub(length);
        for number in oldest..=self.newest {
            let counts = self.buckets.get(Self::place(number)).copied();
            if let Some(counts) = counts.filter(|counts| counts.total > 0) {
                resized.add_counts(counts, self.start(number.saturating_add(1)).min(now));
            }
        }
        *self = resized;
    }

    fn add_counts(&mut self, counts: Counts, now: Moment) {
        if self.buckets.is_empty() {
            self.buckets.resize(BUCKETS, Counts::ZERO);
            self.begin = now;
        }
        for old in self.passed(now) {
            self.counts.take(self.buckets[old]);
            self.buckets[old] = Counts::ZERO;
        }
        self.newest = self.number(now).max(self.newest);
        self.counts.add(counts);
        self.buckets[Self::place(self.newest)].add(counts);
    }

    /// The places of the buckets that are in use again between the newest one and `now`.
    fn passed(&self, now: Moment) -> impl Iterator<Item = usize> + use<> {
        let passed = self.number(now).saturating_sub(self.newest);
        let all = passed.min(self.buckets.len() as u64);
        let newest = self.newest;
        (1..=all).map(move |after| Self::place(newest + after))
    }

    /// The number of the bucket that `at` belongs to. Time that goes backwards stays in the first.
    fn number(&self, at: Moment) -> u64 {
        saturating_nanos(at.since(self.begin)) / self.grain()
    }

    fn start(&self, number: u64) -> Moment {
        self.begin + Duration::from_nanos(number.saturating_mul(self.grain()))
    }

    fn grain(&self) -> u64 {
        (saturating_nanos(self.span) / BUCKETS as u64).max(1)
    }

    const fn place(number: u64) -> usize {
        number as usize % BUCKETS
    }
}

impl Outcome {
    const fn bits(self) -> u64 {
        self.failed as u64 | (self.slow as u64) << 1
    }

    const fn of(bits: u64) -> Self {
        Self {
            failed: bits & 0b01 != 0,
            slow: bits & 0b10 != 0,
        }
    }

    const fn counts(self) -> Counts {
        Counts {
            total: 1,
            failed: self.failed as u64,
            slow: self.slow as u64,
        }
    }
}

impl Counts {
    const ZERO: Self = Self {
        total: 0,
        failed: 0,
        slow: 0,
    };

    const fn add(&mut self, more: Self) {
        self.total += more.total;
        self.failed += more.failed;
        self.slow += more.slow;
    }

    /// What was added is taken away once.
    const fn take(&mut self, less: Self) {
        self.total -= less.total;
        self.failed -= less.failed;
        self.slow -= less.slow;
    }
}

const PER_WORD: usize = 32;
/// A time window slides in steps of its span divided by this.
const BUCKETS: usize = 32;

#[cfg(all(test, not(loom)))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: Outcome = Outcome {
        failed: false,
        slow: false,
    };
    const BAD: Outcome = Outcome {
        failed: true,
        slow: false,
    };

    fn at(nanos: u64) -> Moment {
        Moment::from_nanos(nanos)
    }

    fn outcomes() -> impl Strategy<Value = Vec<Outcome>> {
        let outcome = (any::<bool>(), any::<bool>());
        prop::collection::vec(
            outcome.prop_map(|(failed, slow)| Outcome { failed, slow }),
            0..300,
        )
    }

    fn counted<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Counts {
        let mut counts = Counts::ZERO;
        for outcome in outcomes {
            counts.add(outcome.counts());
        }
        counts
    }

    proptest! {
        #[test]
        fn a_count_window_holds_the_newest_outcomes_also_after_a_change_of_size(
            before in outcomes(), after in outcomes(), sizes in (1..200_u32, 1..200_u32),
        ) {
            let mut window = CountWindow::new(sizes.0);
            let mut kept = Vec::new();
            for (size, outcomes) in [(sizes.0, before), (sizes.1, after)] {
                window.resize(size);
                kept.drain(..kept.len().saturating_sub(size as usize));
                prop_assert_eq!(window.counts(), counted(kept.iter()));
                for outcome in outcomes {
                    window.add(outcome);
                    kept.push(outcome);
                    kept.drain(..kept.len().saturating_sub(size as usize));
                    prop_assert_eq!(window.counts(), counted(kept.iter()));
                }
            }
        }

        #[test]
        fn a_time_window_forgets_at_the_span_and_never_more_than_a_32nd_before(
            span in 1_000..1_000_000_u64, steps in prop::collection::vec(0..200_000_u64, 1..100),
        ) {
            let mut window = TimeWindow::new(Duration::from_nanos(span));
            let (mut now, mut times) = (7, Vec::new());
            for step in steps {
                now += step;
                window.add(BAD, at(now));
                times.push(now);
                for later in [now, now + span / 3, now + span - 1] {
                    let held = window.counts(at(later)).failed as usize;
                    let within = |age: u64| times.iter().filter(|time| later - **time < age).count();
                    // The division into whole nanoseconds may cost up to 31 more.
                    prop_assert!(held >= within(span - span / 32 - 32), "lost {held}");
                    prop_assert!(held <= within(span), "kept {held}");
                }
            }
        }

        #[test]
        fn another_span_keeps_the_newest_outcomes(
            spans in (1_000..1_000_000_u64, 1_000..1_000_000_u64),
            steps in prop::collection::vec(0..20_000_u64, 1..100),
        ) {
            let mut window = TimeWindow::new(Duration::from_nanos(spans.0));
            let (mut now, mut times) = (7, Vec::new());
            for step in steps {
                now += step;
                window.add(BAD, at(now));
                times.push(now);
            }
            window.resize(Duration::from_nanos(spans.1), at(now));
            let held = window.counts(at(now)).failed as usize;
            let within = |age: u64| times.iter().filter(|time| now - **time < age).count();
            let (old, new) = (spans.0 - spans.0 / 32 - 32, spans.1 - spans.1 / 32 - 32);
            prop_assert!(held >= within(old.min(new)));
            prop_assert!(held <= within(spans.0.min(spans.1 + spans.0 / 32 + 1)));
        }
    }

    #[test]
    fn l12_time_that_goes_backwards_is_counted_as_now() {
        let mut window = TimeWindow::new(Duration::from_secs(32));
        window.add(GOOD, at(50_000_000_000));
        window.add(BAD, at(0));
        assert_eq!(window.counts(at(0)).total, 2);
        assert_eq!(window.counts(at(81_000_000_000)).total, 2);
        assert_eq!(window.counts(at(82_000_000_000)).total, 0);
        window.resize(Duration::from_secs(1), at(0));
        assert_eq!(window.counts(at(50_000_000_000)).total, 2);
    }

    #[test]
    fn spans_without_end_do_not_overflow() {
        let mut window = TimeWindow::new(Duration::MAX);
        window.add(BAD, at(0));
        window.add(BAD, Moment::NEVER);
        assert!(window.counts(Moment::NEVER).failed >= 1);
        window.resize(Duration::from_nanos(1), Moment::NEVER);
        window.resize(Duration::MAX, Moment::NEVER);
    }
}
