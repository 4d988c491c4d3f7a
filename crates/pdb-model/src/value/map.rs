//! The map of an attribute value.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use crate::AttributeValue;

/// Values by name: the content of [`AttributeValue::M`], sorted by name.
///
/// The map is one allocation of the size it needs. A B-tree takes 632 bytes for a map with one entry, and a request of 16 MB can contain
/// 800,000 of these. Looking up a name is a binary search. Adding or removing an entry moves those after it, so create a large map from an
/// iterator.
///
/// # Examples
///
/// ```
/// use pdb_model::ValueMap;
///
/// let mut map = ValueMap::from([("unit", "kg".into()), ("amount", 3.into())]);
/// assert_eq!(map.get("amount"), Some(&3.into()));
/// assert_eq!(map.keys().collect::<Vec<_>>(), ["amount", "unit"]);
/// assert_eq!(map.insert("amount", 4), Some(3.into()));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValueMap(Vec<Entry>);

type Entry = (String, AttributeValue);

impl ValueMap {
    /// Returns a map without entries.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Returns the number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&AttributeValue> {
        self.position(name).ok().map(|at| &self.0[at].1)
    }

    /// Returns the value of a name, mutably.
    #[must_use]
    pub fn get_mut(&mut self, name: &str) -> Option<&mut AttributeValue> {
        self.position(name).ok().map(|at| &mut self.0[at].1)
    }

    /// Returns whether the map contains this name.
    #[must_use]
    pub fn contains_key(&self, name: &str) -> bool {
        self.position(name).is_ok()
    }

    /// Adds or replaces a value. Returns the value that was replaced.
    pub fn insert(
        &mut self,
        name: impl Into<String> + Borrow<str>,
        value: impl Into<AttributeValue>,
    ) -> Option<AttributeValue> {
        match self.position(name.borrow()) {
            Ok(at) => Some(std::mem::replace(&mut self.0[at].1, value.into())),
            Err(at) => {
                self.0.insert(at, (name.into(), value.into()));
                None
            }
        }
    }

    /// Removes a value and returns it.
    pub fn remove(&mut self, name: &str) -> Option<AttributeValue> {
        self.position(name).ok().map(|at| self.0.remove(at).1)
    }

    /// Returns the entries, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&String, &AttributeValue)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// Returns the names, sorted.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &String> {
        self.0.iter().map(|(name, _)| name)
    }

    /// Returns the values, sorted by name.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &AttributeValue> {
        self.0.iter().map(|(_, value)| value)
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(own, _)| own.as_str().cmp(name))
    }
}

/// Takes entries in any order. If several have the same name, the last one is kept.
impl<N: Into<String>> FromIterator<(N, AttributeValue)> for ValueMap {
    fn from_iter<I: IntoIterator<Item = (N, AttributeValue)>>(entries: I) -> Self {
        let mut entries: Vec<Entry> = entries.into_iter().map(|(name, value)| (name.into(), value)).collect();
        // Stored items and the requests of most clients are sorted already.
        if !entries.is_sorted_by(|(one, _), (two, _)| one < two) {
            entries.sort_by(|(one, _), (two, _)| one.cmp(two));
            entries.dedup_by(|later, earlier| {
                let is_repeated = later.0 == earlier.0;
                if is_repeated {
                    std::mem::swap(&mut later.1, &mut earlier.1);
                }
                is_repeated
            });
        }
        entries.shrink_to_fit();
        Self(entries)
    }
}

impl<N: Into<String>, const COUNT: usize> From<[(N, AttributeValue); COUNT]> for ValueMap {
    fn from(entries: [(N, AttributeValue); COUNT]) -> Self {
        entries.into_iter().collect()
    }
}

impl From<BTreeMap<String, AttributeValue>> for ValueMap {
    fn from(entries: BTreeMap<String, AttributeValue>) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl From<ValueMap> for BTreeMap<String, AttributeValue> {
    fn from(map: ValueMap) -> Self {
        map.0.into_iter().collect()
    }
}

impl IntoIterator for ValueMap {
    type Item = (String, AttributeValue);
    type IntoIter = std::vec::IntoIter<Entry>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a ValueMap {
    type Item = (&'a String, &'a AttributeValue);
    type IntoIter = std::iter::Map<std::slice::Iter<'a, Entry>, fn(&'a Entry) -> Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(name, value)| (name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_entry_of_a_name_is_kept_and_names_are_sorted() {
        let map: ValueMap =
            [("b", 1), ("a", 2), ("b", 3), ("", 4), ("b", 5)].map(|(name, n)| (name, n.into())).into();
        let entries: Vec<_> = map.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(entries, [r#"={"N":"4"}"#, r#"a={"N":"2"}"#, r#"b={"N":"5"}"#]);
    }

    #[test]
    fn entries_are_added_replaced_and_removed() {
        let mut map = ValueMap::new();
        assert_eq!(map.insert("b", 1), None);
        assert_eq!(map.insert("a".to_owned(), 2), None);
        assert_eq!(map.insert("b", 3), Some(1.into()));
        assert_eq!(map, ValueMap::from([("a", 2.into()), ("b", 3.into())]));
        if let Some(value) = map.get_mut("a") {
            *value = 9.into();
        }
        assert_eq!((map.get("a"), map.get("c"), map.contains_key("b")), (Some(&9.into()), None, true));
        assert_eq!((map.remove("a"), map.remove("a"), map.len()), (Some(9.into()), None, 1));
        assert!(!map.is_empty());
        assert_eq!(map.into_iter().collect::<Vec<_>>(), [("b".to_owned(), 3.into())]);
    }
}
