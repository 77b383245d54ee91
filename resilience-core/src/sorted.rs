//! Values by key, in the order of the keys.

use std::borrow::Borrow;

/// Values by key, in the order of the keys: for what is small, or seldom gets another key. It is a
/// tenth of the code of a tree, which counts, since each type of keys and values has its own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sorted<K, V>(Vec<(K, V)>);

impl<K, V> Sorted<K, V> {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, (K, V)> {
        self.0.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl<K: Ord, V> Sorted<K, V> {
    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.at(key).ok().map(|at| &self.0[at].1)
    }

    pub(crate) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let at = self.at(key).ok()?;
        Some(&mut self.0[at].1)
    }

    /// Sets the value of a key.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self.at(&key) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (key, value)),
        }
    }

    pub(crate) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        if let Ok(at) = self.at(key) {
            self.0.remove(at);
        }
    }

    /// The value of a key, made if need be.
    pub(crate) fn entry(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        let at = self.at(&key).unwrap_or_else(|at| {
            self.0.insert(at, (key, V::default()));
            at
        });
        &mut self.0[at].1
    }

    /// Where a key is, or belongs.
    fn at<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.0
            .binary_search_by(|(known, _)| known.borrow().cmp(key))
    }
}

impl<'a> Sorted<&'a str, Vec<usize>> {
    /// The positions of each name.
    pub(crate) fn positions(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut positions = Self::new();
        for (position, name) in names.into_iter().enumerate() {
            positions.entry(name).push(position);
        }
        positions
    }
}

impl<K, V> Default for Sorted<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a, K, V> IntoIterator for &'a Sorted<K, V> {
    type Item = &'a (K, V);
    type IntoIter = std::slice::Iter<'a, (K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_value_and_its_place() {
        let mut sorted = Sorted::<String, u32>::new();
        for (key, value) in [("b", 1), ("c", 2), ("a", 3), ("b", 4)] {
            sorted.insert(key.into(), value);
        }
        *sorted.entry("c".into()) += 10;
        *sorted.entry("aa".into()) += 10;
        sorted.remove("a");
        sorted.remove("never there");
        let all: Vec<_> = sorted.iter().map(|(key, value)| (&**key, *value)).collect();
        assert_eq!(all, [("aa", 10), ("b", 4), ("c", 12)]);
        assert_eq!((sorted.get("b"), sorted.get("a")), (Some(&4), None));
    }

    #[test]
    fn positions_are_those_of_each_name_in_their_order() {
        let positions = Sorted::positions(["b", "a", "b", "c", "a", "b"]);
        let all: Vec<_> = positions.iter().cloned().collect();
        assert_eq!(
            all,
            [("a", vec![1, 4]), ("b", vec![0, 2, 5]), ("c", vec![3])]
        );
    }
}
