//! The answers that stand before the body of a service, in one word: an error type in which they are
//! one case of several is moved in a register or two, and nobody counts references.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::breaker::OpenedBy;
use crate::clock::Wait;
use crate::sorted::Sorted;
use crate::{Category, Classification, Severity};

/// Who answers, what, and when to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer(u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// With the failures or slow calls that opened it.
    CircuitOpen(OpenedBy, u16),
    RateLimited,
    BulkheadFull,
}

impl Answer {
    #[inline]
    pub(super) fn new(service: &'static ServiceName, what: What, wait: Option<Wait>) -> Self {
        let (what, failures) = match what {
            What::CircuitOpen(by, failures) => (by as u64, failures),
            What::RateLimited => (RATE_LIMITED, 0),
            What::BulkheadFull => (BULKHEAD_FULL, 0),
        };
        Self(
            u64::from(service.number)
                | wait.map_or(UNKNOWN, packed) << SERVICE_BITS
                | u64::from(failures) << (SERVICE_BITS + WAIT_BITS)
                | what << (SERVICE_BITS + WAIT_BITS + u16::BITS),
        )
    }

    /// The same, with a time to wait.
    #[inline]
    pub(super) fn waiting(self, wait: Wait) -> Self {
        Self(self.0 & !(UNKNOWN << SERVICE_BITS) | packed(wait) << SERVICE_BITS)
    }

    pub(super) fn service(self) -> &'static str {
        ServiceName::of((self.0 & ((1 << SERVICE_BITS) - 1)) as usize)
    }

    #[inline]
    pub(super) fn what(self) -> What {
        match self.0 >> (SERVICE_BITS + WAIT_BITS + u16::BITS) {
            RATE_LIMITED => What::RateLimited,
            BULKHEAD_FULL => What::BulkheadFull,
            by => {
                let failures = (self.0 >> (SERVICE_BITS + WAIT_BITS)) as u16;
                What::CircuitOpen(OpenedBy::of(by as u8), failures)
            }
        }
    }

    /// The time after which it makes sense to come back; `None` where nobody knows.
    pub(super) fn wait(self) -> Option<Duration> {
        match self.0 >> SERVICE_BITS & UNKNOWN {
            UNKNOWN => None,
            millis @ ..LONG => Some(Duration::from_millis(millis)),
            seconds => Some(Duration::from_secs(seconds - LONG)),
        }
    }

    pub(super) fn classify(self) -> Classification {
        let classification = match self.what() {
            What::CircuitOpen(..) => {
                Classification::new(Category::SERVICE).with_severity(Severity::High)
            }
            What::RateLimited | What::BulkheadFull => Classification::new(Category::RATE_LIMIT),
        };
        match self.wait() {
            Some(wait) => classification.with_retry_after(wait),
            None => classification,
        }
        .rejection()
    }

    pub(super) fn word(self) -> u64 {
        self.0
    }

    pub(super) fn of_word(word: u64) -> Self {
        Self(word)
    }
}

/// Milliseconds, seconds where it is long. Rounded up: who waits this long is not refused for a
/// fraction of them.
#[inline]
fn packed(wait: Wait) -> u64 {
    let nanos = wait.as_nanos();
    match nanos.saturating_add(999_999) / 1_000_000 {
        millis @ ..LONG => millis,
        _ => (LONG + nanos.div_ceil(1_000_000_000)).min(UNKNOWN - 1),
    }
}

/// The name of a service, of which there is one for as long as the program runs. Programs name their
/// services in their code: there is a bounded number of them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ServiceName {
    name: Box<str>,
    /// In the order in which they came, [`MOST_SERVICES`] at most.
    number: u32,
}

#[derive(Debug)]
struct Names {
    by_name: Sorted<&'static str, &'static ServiceName>,
    by_number: Vec<&'static ServiceName>,
}

/// Nobody waits for anything in here, so that loom need not look at it.
static NAMES: Mutex<Names> = Mutex::new(Names {
    by_name: Sorted::new(),
    by_number: Vec::new(),
});

impl ServiceName {
    pub(crate) fn new(name: &str) -> &'static Self {
        let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = names.by_name.get(name) {
            return known;
        }
        let number = u32::try_from(names.by_number.len()).unwrap_or(u32::MAX);
        let new: &'static Self = Box::leak(Box::new(Self {
            name: name.into(),
            number: number.min(MOST_SERVICES),
        }));
        names.by_name.insert(&new.name, new);
        names.by_number.push(new);
        new
    }

    fn of(number: usize) -> &'static str {
        let names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        match names.by_number.get(number) {
            Some(service) if service.number < MOST_SERVICES => &service.name,
            _ => "(one of very many)",
        }
    }

    pub(crate) fn as_str(&'static self) -> &'static str {
        &self.name
    }
}

// Of the 64 bits, the service has the lowest, then come the wait, 16 of failures, and 3 that say what.
const SERVICE_BITS: u32 = 20;
const WAIT_BITS: u32 = 25;
const MOST_SERVICES: u32 = (1 << SERVICE_BITS) - 1;
const UNKNOWN: u64 = (1 << WAIT_BITS) - 1;
/// From 4.6 hours on, seconds are counted.
const LONG: u64 = 1 << (WAIT_BITS - 1);
/// What opened a breaker has the numbers below.
const RATE_LIMITED: u64 = 3;
const BULKHEAD_FULL: u64 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_holds_all_of_it() {
        let service = ServiceName::new("a service of the word");
        let whats = [
            What::CircuitOpen(OpenedBy::Failures, 5),
            What::CircuitOpen(OpenedBy::SlowCalls, u16::MAX),
            What::CircuitOpen(OpenedBy::Hand, 0),
            What::RateLimited,
            What::BulkheadFull,
        ];
        let millis = Duration::from_millis;
        let waits = [
            (None, None),
            (Some(Duration::ZERO), Some(Duration::ZERO)),
            (Some(Duration::from_nanos(1)), Some(millis(1))),
            (Some(millis(LONG - 1)), Some(millis(LONG - 1))),
            (Some(millis(86_400_001)), Some(Duration::from_secs(86_401))),
            (Some(Duration::MAX), Some(Duration::from_secs(LONG - 2))),
        ];
        for what in whats {
            for (wait, told) in waits {
                let answer = Answer::new(service, what, wait.map(Wait::from));
                assert_eq!(answer.service(), "a service of the word");
                assert_eq!((answer.what(), answer.wait()), (what, told));
            }
        }
    }

    #[test]
    fn there_is_one_of_each_name() {
        let one = ServiceName::new("one of each");
        assert!(std::ptr::eq(one, ServiceName::new("one of each")));
        assert!(!std::ptr::eq(one, ServiceName::new("another")));
    }
}
