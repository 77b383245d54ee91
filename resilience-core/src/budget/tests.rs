#![expect(clippy::cast_precision_loss, reason = "the model reckons in fractions")]

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

fn start() -> Moment {
    Moment::from_nanos(3_600_000_000_123)
}

fn settings(percent: u32, floor: u32) -> BudgetSettings {
    BudgetSettings { percent, floor }
}

fn count(budget: &Budget, calls: u64) {
    (0..calls).for_each(|_| budget.count());
}

/// How many retries there are at once.
fn drain(budget: &Budget, now: Moment) -> u64 {
    std::iter::repeat_with(|| budget.withdraw(now))
        .take_while(|&granted| granted)
        .count() as u64
}

#[test]
fn retries_may_add_a_share_of_the_calls_of_the_last_ten_seconds() {
    let budget = Budget::new(settings(20, 0), start());
    assert_eq!(drain(&budget, start()), 0);
    count(&budget, 1000);
    assert_eq!(drain(&budget, start() + SECOND), 200);
    count(&budget, 104);
    assert_eq!(
        drain(&budget, start() + 2 * SECOND),
        20,
        "four calls are no retry"
    );
    count(&budget, 1);
    assert_eq!(drain(&budget, start() + 2 * SECOND), 1);
}

#[test]
fn of_the_calls_since_the_last_question_only_the_share_in_the_last_ten_seconds_counts() {
    let budget = Budget::new(settings(20, 0), start());
    count(&budget, 1000);
    assert_eq!(drain(&budget, start() + 40 * SECOND), 50);
    let budget = Budget::new(settings(20, 0), start());
    count(&budget, 1000);
    let hour = 3600 * SECOND;
    assert_eq!(
        drain(&budget, start() + hour),
        0,
        "2.8 calls in ten seconds"
    );
}

#[test]
fn what_is_older_than_ten_seconds_no_longer_counts() {
    let budget = Budget::new(settings(20, 0), start());
    count(&budget, 1000);
    assert_eq!(drain(&budget, start() + SECOND), 200);
    assert_eq!(drain(&budget, start() + 9 * SECOND), 0);
    count(&budget, 1000);
    // Spread from the ninth second to the twelfth, and the first thousand, with its retries, gone.
    assert_eq!(drain(&budget, start() + 12 * SECOND), 200);
    assert_eq!(drain(&budget, start() + 30 * SECOND), 0);
}

#[test]
fn r8_the_budget_refills_by_time_and_by_calls() {
    let budget = Budget::new(BudgetSettings::default(), start());
    assert_eq!(drain(&budget, start()), 100, "ten seconds of the floor");
    assert_eq!(drain(&budget, start() + 99 * MILLI), 0);
    assert_eq!(drain(&budget, start() + 100 * MILLI), 1);
    assert_eq!(drain(&budget, start() + 1100 * MILLI), 10);
    count(&budget, 1000);
    let by_calls = drain(&budget, start() + 1100 * MILLI);
    assert_eq!(by_calls, 200 - 111, "all retries are within the share");
    assert_eq!(drain(&budget, start() + 60 * SECOND), 100);
}

#[test]
fn r9_with_every_call_failing_tries_are_far_fewer_than_calls_times_attempts() {
    let budget = Budget::new(BudgetSettings::default(), start());
    let mut tries = 0;
    for call in 0..10_000_u32 {
        budget.count();
        let now = start() + MILLI * call;
        tries += 1 + (0..4).filter(|_| budget.withdraw(now)).count();
    }
    assert!((12_000..12_200).contains(&tries), "{tries}");
}

#[test]
fn the_floor_adds_nothing_where_the_share_is_larger() {
    let budget = Budget::new(BudgetSettings::default(), start());
    drain(&budget, start());
    let mut granted = 0;
    for step in 1..=600 {
        count(&budget, 100);
        granted += drain(&budget, start() + 100 * MILLI * step);
    }
    assert!((11_700..=12_000).contains(&granted), "{granted}");
}

#[test]
fn new_numbers_hold_from_the_next_question_on() {
    let budget = Budget::new(settings(20, 10), start());
    count(&budget, 1000);
    assert_eq!(drain(&budget, start()), 200);
    budget.set(settings(30, 0));
    assert_eq!(drain(&budget, start()), 100);
    budget.set(settings(0, u32::MAX));
    assert!(budget.withdraw(start() + SECOND));
    budget.set(settings(0, 0));
    assert!(!budget.withdraw(start() + SECOND));
    budget.set(settings(u32::MAX, 0));
    assert!(budget.withdraw(start() + SECOND));
}

#[test]
fn l12_time_that_jumps_or_goes_backwards_neither_panics_nor_freezes() {
    let budget = Budget::new(BudgetSettings::default(), start());
    for now in [
        start() + SECOND,
        start(),
        Moment::NEVER,
        Moment::from_nanos(0),
        start() + SECOND,
        Moment::from_nanos(5),
    ] {
        count(&budget, 1000);
        assert!(budget.withdraw(now), "frozen at {now:?}");
        assert!(drain(&budget, now) <= 300);
        assert!(now == Moment::NEVER || drain(&budget, now + SECOND) <= 10);
    }
}

#[test]
fn r10_under_eight_threads_no_call_is_lost_and_no_retry_granted_twice() {
    let budget = Budget::new(settings(20, 0), start());
    let granted: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let ask = |_| {
                        budget.count();
                        u64::from(budget.withdraw(start()))
                    };
                    (0..10_000).map(ask).sum::<u64>()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(granted + drain(&budget, start()), 16_000);
}

/// The rules once more, as plainly as they can be said: every piece of history is kept, as so many
/// (calls or retries) between two moments, and every question goes through all of it. Only one
/// thing is coarser than the exact: within a quarter of a second, what happened counts as spread evenly.
struct Model {
    settings: BudgetSettings,
    asked: u64,
    calls: Vec<(f64, u64, u64)>,
    retries: Vec<(f64, u64, u64)>,
    reserve: f64,
}

const NANOS: u64 = 1_000_000_000;

const QUARTER: u64 = NANOS / 4;

/// How much of so much between two moments lies in a quarter of a second.
fn part((count, from, to): (f64, u64, u64), quarter: u64) -> f64 {
    let (begin, end) = (quarter * QUARTER, (quarter + 1) * QUARTER);
    if from == to {
        return if (begin..end).contains(&to) {
            count
        } else {
            0.0
        };
    }
    count * to.min(end).saturating_sub(from.max(begin)) as f64 / (to - from) as f64
}

fn in_window(history: &[(f64, u64, u64)], now: u64) -> f64 {
    let this = now / QUARTER;
    let all = |quarter| {
        let parts = history.iter().map(|&piece| part(piece, quarter));
        parts.sum::<f64>()
    };
    let left = 1.0 - (now % QUARTER) as f64 / QUARTER as f64;
    (this - 39..=this).map(all).sum::<f64>() + all(this - 40) * left
}

impl Model {
    /// The retries that both rules would allow, beside the one asked for.
    fn ask(&mut self, now: u64, calls: u64) -> (f64, f64) {
        self.calls.push((calls as f64, self.asked, now));
        let floor = f64::from(self.settings.floor);
        let refill = (now - self.asked) as f64 / NANOS as f64 * floor;
        self.reserve = (self.reserve + refill).min(floor * 10.0);
        self.asked = now;
        let share = in_window(&self.calls, now) * f64::from(self.settings.percent) / 100.0;
        (
            share - in_window(&self.retries, now) - 1.0,
            self.reserve - 1.0,
        )
    }

    fn grant(&mut self) {
        self.retries.push((1.0, self.asked, self.asked));
        self.reserve = (self.reserve - 1.0).max(0.0);
    }
}

proptest! {
    #[test]
    fn behaves_as_the_plain_model(
        first in (0..100_u32, 0..20_u32),
        steps in prop::collection::vec(
            (
                prop_oneof![Just(0), 0..3 * NANOS, 0..30 * NANOS], 0..60_u64, 1..12_u32,
                prop::option::weighted(0.05, (0..100_u32, 0..20_u32)),
            ),
            1..30,
        ),
    ) {
        let numbers = settings(first.0, first.1);
        let at = start().as_nanos();
        let budget = Budget::new(numbers, start());
        let mut model = Model {
            settings: numbers, asked: at, calls: Vec::new(), retries: Vec::new(),
            reserve: f64::from(numbers.floor) * 10.0,
        };
        let mut now = at;
        for (pause, calls, asks, new) in steps {
            if let Some((percent, floor)) = new {
                model.settings = settings(percent, floor);
                budget.set(model.settings);
            }
            now += pause;
            count(&budget, calls);
            for ask in 0..asks {
                let granted = budget.withdraw(Moment::from_nanos(now));
                let (share, floor) = model.ask(now, if ask == 0 { calls } else { 0 });
                // Fractions are kept to a millionth of one: on the very edge both may be right.
                if share.max(floor).abs() > 1e-3 {
                    prop_assert_eq!(granted, share.max(floor) >= 0.0, "{} {}", share, floor);
                }
                if granted {
                    model.grant();
                }
            }
        }
    }
}
