//! A count over the last ten seconds.

use crate::clock::Moment;

/// What happened in the last ten seconds, by quarters of a second. Within a quarter it counts as
/// spread evenly, so that the oldest one leaves the window bit by bit.
#[derive(Clone, Debug)]
pub(super) struct Window {
    /// By the number of the quarter, modulo the length: the one that runs, and those of the ten
    /// seconds before it. In [`ONE`]s.
    quarters: [u64; LENGTH],
    /// The number of the quarter that runs.
    latest: u64,
}

impl Window {
    pub(super) fn new(now: Moment) -> Self {
        Self {
            quarters: [0; LENGTH],
            latest: now.as_nanos() / QUARTER,
        }
    }

    /// Adds `count`, spread evenly from `from`, the latest time there was, to `to`.
    pub(super) fn spread(&mut self, count: u64, from: Moment, to: Moment) {
        let (from, to) = (from.as_nanos(), to.as_nanos());
        self.move_to(to / QUARTER);
        let total = u128::from(count) * u128::from(ONE);
        let time = u128::from(to.saturating_sub(from));
        if time == 0 {
            self.quarters[slot(self.latest)] += total as u64;
            return;
        }
        // Rounded from the beginning each time, so that the parts add up to the whole.
        let until = |nanos: u64| {
            let passed = u128::from(nanos.clamp(from, to) - from);
            total / time * passed + total % time * passed / time
        };
        let oldest = self.latest.saturating_sub(LENGTH as u64 - 1);
        for quarter in oldest.max(from / QUARTER)..=self.latest {
            let begin = quarter.saturating_mul(QUARTER);
            let part = until(begin.saturating_add(QUARTER)) - until(begin);
            self.quarters[slot(quarter)] += part as u64;
        }
    }

    /// Adds one at `now`, the latest time there was.
    pub(super) fn add_one(&mut self) {
        self.quarters[slot(self.latest)] += ONE;
    }

    /// What happened in the ten seconds before `now`, the latest time there was, in [`ONE`]s.
    pub(super) fn sum(&self, now: Moment) -> u64 {
        let all: u64 = self.quarters.iter().sum();
        // The slot after that of the quarter that runs holds the oldest.
        let oldest = self.quarters[slot(self.latest + 1)];
        let gone = now.as_nanos() % QUARTER;
        all - (u128::from(oldest) * u128::from(gone) / u128::from(QUARTER)) as u64
    }

    fn move_to(&mut self, quarter: u64) {
        let passed = quarter.saturating_sub(self.latest);
        for passed in 1..=passed.min(LENGTH as u64) {
            self.quarters[slot(self.latest + passed)] = 0;
        }
        self.latest += passed;
    }
}

fn slot(quarter: u64) -> usize {
    (quarter % LENGTH as u64) as usize
}

/// What one counts: fractions are kept to about a millionth.
pub(super) const ONE: u64 = 1 << 20;

const LENGTH: usize = 41;
const QUARTER: u64 = 250_000_000;
