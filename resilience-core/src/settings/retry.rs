//! How often, and how long apart, errors of each category are retried.

use crate::Category;
use crate::backoff::Backoff;
use crate::options::BackoffOptions;
use crate::settings::layer::Layer;
use crate::settings::table::{self, Row};
use crate::sorted::Sorted;

/// How errors of one category are retried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RetrySettings {
    /// Further attempts after the first.
    pub(crate) retries: u32,
    pub(crate) backoff: Backoff,
}

/// The same for every category: worked out when settings are made, so that a failure only looks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rows {
    /// In the order of [`Category::BUILT_IN`].
    built_in: [RetrySettings; Category::BUILT_IN.len()],
    /// An application's own categories of which something is written.
    named: Vec<(Box<str>, RetrySettings)>,
    /// All others.
    own: RetrySettings,
}

/// What is written, from the nearest to the farthest.
pub(super) struct Written<'a> {
    pub(super) above: &'a Layer,
    pub(super) categories: &'a Sorted<String, Layer>,
    pub(super) below: &'a Layer,
}

impl Rows {
    pub(super) fn of(written: &Written<'_>) -> Self {
        let named = written.categories.iter();
        Self {
            built_in: Category::BUILT_IN.map(|category| {
                let layer = written.categories.get(category.as_str());
                written.row(layer, &Row::of(category))
            }),
            named: named
                .filter(|(name, _)| Category::built_in(name).is_none())
                .map(|(name, layer)| (name.as_str().into(), written.row(Some(layer), &Row::OWN)))
                .collect(),
            own: written.row(None, &Row::OWN),
        }
    }

    /// Of a site that makes one attempt, whatever is written.
    pub(super) fn without_retries(mut self) -> Self {
        let named = self.named.iter_mut().map(|(_, row)| row);
        for row in self.built_in.iter_mut().chain(named).chain([&mut self.own]) {
            row.retries = 0;
        }
        self
    }

    #[inline]
    pub(super) fn of_category(&self, category: Category) -> &RetrySettings {
        match category.number() {
            Some(number) => &self.built_in[number],
            None => self.of_own(category.as_str()),
        }
    }

    /// The row of a category of this name, be it built in or an application's own.
    pub(super) fn named(&self, category: &str) -> &RetrySettings {
        match Category::built_in(category) {
            Some(category) => self.of_category(category),
            None => self.of_own(category),
        }
    }

    fn of_own(&self, name: &str) -> &RetrySettings {
        let named = self.named.iter().find(|(named, _)| **named == *name);
        named.map_or(&self.own, |(_, row)| row)
    }

    /// Whether some error could be retried.
    pub(super) fn can_retry(&self) -> bool {
        let named = self.named.iter().map(|(_, row)| row);
        let mut all = self.built_in.iter().chain(named).chain([&self.own]);
        all.any(|row| row.retries > 0)
    }
}

impl Written<'_> {
    /// The row of a category, with what is written for it.
    fn row(&self, category: Option<&Layer>, row: &Row) -> RetrySettings {
        let category = category.map_or((None, BackoffOptions::new()), Layer::retry);
        let levels = [self.above.retry(), category, self.below.retry()];
        let (initial, initial_level) = first(levels.map(|(_, backoff)| backoff.initial))
            .unwrap_or((row.initial, levels.len()));
        let (max, max_level) =
            first(levels.map(|(_, backoff)| backoff.max)).unwrap_or((row.max, levels.len()));
        // A delay that is written nearer lifts the cap, else the cap lowers the delay.
        let max = if initial_level < max_level {
            max.max(initial)
        } else {
            max
        };
        let factor = first(levels.map(|(_, backoff)| backoff.factor));
        let jitter = first(levels.map(|(_, backoff)| backoff.jitter));
        let retries = first(levels.map(|(retries, _)| retries));
        RetrySettings {
            retries: retries.map_or(row.retries, |(retries, _)| retries),
            backoff: Backoff {
                initial: initial.min(max),
                max,
                factor: factor.map_or(table::FACTOR, |(factor, _)| factor),
                jitter: jitter.map(|(jitter, _)| jitter).unwrap_or_default(),
            },
        }
    }
}

/// What is written nearest, and how near.
fn first<T>(levels: [Option<T>; 3]) -> Option<(T, usize)> {
    let mut levels = levels.into_iter().enumerate();
    levels.find_map(|(level, written)| Some((written?, level)))
}
