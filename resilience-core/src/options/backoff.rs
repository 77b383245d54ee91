//! `backoff(..)`.

use std::time::Duration;

/// What `backoff(..)` says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct BackoffOptions {
    /// The delay before the second attempt.
    pub initial: Option<Duration>,
    /// No delay is longer.
    pub max: Option<Duration>,
    /// Each delay is this many times the one before.
    pub factor: Option<f64>,
    /// How delays are spread.
    pub jitter: Option<Jitter>,
}

/// How delays are spread, so that clients that failed together do not come back together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Jitter {
    /// The delay, 25 % more or less.
    #[default]
    Proportional,
    /// Anything from zero to the delay.
    Full,
    /// Anything from the initial delay to three times the delay before.
    Decorrelated,
    /// The delay to the nanosecond.
    None,
}

impl BackoffOptions {
    /// Nothing said.
    pub const fn new() -> Self {
        Self {
            initial: None,
            max: None,
            factor: None,
            jitter: None,
        }
    }

    /// The delay before the second attempt. Unless said, it is that of the error's category: from 500 ms
    /// for files to 10 s where the other side limits the rate.
    #[must_use]
    pub const fn initial(mut self, initial: Duration) -> Self {
        self.initial = Some(initial);
        self
    }

    /// No delay is longer, and whoever is asked to wait longer stops. Unless said, it is that of the
    /// error's category: from 5 s for files to 5 min where the other side limits the rate.
    #[must_use]
    pub const fn max(mut self, max: Duration) -> Self {
        self.max = Some(max);
        self
    }

    /// Each delay is this many times the one before; at least 1, and 2 unless said.
    #[must_use]
    pub const fn factor(mut self, factor: f64) -> Self {
        self.factor = Some(factor);
        self
    }

    /// How delays are spread: 25 % more or less unless said.
    #[must_use]
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = Some(jitter);
        self
    }

    /// The first rule that is broken, in words.
    pub(crate) const fn broken(&self) -> Option<&'static str> {
        if let Some(factor) = self.factor
            && !(factor.is_finite() && factor >= 1.0)
        {
            return Some("`factor` must be a number of at least 1");
        }
        if let (Some(initial), Some(max)) = (self.initial, self.max)
            && initial.as_nanos() > max.as_nanos()
        {
            return Some("`initial` must not be above `max`");
        }
        None
    }
}

impl Jitter {
    /// The name, as written in attributes and settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proportional => "proportional",
            Self::Full => "full",
            Self::Decorrelated => "decorrelated",
            Self::None => "none",
        }
    }
}
