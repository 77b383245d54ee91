//! How long calls took: a histogram of bounded size, with percentiles.

use std::fmt;
use std::time::Duration;

use crate::clock::saturating_nanos;
use crate::sync::atomic::{AtomicU64, Ordering};

/// How long calls took, as far as their time was taken.
///
/// A clock costs more than the rest of a call that succeeds at once. So a call's time begins when it
/// first waits, and a call that never waits counts as zero; where there is a listener or a subscriber
/// at `DEBUG`, all times are taken from the beginning. Values are off by one part in sixteen at most,
/// those above two hours count as two.
#[derive(Clone, Default, PartialEq)]
pub struct Latency {
    /// By bucket; empty where nothing was recorded.
    buckets: Vec<u64>,
    longest: u64,
}

impl Latency {
    /// How many calls.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The time that this share of the calls (0 to 1) did not exceed; `None` where there was no
    /// call.
    ///
    /// ```
    /// # let summary = resilience_core::Runtime::new().summary();
    /// let p99 = summary.latency.percentile(0.99);
    /// assert_eq!(p99, None);
    /// ```
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a rank among counts"
    )]
    pub fn percentile(&self, share: f64) -> Option<Duration> {
        let count = self.count();
        let rank = ((count as f64 * share.clamp(0.0, 1.0)).ceil() as u64).max(1);
        if rank >= count {
            return self.longest();
        }
        let mut seen = 0;
        let bucket = self.buckets.iter().position(|bucket| {
            seen += bucket;
            seen >= rank
        })?;
        Some(Duration::from_nanos(middle(bucket).min(self.longest)))
    }

    /// The longest, exactly; `None` where there was no call.
    pub fn longest(&self) -> Option<Duration> {
        (!self.buckets.is_empty()).then(|| Duration::from_nanos(self.longest))
    }

    /// What shards have recorded, and so many calls that took no time.
    pub(crate) fn of(instant: u64, shards: &[Histogram]) -> Self {
        let mut buckets: Vec<u64> = (0..BUCKETS)
            .map(|i| shards.iter().map(|shard| load(&shard.buckets[i])).sum())
            .collect();
        buckets[0] += instant;
        if buckets.iter().all(|&count| count == 0) {
            return Self::default();
        }
        let longest = shards.iter().map(|shard| load(&shard.longest)).max();
        Self {
            buckets,
            longest: longest.unwrap_or(0),
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.buckets
            .resize(self.buckets.len().max(other.buckets.len()), 0);
        for (sum, count) in self.buckets.iter_mut().zip(&other.buckets) {
            *sum += count;
        }
        self.longest = self.longest.max(other.longest);
    }
}

impl fmt::Debug for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Latency({self})")
    }
}

/// Median, 90th, 95th and 99th percentile, and the longest.
impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, share) in PERCENTILES {
            write!(
                f,
                "{name} {:?} ",
                self.percentile(share).unwrap_or_default()
            )?;
        }
        write!(f, "max {:?}", self.longest().unwrap_or_default())
    }
}

/// The percentiles that a summary shows.
pub(crate) const PERCENTILES: [(&str, f64); 4] =
    [("p50", 0.50), ("p90", 0.90), ("p95", 0.95), ("p99", 0.99)];

/// Counts of durations. Each power of two is cut into eight buckets.
#[derive(Debug)]
pub(crate) struct Histogram {
    buckets: Box<[AtomicU64]>,
    longest: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
            longest: AtomicU64::new(0),
        }
    }
}

impl Histogram {
    pub(crate) fn record(&self, duration: Duration) {
        let nanos = saturating_nanos(duration);
        self.buckets[bucket(nanos)].fetch_add(1, Ordering::Relaxed);
        if nanos > load(&self.longest) {
            self.longest.fetch_max(nanos, Ordering::Relaxed);
        }
    }

    pub(crate) fn reset(&self) {
        for counter in self.buckets.iter().chain([&self.longest]) {
            counter.store(0, Ordering::Relaxed);
        }
    }
}

/// The bucket of a duration: units of 1.024 µs, linear up to eight of them.
const fn bucket(nanos: u64) -> usize {
    let units = nanos >> UNIT_BITS;
    if units < PER_OCTAVE {
        return units as usize;
    }
    let octave = units.ilog2() - PER_OCTAVE.ilog2();
    let bucket =
        (octave as usize + 1) * PER_OCTAVE as usize + ((units >> octave) - PER_OCTAVE) as usize;
    if bucket < BUCKETS {
        bucket
    } else {
        BUCKETS - 1
    }
}

/// The middle of a bucket, in nanoseconds; zero for the first one.
const fn middle(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket == 0 {
        return 0;
    }
    let octave = (bucket / PER_OCTAVE).saturating_sub(1);
    let units = if bucket < PER_OCTAVE {
        bucket
    } else {
        (bucket % PER_OCTAVE + PER_OCTAVE) << octave
    };
    (units << UNIT_BITS) + (1 << octave << UNIT_BITS) / 2
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

const UNIT_BITS: u32 = 10;
const PER_OCTAVE: u64 = 8;
/// Up to 2^43 ns, 2.4 hours.
const BUCKETS: usize = 8 * 31;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_off_by_one_part_in_sixteen_at_most() {
        let mut nanos = 8 << UNIT_BITS;
        while nanos < 1 << 43 {
            let middle = middle(bucket(nanos));
            assert!(middle.abs_diff(nanos) <= nanos / 16, "{nanos}: {middle}");
            nanos += nanos / 7;
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
        assert_eq!((bucket(1023), bucket(1024), bucket(8 << 10)), (0, 1, 8));
    }

    #[test]
    fn percentiles_are_ranks() {
        let histogram = Histogram::default();
        for millis in 1..=100 {
            histogram.record(Duration::from_millis(millis));
        }
        let latency = Latency::of(100, &[histogram]);
        assert_eq!(latency.count(), 200);
        assert_eq!(latency.percentile(0.5), Some(Duration::ZERO));
        let p75 = latency.percentile(0.75).unwrap().as_secs_f64();
        assert!((0.047..0.054).contains(&p75), "{p75}");
        assert_eq!(latency.percentile(1.0), Some(Duration::from_millis(100)));
        assert_eq!(latency.longest(), Some(Duration::from_millis(100)));
        assert_eq!(Latency::default().percentile(0.5), None);
    }
}
