//! How many errors of a service there were of each kind.

use std::sync::OnceLock;

use crate::event::CallFailure;
use crate::sorted::Sorted;
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
    later: Mutex<Sorted<Kind, u64>>,
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
        let kind = if later.get(&kind).is_some() || later.len() < MOST_NAMES {
            kind
        } else {
            Kind {
                error_type: Count::OTHERS,
                ..kind
            }
        };
        *later.entry(kind) += 1;
    }

    pub(super) fn each(&self, mut tell: impl FnMut(Kind, u64)) {
        for counter in self.first.get().into_iter().flat_map(|first| &**first) {
            let count = counter.count.load(Ordering::Relaxed);
            if let Some(&kind) = counter.kind.get().filter(|_| count > 0) {
                tell(kind, count);
            }
        }
        for (kind, count) in &*lock(&self.later) {
            tell(*kind, *count);
        }
    }

    pub(super) fn reset(&self) {
        for counter in self.first.get().into_iter().flat_map(|first| &**first) {
            counter.count.store(0, Ordering::Relaxed);
        }
        *lock(&self.later) = Sorted::new();
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
    by_kind: Sorted<(Category, Severity), u64>,
    by_service: Vec<Count>,
    by_type: Sorted<&'static str, u64>,
    rejections: Sorted<&'static str, u64>,
}

impl Sums {
    /// The services come one after the other, by name.
    pub(crate) fn add(&mut self, service: &'static str, kind: Kind, count: u64) {
        *self.by_kind.entry((kind.category, kind.severity)) += count;
        match self.by_service.last_mut() {
            Some(last) if last.name == service => last.count += count,
            _ => self.by_service.push(Count::new(service, count)),
        }
        *self.by_type.entry(kind.error_type) += count;
        if kind.is_rejection {
            *self.rejections.entry(kind.error_type) += count;
        }
    }

    pub(crate) fn tell(self, summary: &mut Summary) {
        let counts = |of: Sorted<&'static str, u64>| {
            let counts = of.iter().map(|(name, count)| Count::new(name, *count));
            counts.collect()
        };
        for ((category, severity), count) in &self.by_kind {
            let error = ErrorCount {
                category: *category,
                severity: *severity,
                count: *count,
            };
            let errors = &mut summary.errors;
            let at = errors.partition_point(|other| other.count >= error.count);
            errors.insert(at, error);
        }
        summary.errors_by_service = most(self.by_service);
        summary.errors_by_type = most(counts(self.by_type));
        summary.rejections = most(counts(self.rejections));
    }
}

/// The most frequent, with all others as one.
fn most(counts: Vec<Count>) -> Vec<Count> {
    let mut most = Vec::new();
    let mut others = Count::new(Count::OTHERS, 0);
    for count in counts {
        rank(&mut most, count);
        // So that there are never many to be moved.
        if most.len() > MOST_NAMES {
            others.count += most.pop().map_or(0, |least| least.count);
        }
    }
    most.extend((others.count > 0).then_some(others));
    most
}

/// Puts one among the others, the most frequent first; those of one count stay as they come.
pub(super) fn rank(counts: &mut Vec<Count>, one: Count) {
    let at = counts.partition_point(|other| other.count >= one.count);
    counts.insert(at, one);
}

const FIRST: usize = 8;
