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

/// How deep values may nest: a scalar attribute is on level 1, and each list or map around it adds one.
pub const MAX_NESTING: usize = 32;

/// The value of an attribute.
///
/// Values are canonical by construction: numbers are normalised, sets sorted and without duplicates, so that `==` is
/// DynamoDB's equality. DynamoDB stores no empty set; a set in an item must have a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeValue {
    /// Text; may be empty except in keys.
    S(String),
    /// A number.
    N(Number),
    /// Bytes; may be empty except in keys.
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
    /// Returns the name of the type as the API writes it: `S`, `N`, `B`, `BOOL`, `NULL`, `SS`, `NS`, `BS`, `L` or `M`.
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

    /// Returns the size DynamoDB counts for the value, in bytes.
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

    /// Returns how many levels the value has: 1 for a scalar or a set, one more than its deepest element for a list or a
    /// map.
    #[must_use]
    pub fn depth(&self) -> usize {
        match self {
            Self::L(list) => 1 + list.iter().map(Self::depth).max().unwrap_or(0),
            Self::M(map) => 1 + map.values().map(Self::depth).max().unwrap_or(0),
            _ => 1,
        }
    }
}

/// An item: attributes by name. Derefs to the map.
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

    /// Returns the size DynamoDB counts for the item, in bytes: names in UTF-8 and values.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.0.iter().map(|(name, value)| name.len() as u64 + value.size_bytes()).sum()
    }

    /// Returns the levels of the deepest attribute.
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
    /// Collecting fills the nodes of the tree, which one insertion after the other leaves half empty.
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
