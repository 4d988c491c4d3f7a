//! The items of a response.

use std::fmt;

use pdb_model::EncodedItem;

/// Items of a response, one after the other in one buffer, as a response splices them.
///
/// # Examples
///
/// ```
/// use pdb_items::EncodedItems;
/// use pdb_model::{EncodedItem, Item};
///
/// let items: EncodedItems = [1, 2].map(|n| EncodedItem::from(&Item::from([("n", n.into())]))).into_iter().collect();
/// assert_eq!(items.len(), 2);
/// assert_eq!(items.json(), r#"{"n":{"N":"1"}},{"n":{"N":"2"}}"#);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct EncodedItems {
    /// The items' JSON, with a comma between each two.
    json: String,
    /// Where each item ends in `json`, and its size.
    ends: Vec<(usize, u64)>,
}

impl EncodedItems {
    /// Returns how many items there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns whether the page is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Returns the items as the inside of a JSON array.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Returns the items as the inside of a JSON array, without copying them.
    #[must_use]
    pub fn into_json(self) -> String {
        self.json
    }

    /// Returns the items one by one.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = EncodedItem> + '_ {
        (0..self.len()).map(|index| {
            let start = if index == 0 { 0 } else { self.ends[index - 1].0 + 1 };
            let (end, size_bytes) = self.ends[index];
            EncodedItem::from_stored(self.json[start..end].to_owned(), size_bytes)
        })
    }

    /// Adds an item at the end.
    pub fn push(&mut self, item: &EncodedItem) {
        self.push_stored(item.json(), item.size_bytes());
    }

    /// Makes room for so many more bytes of JSON.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.json.reserve_exact(bytes);
    }

    /// Adds other items at the end.
    pub(crate) fn append(&mut self, other: Self) {
        if self.is_empty() {
            *self = other;
        } else if !other.is_empty() {
            self.json.push(',');
            let start = self.json.len();
            self.json.push_str(&other.json);
            self.ends.extend(other.ends.into_iter().map(|(end, size_bytes)| (start + end, size_bytes)));
        }
    }

    /// Adds an item's stored text at the end.
    pub(crate) fn push_stored(&mut self, json: &str, size_bytes: u64) {
        if !self.json.is_empty() {
            self.json.push(',');
        }
        self.json.push_str(json);
        self.ends.push((self.json.len(), size_bytes));
    }
}

impl FromIterator<EncodedItem> for EncodedItems {
    fn from_iter<I: IntoIterator<Item = EncodedItem>>(items: I) -> Self {
        let mut encoded = Self::default();
        items.into_iter().for_each(|item| encoded.push(&item));
        encoded
    }
}

impl fmt::Debug for EncodedItems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.json)
    }
}
