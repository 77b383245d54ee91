//! A table of settings: which keys it takes, and what to say of others.

use crate::problem::Problem;
use crate::settings::key::Key;
use crate::settings::names::{OF_THE_ATTRIBUTE, one_of, unknown, word};
use crate::settings::origin::Level;
use crate::settings::value::Raw;

/// The table that a setting goes into.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'a> {
    pub(super) level: Level,
    pub(super) name: Option<&'a str>,
}

impl Target<'_> {
    pub(super) const DEFAULTS: Self = Self {
        level: Level::Defaults,
        name: None,
    };

    pub(super) fn takes(self, key: Key) -> bool {
        self.level.takes(key)
    }

    /// Whether some key below this path is taken.
    pub(super) fn takes_some(self, group: &str) -> bool {
        Key::ALL.iter().any(|key| {
            let below = key.path().strip_prefix(group);
            below.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) && self.takes(*key)
        })
    }

    /// What is wrong with a name that no key has here.
    pub(super) fn unknown(self, name: &str, above: &str, raw: &Raw) -> Problem {
        let names = Key::ALL.iter().filter_map(|key| {
            let path = Some(key.path()).filter(|_| self.takes(*key))?;
            if above.is_empty() {
                return path.split('.').next();
            }
            path.strip_prefix(above)?.strip_prefix('.')
        });
        let names = &names.collect::<Vec<_>>();
        if Key::of_path(name).is_some() || Self::is_group(name) {
            let message = match self.level {
                Level::Categories => "it is no matter of a category",
                _ => "it is a matter of single sites and services",
            };
            return Problem::with(message.into()).expected(one_of(names));
        }
        if above.is_empty() && OF_THE_ATTRIBUTE.contains(&name) {
            return Problem::with("it belongs to the attribute alone".into());
        }
        let last = name.rsplit('.').next().unwrap_or(name);
        match word(last, raw).filter(|_| above.is_empty()) {
            Some(ours) => Problem::with("unknown key".into()).nearest(Some(ours)),
            None => unknown(last, names),
        }
    }

    fn is_group(name: &str) -> bool {
        Key::ALL.iter().any(|key| {
            key.path()
                .split_once('.')
                .is_some_and(|(group, _)| group == name)
        })
    }
}

impl Level {
    /// Whether settings of this level have this key.
    pub(super) fn takes(self, key: Key) -> bool {
        match self {
            Self::Categories => Key::RETRY.contains(&key),
            Self::Defaults => key != Key::Enabled,
            _ => true,
        }
    }
}
