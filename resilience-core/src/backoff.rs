//! How long to wait before the next attempt.

use std::time::Duration;

use crate::clock::saturating_nanos;
use crate::options::Jitter;

/// The delays between the attempts of one call.
///
/// Values that come from outside are checked where they come in: `factor` is finite and at least
/// 1, `initial` is not above `max`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Backoff {
    /// Before the second attempt.
    pub(crate) initial: Duration,
    /// No delay is longer, and what asks for more ends the call.
    pub(crate) max: Duration,
    /// Each delay is this many times the one before.
    pub(crate) factor: f64,
    pub(crate) jitter: Jitter,
}

impl Backoff {
    /// The delay before the attempt that follows number `failed` (from 1), or `None` if the other
    /// side asked for longer than `max`.
    ///
    /// `previous` is the delay before the failed attempt (zero before the second), `random` a
    /// number in `0.0..1.0`. Every input gives a delay between zero and `max`; powers saturate.
    pub(crate) fn delay(
        &self,
        failed: u32,
        previous: Duration,
        asked: Option<Duration>,
        random: f64,
    ) -> Option<Duration> {
        let asked = asked.unwrap_or_default();
        if asked > self.max {
            return None;
        }
        if self.initial.is_zero() {
            return Some(asked);
        }
        Some(
            self.jittered(failed, previous, random)
                .min(self.max)
                .max(asked),
        )
    }

    /// Whether a delay depends on the random number.
    pub(crate) fn is_random(&self) -> bool {
        self.jitter != Jitter::None && !self.initial.is_zero()
    }

    /// What so many delays come to at most, unless the other side asks for more.
    pub(crate) fn longest(&self, delays: u32) -> Duration {
        let (mut sum, mut previous) = (Duration::ZERO, Duration::ZERO);
        if self.initial.is_zero() {
            return sum;
        }
        for failed in 1..=delays {
            previous = self.jittered(failed, previous, 1.0).min(self.max);
            let rest = delays - failed + 1;
            // It grows no more.
            if previous == self.max || previous.is_zero() || failed == MOST_GROWTH {
                return sum.saturating_add(previous.saturating_mul(rest));
            }
            sum = sum.saturating_add(previous);
        }
        sum
    }

    /// Of an initial delay that is not zero.
    fn jittered(&self, failed: u32, previous: Duration, random: f64) -> Duration {
        let (initial, max) = (nanos(self.initial), nanos(self.max));
        let exponent = i32::try_from(failed.saturating_sub(1)).unwrap_or(i32::MAX);
        let base = (initial * self.factor.powi(exponent)).min(max);
        // Where the cap cuts into the range, the rest of the range is used evenly: clients that
        // have reached the cap do not meet there.
        let (low, high) = match self.jitter {
            Jitter::None => (base, base),
            Jitter::Proportional => (base * 0.75, (base * 1.25).min(max)),
            Jitter::Full => (0.0, base),
            Jitter::Decorrelated => (
                initial.min(max),
                (nanos(previous).max(initial) * 3.0).min(max),
            ),
        };
        // A float too large for the integer becomes the largest, as `as` casts do.
        #[expect(
            clippy::cast_sign_loss,
            reason = "neither end of the range is negative"
        )]
        Duration::from_nanos((low + (high - low) * random) as u64)
    }
}

/// Whoever has so many delays that have not reached the cap has a factor near 1.
const MOST_GROWTH: u32 = 10_000;

#[expect(
    clippy::cast_precision_loss,
    reason = "a nanosecond in a month is not missed"
)]
fn nanos(duration: Duration) -> f64 {
    saturating_nanos(duration) as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn plain() -> Backoff {
        Backoff {
            initial: SECOND,
            max: 30 * SECOND,
            factor: 2.0,
            jitter: Jitter::None,
        }
    }

    fn delays(backoff: Backoff, random: f64) -> Vec<Duration> {
        let mut previous = Duration::ZERO;
        (1..=7)
            .map(|failed| {
                previous = backoff.delay(failed, previous, None, random).unwrap();
                previous
            })
            .collect()
    }

    #[test]
    fn doubles_from_initial_up_to_max() {
        assert_eq!(
            delays(plain(), 0.5),
            [1, 2, 4, 8, 16, 30, 30].map(Duration::from_secs)
        );
    }

    #[test]
    fn r2_backoff_at_attempt_1_64_and_10_000_saturates() {
        for factor in [2.0, 10.0, f64::MAX] {
            for failed in [0, 1, 64, 10_000, u32::MAX] {
                let backoff = Backoff { factor, ..plain() };
                let delay = backoff.delay(failed, SECOND, None, 0.5).unwrap();
                assert!(delay >= SECOND && delay <= backoff.max, "{delay:?}");
            }
        }
    }

    #[test]
    fn r4_jitter_scales_with_the_delay_and_the_sum_respects_max() {
        let backoff = Backoff {
            jitter: Jitter::Proportional,
            ..plain()
        };
        assert_eq!(
            delays(backoff, 0.0)[..3],
            [750, 1500, 3000].map(Duration::from_millis)
        );
        assert_eq!(delays(backoff, 0.999_999_999)[6].as_secs(), 29);
        assert!(
            delays(backoff, 0.999_999_999)
                .iter()
                .all(|delay| *delay <= backoff.max)
        );
    }

    #[test]
    fn r6_a_wish_above_max_stops_and_one_below_is_granted() {
        let hour = Duration::from_secs(3600);
        assert_eq!(plain().delay(1, SECOND, Some(hour), 0.5), None);
        assert_eq!(
            plain().delay(1, SECOND, Some(20 * SECOND), 0.5),
            Some(20 * SECOND)
        );
        assert_eq!(
            plain().delay(1, SECOND, Some(SECOND / 2), 0.5),
            Some(SECOND)
        );
    }

    #[test]
    fn full_jitter_begins_at_zero_and_decorrelated_grows_from_the_delay_before() {
        let full = Backoff {
            jitter: Jitter::Full,
            ..plain()
        };
        assert_eq!(full.delay(3, SECOND, None, 0.0), Some(Duration::ZERO));
        assert_eq!(full.delay(3, SECOND, None, 0.5), Some(2 * SECOND));
        let decorrelated = Backoff {
            jitter: Jitter::Decorrelated,
            ..plain()
        };
        assert_eq!(decorrelated.delay(3, 5 * SECOND, None, 0.0), Some(SECOND));
        assert_eq!(
            decorrelated.delay(3, 5 * SECOND, None, 0.5),
            Some(8 * SECOND)
        );
        assert_eq!(
            decorrelated.delay(3, 20 * SECOND, None, 1.0),
            Some(30 * SECOND)
        );
    }

    #[test]
    fn a_zero_initial_delay_stays_zero() {
        let none = Backoff {
            initial: Duration::ZERO,
            factor: f64::MAX,
            ..plain()
        };
        assert_eq!(
            none.delay(10_000, Duration::ZERO, None, 0.9),
            Some(Duration::ZERO)
        );
    }

    proptest! {
        #[test]
        fn every_delay_lies_between_what_was_asked_and_max(
            initial in 0_u64..u64::MAX, max in 0_u64..u64::MAX, factor in 1.0..1e300_f64,
            jitter in 0..4_usize, failed in 0_u32.., previous in 0_u64.., random in 0.0..1.0_f64,
            asked in proptest::option::of(0_u64..),
        ) {
            let jitter = [Jitter::None, Jitter::Proportional, Jitter::Full, Jitter::Decorrelated][jitter];
            let max = Duration::from_nanos(max);
            let backoff = Backoff { initial: Duration::from_nanos(initial).min(max), max, factor, jitter };
            let asked = asked.map(Duration::from_nanos);
            match backoff.delay(failed, Duration::from_nanos(previous), asked, random) {
                None => prop_assert!(asked > Some(max)),
                Some(delay) => {
                    prop_assert!(delay <= max);
                    prop_assert!(Some(delay) >= asked);
                }
            }
        }

        /// The delays of a whole call beside those of somebody who multiplies step by step. What is
        /// drawn lies as far within the range as `random` says; the range ends at the cap.
        #[test]
        fn the_delays_of_a_call_are_those_of_the_plain_model(
            initial in 1_u32..100_000, longest in 1_u32..1_000_000, factor in 1.0..5.0_f64,
            jitter in 0..4_usize, random in prop::collection::vec(0.0..1.0_f64, 1..40),
        ) {
            let jitter = [Jitter::None, Jitter::Proportional, Jitter::Full, Jitter::Decorrelated][jitter];
            let (initial, max) = (f64::from(initial.min(longest)), f64::from(longest));
            let seconds = Duration::from_secs_f64;
            let backoff = Backoff { initial: seconds(initial), max: seconds(max), factor, jitter };
            let (mut base, mut last, mut previous) = (initial, 0.0, Duration::ZERO);
            for (failed, random) in (1..).zip(random) {
                let (least, most) = match jitter {
                    Jitter::None => (base, base),
                    Jitter::Proportional => (base - base / 4.0, base + base / 4.0),
                    Jitter::Full => (0.0, base),
                    Jitter::Decorrelated if failed == 1 => (initial, 3.0 * initial),
                    Jitter::Decorrelated => (initial, 3.0 * last),
                };
                let most = if most > max { max } else { most };
                let expected = (1.0 - random) * least + random * most;
                previous = backoff.delay(failed, previous, None, random).unwrap();
                let off = (previous.as_secs_f64() - expected).abs();
                prop_assert!(off <= expected * 1e-9 + 1e-8, "{failed}: {previous:?}, {expected}");
                last = expected;
                base *= factor;
                if base > max {
                    base = max;
                }
            }
        }
    }
}
