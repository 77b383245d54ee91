//! Which failures count for the breaker, where settings change that.

use std::fmt;
use std::sync::Arc;

use crate::Category;
use crate::settings::key::Key;
use crate::settings::layer::Layer;
use crate::sorted::Sorted;

/// The names of categories, each once, in the order of the alphabet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Categories(Arc<[Box<str>]>);

/// What `ignore` and `record` say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    ignore: Option<Categories>,
    record: Option<Categories>,
}

impl Categories {
    pub(crate) fn new(names: &[&str]) -> Self {
        let names = Sorted::positions(names.iter().copied());
        Self(names.iter().map(|(name, _)| Box::from(*name)).collect())
    }

    pub(crate) fn of(categories: &[Category]) -> Self {
        let names: Vec<_> = categories.iter().map(|known| known.as_str()).collect();
        Self::new(&names)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|name| &**name)
    }

    fn has(&self, name: &str) -> bool {
        self.iter().any(|known| known == name)
    }
}

impl Counted {
    pub(crate) fn of(layer: &Layer) -> Self {
        Self {
            ignore: layer.categories(Key::Ignore).cloned(),
            record: layer.categories(Key::Record).cloned(),
        }
    }

    /// Whether failures of this category count; `None` where their fault decides.
    pub(crate) fn says(&self, category: Category) -> Option<bool> {
        let has = |names: &Option<Categories>| {
            let names = names.as_ref();
            names.is_some_and(|names| names.has(category.as_str()))
        };
        if has(&self.ignore) {
            return Some(false);
        }
        has(&self.record).then_some(true)
    }

    /// A category that is in both lists.
    pub(crate) fn clash(&self) -> Option<&str> {
        let (ignore, record) = (self.ignore.as_ref()?, self.record.as_ref()?);
        record.iter().find(|name| ignore.has(name))
    }

    /// The list of `from` without what the other has.
    pub(crate) fn apart(&self, from: Key) -> Option<Categories> {
        let (list, other) = match from {
            Key::Ignore => (&self.ignore, &self.record),
            _ => (&self.record, &self.ignore),
        };
        let (list, other) = (list.as_ref()?, other.as_ref()?);
        let names: Vec<_> = list.iter().filter(|name| !other.has(name)).collect();
        Some(Categories::new(&names))
    }
}

/// As TOML writes it.
impl fmt::Display for Categories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_as_toml_writes_them_each_once() {
        let names = Categories::new(&["timeout", "auth", "timeout"]);
        assert_eq!(names.to_string(), r#"["auth", "timeout"]"#);
        assert_eq!(Categories::new(&[]).to_string(), "[]");
    }
}
