//! Rules of the application's own, before the built-in ones.

use std::error::Error;
use std::fmt;

use super::phrases::Phrases;
use super::{Window, normal, normalised};
use crate::{Classification, classify};

/// Rules for texts: the application's own, then the built-in ones.
///
/// A pattern is a phrase. It matches whole words in any case, however they are joined: `disk on
/// fire` finds `DiskOnFire` and `DISK_ON_FIRE`, and not `disk on firewall`.
///
/// ```
/// use resilience_core::classify::Rules;
/// use resilience_core::{Category, Classification, Retry};
///
/// let rules = Rules::builtin()
///     .with("ledger closed", Classification::new(Category::CONFLICT))
///     .with("gateway nap", Classification::new(Category::SERVICE));
///
/// assert_eq!(rules.text("E17: LedgerClosed for 2026-03").category(), Category::CONFLICT);
/// assert_eq!(rules.text("connection refused").category(), Category::NETWORK);
/// assert_eq!(rules.text("E17: LedgerClosed").reason(), "own rule: `ledger closed`");
/// ```
#[derive(Clone, Default)]
pub struct Rules {
    own: Vec<(String, Classification)>,
    phrases: Phrases,
}

impl Rules {
    /// The built-in rules alone.
    pub const fn builtin() -> Self {
        Self {
            own: Vec::new(),
            phrases: Phrases::none(),
        }
    }

    /// The built-in rules behind these of one's own, in this order.
    pub(crate) fn of<'a>(own: impl IntoIterator<Item = (&'a str, Classification)>) -> Self {
        let own = own.into_iter();
        let mut rules = Self {
            own: own.map(|(pattern, answer)| rule(pattern, answer)).collect(),
            phrases: Phrases::none(),
        };
        rules.know_phrases();
        rules
    }

    /// Adds a rule of one's own. Of several that match one text, the one added first decides.
    ///
    /// A pattern without a letter or digit matches nothing. A classification without a reason
    /// gets one that names the pattern.
    #[must_use]
    pub fn with(mut self, pattern: &str, classification: Classification) -> Self {
        self.own.push(rule(pattern, classification));
        self.know_phrases();
        self
    }

    fn know_phrases(&mut self) {
        self.phrases = Phrases::new(self.own.iter().map(|(phrase, _)| phrase));
    }

    /// Classifies a text.
    pub fn text(&self, text: &str) -> Classification {
        self.own(text.as_bytes())
            .cloned()
            .unwrap_or_else(|| classify::text(text))
    }

    /// What a rule of one's own says of a text.
    pub(crate) fn own_text(&self, text: &str) -> Option<Classification> {
        self.own(text.as_bytes()).cloned()
    }

    /// Classifies what a value displays.
    pub fn display<D: fmt::Display + ?Sized>(&self, value: &D) -> Classification {
        Window::of(&value, |text| {
            self.own(text)
                .cloned()
                .unwrap_or_else(|| super::bytes(text))
        })
    }

    /// Classifies an error: own rules on the text of each error in the chain, from the outermost
    /// on, then as [`classify::error`].
    pub fn error(&self, error: &(dyn Error + 'static)) -> Classification {
        if !self.own.is_empty() {
            for link in classify::chain(error) {
                if let Some(found) = Window::of(&link, |text| self.own(text).cloned()) {
                    return found;
                }
            }
        }
        classify::error(error)
    }

    fn own(&self, text: &[u8]) -> Option<&Classification> {
        if self.own.is_empty() {
            return None;
        }
        let first = normalised(text, |normal| {
            let mut first = None;
            self.phrases.find(normal.words, |number, _, _| {
                first = Some(first.map_or(number, |first: usize| first.min(number)));
            });
            first
        })?;
        Some(&self.own[first].1)
    }
}

/// A pattern in normal form, and what it means.
fn rule(pattern: &str, classification: Classification) -> (String, Classification) {
    let classification = if classification.reason().is_empty() {
        classification.with_reason(format!("own rule: `{pattern}`"))
    } else {
        classification
    };
    (normal::phrase(pattern), classification)
}

/// The phrases follow from the rules.
impl PartialEq for Rules {
    fn eq(&self, other: &Self) -> bool {
        self.own == other.own
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules")
            .field("own", &self.own)
            .finish_non_exhaustive()
    }
}
