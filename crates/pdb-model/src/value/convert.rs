//! Conversions between values, items and Rust's own types.

use std::collections::{BTreeMap, HashMap};

use super::{AttributeValue, Item, ValueMap, ValueSet};
use crate::{Number, NumberError};

macro_rules! values {
    ($($type:ty => |$value:ident| $made:expr;)*) => {$(
        impl From<$type> for AttributeValue {
            fn from($value: $type) -> Self {
                $made
            }
        }
    )*};
}

// There is no conversion from `u8`: it would make a list of numbers of a `Vec<u8>`.
values! {
    &str => |text| Self::S(text.to_owned());
    &String => |text| Self::S(text.clone());
    String => |text| Self::S(text);
    Number => |number| Self::N(number);
    i8 => |number| Self::N(number.into());
    i16 => |number| Self::N(number.into());
    i32 => |number| Self::N(number.into());
    i64 => |number| Self::N(number.into());
    u16 => |number| Self::N(number.into());
    u32 => |number| Self::N(number.into());
    u64 => |number| Self::N(number.into());
    usize => |number| Self::N(number.into());
    Vec<u8> => |bytes| Self::B(bytes);
    &[u8] => |bytes| Self::B(bytes.to_vec());
    bool => |value| Self::Bool(value);
    ValueSet<String> => |set| Self::Ss(set);
    ValueSet<Number> => |set| Self::Ns(set);
    ValueSet<Vec<u8>> => |set| Self::Bs(set);
    ValueMap => |map| Self::M(map);
    Item => |item| Self::M(item.0.into());
    BTreeMap<String, AttributeValue> => |map| Self::M(map.into());
}

impl<const COUNT: usize> From<[u8; COUNT]> for AttributeValue {
    fn from(bytes: [u8; COUNT]) -> Self {
        Self::B(bytes.into())
    }
}

/// For literals of bytes, as in `b"\x00\x01"`.
impl<const COUNT: usize> From<&[u8; COUNT]> for AttributeValue {
    fn from(bytes: &[u8; COUNT]) -> Self {
        Self::B(bytes.into())
    }
}

impl<T: Into<AttributeValue>> From<Vec<T>> for AttributeValue {
    fn from(elements: Vec<T>) -> Self {
        Self::L(elements.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<AttributeValue>, const COUNT: usize> From<[T; COUNT]> for AttributeValue {
    fn from(elements: [T; COUNT]) -> Self {
        Self::L(elements.into_iter().map(Into::into).collect())
    }
}

impl<S> From<HashMap<String, AttributeValue, S>> for AttributeValue {
    fn from(map: HashMap<String, AttributeValue, S>) -> Self {
        Self::M(map.into_iter().collect())
    }
}

/// `None` becomes [`AttributeValue::Null`].
impl<T: Into<AttributeValue>> From<Option<T>> for AttributeValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl TryFrom<f64> for AttributeValue {
    type Error = NumberError;

    /// Converts as `Number::try_from` does.
    fn try_from(number: f64) -> Result<Self, NumberError> {
        number.try_into().map(Self::N)
    }
}

impl AttributeValue {
    /// Returns a set of texts (`SS`). DynamoDB refuses an empty one.
    ///
    /// # Examples
    ///
    /// ```
    /// use pdb_model::AttributeValue;
    ///
    /// let tags = AttributeValue::string_set(["new", "gift", "new"]);
    /// assert_eq!(tags.to_string(), r#"{"SS":["gift","new"]}"#);
    /// ```
    pub fn string_set<T: Into<String>>(members: impl IntoIterator<Item = T>) -> Self {
        Self::Ss(members.into_iter().map(Into::into).collect())
    }

    /// Returns a set of numbers (`NS`). DynamoDB refuses an empty one.
    pub fn number_set<T: Into<Number>>(members: impl IntoIterator<Item = T>) -> Self {
        Self::Ns(members.into_iter().map(Into::into).collect())
    }

    /// Returns a set of byte strings (`BS`). DynamoDB refuses an empty one.
    pub fn binary_set<T: Into<Vec<u8>>>(members: impl IntoIterator<Item = T>) -> Self {
        Self::Bs(members.into_iter().map(Into::into).collect())
    }

    /// Returns the text if this is an `S`.
    #[must_use]
    pub fn as_s(&self) -> Option<&str> {
        if let Self::S(text) = self { Some(text) } else { None }
    }

    /// Returns the number if this is an `N`.
    #[must_use]
    pub fn as_n(&self) -> Option<&Number> {
        if let Self::N(number) = self { Some(number) } else { None }
    }

    /// Returns the bytes if this is a `B`.
    #[must_use]
    pub fn as_b(&self) -> Option<&[u8]> {
        if let Self::B(bytes) = self { Some(bytes) } else { None }
    }

    /// Returns the boolean if this is a `BOOL`.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// Returns whether this is `NULL`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// Returns the set if this is an `SS`.
    #[must_use]
    pub fn as_ss(&self) -> Option<&ValueSet<String>> {
        if let Self::Ss(set) = self { Some(set) } else { None }
    }

    /// Returns the set if this is an `NS`.
    #[must_use]
    pub fn as_ns(&self) -> Option<&ValueSet<Number>> {
        if let Self::Ns(set) = self { Some(set) } else { None }
    }

    /// Returns the set if this is a `BS`.
    #[must_use]
    pub fn as_bs(&self) -> Option<&ValueSet<Vec<u8>>> {
        if let Self::Bs(set) = self { Some(set) } else { None }
    }

    /// Returns the elements if this is an `L`.
    #[must_use]
    pub fn as_l(&self) -> Option<&[AttributeValue]> {
        if let Self::L(elements) = self { Some(elements) } else { None }
    }

    /// Returns the map if this is an `M`.
    #[must_use]
    pub fn as_m(&self) -> Option<&ValueMap> {
        if let Self::M(map) = self { Some(map) } else { None }
    }
}

impl<N: Into<String>, const COUNT: usize> From<[(N, AttributeValue); COUNT]> for Item {
    fn from(attributes: [(N, AttributeValue); COUNT]) -> Self {
        attributes.into_iter().collect()
    }
}

impl From<BTreeMap<String, AttributeValue>> for Item {
    fn from(attributes: BTreeMap<String, AttributeValue>) -> Self {
        Self(attributes)
    }
}

impl<S> From<HashMap<String, AttributeValue, S>> for Item {
    fn from(attributes: HashMap<String, AttributeValue, S>) -> Self {
        attributes.into_iter().collect()
    }
}

impl From<ValueMap> for Item {
    fn from(attributes: ValueMap) -> Self {
        attributes.into_iter().collect()
    }
}

impl From<Item> for BTreeMap<String, AttributeValue> {
    fn from(item: Item) -> Self {
        item.0
    }
}

impl From<Item> for HashMap<String, AttributeValue> {
    fn from(item: Item) -> Self {
        item.0.into_iter().collect()
    }
}

impl From<Item> for ValueMap {
    fn from(item: Item) -> Self {
        item.0.into()
    }
}

impl IntoIterator for Item {
    type Item = (String, AttributeValue);
    type IntoIter = std::collections::btree_map::IntoIter<String, AttributeValue>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Item {
    type Item = (&'a String, &'a AttributeValue);
    type IntoIter = std::collections::btree_map::Iter<'a, String, AttributeValue>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_of_rust_has_its_type_of_value() {
        let owned = "text".to_owned();
        for (value, json) in [
            (AttributeValue::from("text"), r#"{"S":"text"}"#),
            ((&owned).into(), r#"{"S":"text"}"#),
            (usize::MAX.into(), r#"{"N":"18446744073709551615"}"#),
            ((-8i8).into(), r#"{"N":"-8"}"#),
            (vec![0u8, 1].into(), r#"{"B":"AAE="}"#),
            ([0u8, 1].into(), r#"{"B":"AAE="}"#),
            (b"\x00\x01".into(), r#"{"B":"AAE="}"#),
            ([0u8, 1].as_slice().into(), r#"{"B":"AAE="}"#),
            (vec!["a", "b"].into(), r#"{"L":[{"S":"a"},{"S":"b"}]}"#),
            ([1, 2].into(), r#"{"L":[{"N":"1"},{"N":"2"}]}"#),
            (Some(true).into(), r#"{"BOOL":true}"#),
            (None::<String>.into(), r#"{"NULL":true}"#),
            (AttributeValue::number_set([2, 1, 2]), r#"{"NS":["1","2"]}"#),
            (AttributeValue::binary_set([b"\x00\x01"]), r#"{"BS":["AAE="]}"#),
            (Item::new().with("a", 1).into(), r#"{"M":{"a":{"N":"1"}}}"#),
            (HashMap::from([("a".to_owned(), 1.into())]).into(), r#"{"M":{"a":{"N":"1"}}}"#),
        ] {
            assert_eq!(value.to_string(), json);
        }
        assert_eq!(AttributeValue::try_from(0.5).unwrap().to_string(), r#"{"N":"0.5"}"#);
        assert_eq!(AttributeValue::try_from(f64::NAN), Err(NumberError::NotANumber));
    }

    #[test]
    fn items_become_maps_and_come_back() {
        let item = Item::new().with("b", 2).with("a", "x");
        assert_eq!(Item::from(HashMap::from(item.clone())), item);
        assert_eq!(Item::from(BTreeMap::from(item.clone())), item);
        assert_eq!(Item::from(ValueMap::from(item.clone())), item);
        assert_eq!(item.clone().into_iter().collect::<Item>(), item);
        assert_eq!((&item).into_iter().map(|(name, _)| name).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn each_getter_takes_its_own_type_only() {
        let all = [
            "x".into(),
            1.into(),
            b"x".into(),
            true.into(),
            AttributeValue::Null,
            AttributeValue::string_set(["x"]),
            AttributeValue::number_set([1]),
            AttributeValue::binary_set([b"x"]),
            ["x"].into(),
            Item::new().into(),
        ];
        for value in &all {
            let found = [
                ("S", value.as_s().is_some()),
                ("N", value.as_n().is_some()),
                ("B", value.as_b().is_some()),
                ("BOOL", value.as_bool().is_some()),
                ("NULL", value.is_null()),
                ("SS", value.as_ss().is_some()),
                ("NS", value.as_ns().is_some()),
                ("BS", value.as_bs().is_some()),
                ("L", value.as_l().is_some()),
                ("M", value.as_m().is_some()),
            ];
            let found: Vec<_> = found.iter().filter(|(_, is_it)| *is_it).map(|(name, _)| *name).collect();
            assert_eq!(found, [value.type_name()]);
        }
    }
}
