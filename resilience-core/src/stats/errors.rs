//! How many errors of a service there were of each kind.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::event::CallFailure;
use crate::stats::{Count, ErrorCount, MOST_NAMES, Summary, add};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, lock};
use crate::{Category, Severity};

/// What an error is counted by, beside its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind {
    pub(crate) category: Category,
    pub(crate) severity: Severity,
    pub(crate) error_type: &'static str,
    /// It is a refusal of the runtime.
    pub(crate) is_rejection: bool,
}

/// The errors of a service: the kinds that come first, which for most are all, have a counter each.
#[derive(Debug, Default)]
pub(super) struct Errors {
    /// Made with the first error.
    first: OnceLock<Box<[Counter; FIRST]>>,
    later: Mutex<BTreeMap<Kind, u64>>,
}

#[derive(Debug, Default)]
struct Counter {
    kind: OnceLock<Kind>,
    count: AtomicU64,
}

impl Errors {
    /// Mostly its counter is found without a look at letters.
    #[inline]
    pub(super) fn count(&self, kind: &Kind) {
        let first = self.first.get().map_or(&[][..], |first| &first[..]);
        let is_it = |counter: &&Counter| counter.kind.get().is_some_and(|it| it.is_surely(kind));
        match first.iter().find(is_it) {
            Some(counter) => add(&counter.count, 1),
            None => self.count_at_length(*kind),
        }
    }

    #[cold]
    #[inline(never)]
    fn count_at_length(&self, kind: Kind) {
        let first = self.first.get_or_init(Box::default);
        let counter = first
            .iter()
            .find(|counter| *counter.kind.get_or_init(|| kind) == kind);
        match counter {
            Some(counter) => add(&counter.count, 1),
            None => self.count_later(kind),
        }
    }

    fn count_later(&self, kind: Kind) {
        let mut later = lock(&self.later);
        let kind = if later.contains_key(&kind) || later.len() < MOST_NAMES {
            kind
        } else {
            Kind {
                error_type: Count::OTHERS,
                ..kind
            }
        };
        *later.entry(kind).or_default() += 1;
    }

    pub(super) fn each(&self, mut tell: impl FnMut(Kind, u64)) {
        for counter in self.first.get().into_iter().flat_map(|first| &**first) {
            let count = counter.count.load(Ordering::Relaxed);
            if let Some(&kind) = counter.kind.get().filter(|_| count > 0) {
                tell(kind, count);
            }
        }
        for (&kind, &count) in &*lock(&self.later) {
            tell(kind, count);
        }
    }

    pub(super) fn reset(&self) {
        for counter in self.first.get().into_iter().flat_map(|first| &**first) {
            counter.count.store(0, Ordering::Relaxed);
        }
        lock(&self.later).clear();
    }
}

impl Kind {
    pub(super) const CIRCUIT_OPEN: Self = Self {
        category: Category::SERVICE,
        severity: Severity::High,
        error_type: "circuit_open",
        is_rejection: true,
    };

    pub(super) fn of(failure: CallFailure, is_rejection: bool) -> Self {
        Self {
            category: failure.category,
            severity: failure.severity,
            error_type: failure.error_type,
            is_rejection,
        }
    }

    /// Whether both are the same, as far as that is seen without a look at letters.
    #[inline]
    fn is_surely(&self, other: &Self) -> bool {
        self.severity == other.severity
            && self.is_rejection == other.is_rejection
            && self.category.is_surely(other.category)
            && std::ptr::eq(self.error_type, other.error_type)
    }
}

/// The errors of all services.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    by_kind: BTreeMap<(Category, Severity), u64>,
    by_service: BTreeMap<&'static str, u64>,
    by_type: BTreeMap<&'static str, u64>,
    rejections: BTreeMap<&'static str, u64>,
}

impl Sums {
    pub(crate) fn add(&mut self, service: &'static str, kind: Kind, count: u64) {
        *self
            .by_kind
            .entry((kind.category, kind.severity))
            .or_default() += count;
        *self.by_service.entry(service).or_default() += count;
        *self.by_type.entry(kind.error_type).or_default() += count;
        if kind.is_rejection {
            *self.rejections.entry(kind.error_type).or_default() += count;
        }
    }

    pub(crate) fn tell(self, summary: &mut Summary) {
        let mut errors: Vec<_> = self
            .by_kind
            .into_iter()
            .map(|((category, severity), count)| ErrorCount {
                category,
                severity,
                count,
            })
            .collect();
        errors.sort_by_key(|error| std::cmp::Reverse(error.count));
        summary.errors = errors;
        summary.errors_by_service = most(self.by_service);
        summary.errors_by_type = most(self.by_type);
        summary.rejections = most(self.rejections);
    }
}

/// The most frequent, with all others as one.
fn most(counts: BTreeMap<&'static str, u64>) -> Vec<Count> {
    let mut counts: Vec<_> = counts
        .into_iter()
        .map(|(name, count)| Count {
            name: name.to_owned(),
            count,
        })
        .collect();
    counts.sort_by_key(|count| std::cmp::Reverse(count.count));
    if counts.len() > MOST_NAMES {
        let others = counts.drain(MOST_NAMES..).map(|count| count.count).sum();
        counts.push(Count {
            name: Count::OTHERS.to_owned(),
            count: others,
        });
    }
    counts
}

const FIRST: usize = 8;
