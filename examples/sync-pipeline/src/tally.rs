//! What has become of the records of a run, as far as this process has seen it.

use std::collections::{BTreeMap, VecDeque};

use resilience::{Category, Severity};
use serde::Serialize;

use crate::steps::Outcome;

/// What has become of the records.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Tally {
    /// Those that this process has dealt with.
    pub(crate) records: u64,
    pub(crate) indexed: u64,
    pub(crate) unchanged: u64,
    pub(crate) deleted: u64,
    pub(crate) not_there: u64,
    pub(crate) changesets: u64,
    pub(crate) skipped: u64,
    pub(crate) failed: u64,
    /// Those that an earlier process of the same run has dealt with.
    pub(crate) done_before: u64,
    /// Those that have failed too often to be tried again.
    pub(crate) given_up: u64,
    /// Failed ones that wait for a service, by its name. They are among `failed`.
    pub(crate) waiting: BTreeMap<&'static str, u64>,
    /// How often each `category:severity` was the reason.
    pub(crate) kinds: BTreeMap<String, u64>,
    /// The newest failures, oldest first.
    #[serde(skip)]
    pub(crate) recent: VecDeque<String>,
}

impl Tally {
    pub(crate) fn count(&mut self, outcome: &Outcome) {
        self.records += 1;
        let counter = match outcome {
            Outcome::Indexed { .. } | Outcome::WouldIndex { .. } => &mut self.indexed,
            Outcome::Unchanged => &mut self.unchanged,
            Outcome::Deleted | Outcome::WouldDelete => &mut self.deleted,
            Outcome::NotThere => &mut self.not_there,
            Outcome::Changeset => &mut self.changesets,
            Outcome::Skipped(_) => &mut self.skipped,
        };
        *counter += 1;
    }

    pub(crate) fn fail(
        &mut self,
        (category, severity): (Category, Severity),
        waits_for: Option<&'static str>,
        text: String,
    ) {
        self.records += 1;
        self.failed += 1;
        *self
            .kinds
            .entry(format!("{category}:{severity}"))
            .or_default() += 1;
        if let Some(service) = waits_for {
            *self.waiting.entry(service).or_default() += 1;
        }
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(text);
    }

    /// Whether the index is as it was before.
    pub(crate) const fn nothing_changed(&self) -> bool {
        self.indexed == 0 && self.deleted == 0
    }

    /// Whether every record of the run is dealt with.
    pub(crate) const fn all_well(&self) -> bool {
        self.failed == 0 && self.given_up == 0
    }

    /// The reasons, the most frequent first.
    pub(crate) fn top_kinds(&self) -> Vec<(&str, u64)> {
        let mut kinds: Vec<_> = self
            .kinds
            .iter()
            .map(|(kind, count)| (kind.as_str(), *count))
            .collect();
        kinds.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        kinds
    }
}

/// How many failures are shown when a run breaks off.
const RECENT: usize = 3;
