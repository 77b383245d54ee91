//! `rate_limit(..)`, `bulkhead(..)` and `budget(..)`.

use std::time::Duration;

/// What `rate_limit(..)` says; `rate_limit = "100/60s"` says the limit alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimitOptions {
    /// So many attempts in this time.
    pub limit: Option<(u32, Duration)>,
    /// So many at once, after a pause that was long enough. As many as the limit, unless said.
    pub burst: Option<u32>,
    /// Who would have to wait longer is rejected.
    pub max_wait: Option<Duration>,
    /// Threads take no permits in advance, see [`exact`](Self::exact).
    pub exact: Option<bool>,
}

/// What `bulkhead(..)` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BulkheadOptions {
    /// So many attempts run at a time.
    pub concurrency: Option<u32>,
    /// So many wait for one of them to end.
    pub queue: Option<u32>,
}

/// What `budget(..)` says.
///
/// A retry is granted if it keeps to the ratio, or if there have been no more than
/// `min_per_second` of them a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct BudgetOptions {
    /// So many retries for each call of the last 10 s: 0.2 lets them add a fifth to the load.
    pub ratio: Option<f64>,
    /// So many retries a second are granted however few the calls.
    pub min_per_second: Option<u32>,
}

impl RateLimitOptions {
    /// Nothing said.
    pub const fn new() -> Self {
        Self {
            limit: None,
            burst: None,
            max_wait: None,
            exact: None,
        }
    }

    /// So many attempts in this time.
    #[must_use]
    pub const fn limit(mut self, attempts: u32, period: Duration) -> Self {
        self.limit = Some((attempts, period));
        self
    }

    /// So many at once, after a pause that was long enough; as many as the limit unless said.
    #[must_use]
    pub const fn burst(mut self, attempts: u32) -> Self {
        self.burst = Some(attempts);
        self
    }

    /// Who would have to wait longer is rejected: 5 s unless said; with zero, nobody waits.
    #[must_use]
    pub const fn max_wait(mut self, wait: Duration) -> Self {
        self.max_wait = Some(wait);
        self
    }

    /// Whether each attempt takes its permit for itself, at the moment of going.
    ///
    /// Where it need not, which is the default, and the burst is 1024 or more, threads that succeed at
    /// once take permits in advance, up to 64 at a time, while half of the burst is there: an attempt
    /// then costs less than half as much, and threads do not wait for each other. It lets no more
    /// through than `limit` and `burst` say. But after a pause there may be fewer permits than the
    /// burst: by a 128th of it, 64 at most, for each thread, and by an eighth at most for all.
    #[must_use]
    pub const fn exact(mut self, exact: bool) -> Self {
        self.exact = Some(exact);
        self
    }

    /// The first rule that is broken, in words.
    pub(crate) const fn broken(&self) -> Option<&'static str> {
        match (self.limit, self.burst) {
            (Some((0, _)), _) => Some("`limit` must let at least one attempt through"),
            (Some((_, period)), _) if period.is_zero() => {
                Some("the time of `limit` must not be zero")
            }
            (_, Some(0)) => Some("`burst` must be at least 1"),
            _ => None,
        }
    }

    pub(crate) fn written_limit(&self) -> Option<String> {
        self.limit
            .map(|(attempts, period)| format!("{attempts}/{period:?}"))
    }
}

impl BulkheadOptions {
    /// Nothing said.
    pub const fn new() -> Self {
        Self {
            concurrency: None,
            queue: None,
        }
    }

    /// So many attempts run at a time; 10 unless said.
    #[must_use]
    pub const fn concurrency(mut self, attempts: u32) -> Self {
        self.concurrency = Some(attempts);
        self
    }

    /// So many wait for one of them to end, 100 unless said; with 0, nobody does.
    #[must_use]
    pub const fn queue(mut self, attempts: u32) -> Self {
        self.queue = Some(attempts);
        self
    }

    /// The first rule that is broken, in words.
    pub(crate) const fn broken(&self) -> Option<&'static str> {
        match self.concurrency {
            Some(0) => Some("`concurrency` must be at least 1"),
            _ => None,
        }
    }
}

impl BudgetOptions {
    /// Nothing said.
    pub const fn new() -> Self {
        Self {
            ratio: None,
            min_per_second: None,
        }
    }

    /// So many retries for each call: 0 grants none beyond `min_per_second`; 0.2 unless said.
    #[must_use]
    pub const fn ratio(mut self, ratio: f64) -> Self {
        self.ratio = Some(ratio);
        self
    }

    /// So many retries a second are granted however few the calls; 10 unless said.
    #[must_use]
    pub const fn min_per_second(mut self, retries: u32) -> Self {
        self.min_per_second = Some(retries);
        self
    }

    /// The first rule that is broken, in words.
    pub(crate) const fn broken(&self) -> Option<&'static str> {
        let Some(ratio) = self.ratio else { return None };
        if !(ratio >= 0.0 && ratio <= 10.0) {
            return Some("`ratio` is a share of the calls, at most 10: a fifth of them is 0.2");
        }
        if ratio > 0.0 && ratio < 0.01 {
            return Some("`ratio` is at least 0.01, or 0");
        }
        None
    }
}
