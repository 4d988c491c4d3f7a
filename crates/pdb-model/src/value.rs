//! Attribute values and items.

mod convert;
mod item_macro;
mod map;
#[cfg(feature = "serde_dynamo")]
mod serde;
mod set;

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

use crate::Number;

pub use map::ValueMap;
#[cfg(feature = "serde_dynamo")]
pub use serde::{SerializeError, from_attribute_value, from_item, to_attribute_value, to_item};
pub use set::ValueSet;

/// The largest item DynamoDB stores, in bytes: 400 KB, names and values together.
pub const MAX_ITEM_BYTES: u64 = 409_600;

/// The most levels of an attribute. A scalar has one level, and each list or map around it adds one.
pub const MAX_NESTING: usize = 32;

/// The value of an attribute.
///
/// Values are canonical by construction: numbers are normalised, and sets are sorted without duplicates. So `==` is DynamoDB's equality.
/// DynamoDB does not store empty sets.
///
/// # Examples
///
/// ```
/// use pdb_model::AttributeValue;
///
/// let value = AttributeValue::from("o1");
/// assert_eq!(value.as_s(), Some("o1"));
/// assert_eq!(value.to_string(), r#"{"S":"o1"}"#);
/// assert_eq!(AttributeValue::from(vec![1, 2]).to_string(), r#"{"L":[{"N":"1"},{"N":"2"}]}"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeValue {
    /// Text. It must not be empty in a key.
    S(String),
    /// A number.
    N(Number),
    /// Bytes. They must not be empty in a key.
    B(Vec<u8>),
    /// A boolean.
    Bool(bool),
    /// The null value.
    Null,
    /// A set of texts.
    Ss(ValueSet<String>),
    /// A set of numbers.
    Ns(ValueSet<Number>),
    /// A set of byte strings.
    Bs(ValueSet<Vec<u8>>),
    /// A list of values of any type.
    L(Vec<AttributeValue>),
    /// A map of values of any type.
    M(ValueMap),
}

impl AttributeValue {
    /// Returns the API's name of the type: `S`, `N`, `B`, `BOOL`, `NULL`, `SS`, `NS`, `BS`, `L` or `M`.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::S(_) => "S",
            Self::N(_) => "N",
            Self::B(_) => "B",
            Self::Bool(_) => "BOOL",
            Self::Null => "NULL",
            Self::Ss(_) => "SS",
            Self::Ns(_) => "NS",
            Self::Bs(_) => "BS",
            Self::L(_) => "L",
            Self::M(_) => "M",
        }
    }

    /// Returns the size that DynamoDB counts for the value, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        match self {
            Self::S(text) => text.len() as u64,
            Self::N(number) => number.size_bytes(),
            Self::B(bytes) => bytes.len() as u64,
            Self::Bool(_) | Self::Null => 1,
            Self::Ss(set) => set.iter().map(|text| text.len() as u64).sum(),
            Self::Ns(set) => set.iter().map(Number::size_bytes).sum(),
            Self::Bs(set) => set.iter().map(|bytes| bytes.len() as u64).sum(),
            Self::L(list) => 3 + list.iter().map(|value| 1 + value.size_bytes()).sum::<u64>(),
            Self::M(map) => {
                3 + map.iter().map(|(name, value)| 1 + name.len() as u64 + value.size_bytes()).sum::<u64>()
            }
        }
    }

    /// Returns the number of levels: 1 for a scalar or a set, one more than the deepest element for a list or a map.
    #[must_use]
    pub fn depth(&self) -> usize {
        match self {
            Self::L(list) => 1 + list.iter().map(Self::depth).max().unwrap_or(0),
            Self::M(map) => 1 + map.values().map(Self::depth).max().unwrap_or(0),
            _ => 1,
        }
    }
}

/// An item: attributes by name, in a map that it dereferences to.
///
/// The macro [`item!`](crate::item) creates one from names and values.
///
/// # Examples
///
/// ```
/// use pdb_model::Item;
///
/// let item = Item::from([("pk", "o1".into()), ("total", 42.into())]);
/// assert_eq!(item.size_bytes(), 2 + 2 + 5 + 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item(pub BTreeMap<String, AttributeValue>);

impl Item {
    /// Returns an item without attributes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the size that DynamoDB counts for the item, in bytes: that of the names, in UTF-8, and of the values.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.0.iter().map(|(name, value)| name.len() as u64 + value.size_bytes()).sum()
    }

    /// Returns the number of levels of the deepest attribute.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.0.values().map(AttributeValue::depth).max().unwrap_or(0)
    }

    /// Adds or replaces an attribute, and returns the item.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<AttributeValue>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }
}

impl Deref for Item {
    type Target = BTreeMap<String, AttributeValue>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Item {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<N: Into<String>> FromIterator<(N, AttributeValue)> for Item {
    // Collecting fills the nodes of the tree. Inserting one attribute after the other would leave them half empty.
    fn from_iter<I: IntoIterator<Item = (N, AttributeValue)>>(attributes: I) -> Self {
        Self(attributes.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composite_sizes_follow_the_specification() {
        // streams.md, appendix C.
        let item = Item::new()
            .with("pk", "u#1")
            .with("n", 9)
            .with("t", AttributeValue::Ss(["a".into(), "bc".into()].into()))
            .with(
                "m",
                AttributeValue::M(
                    [(
                        "k".to_owned(),
                        AttributeValue::L(vec![
                            AttributeValue::Null,
                            true.into(),
                            AttributeValue::N("-1.5".parse().unwrap()),
                        ]),
                    )]
                    .into(),
                ),
            );
        assert_eq!(item.size_bytes(), 30);
        assert_eq!(item.depth(), 3);
    }
}
