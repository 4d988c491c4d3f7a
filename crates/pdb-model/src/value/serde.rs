//! Items from and into types with `serde`, by way of the crate `serde_dynamo` (feature `serde_dynamo`).

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_dynamo::AttributeValue as Foreign;

use super::{AttributeValue, Item};
use crate::{Number, NumberError};

/// Why a Rust value has no form as an item or an attribute value.
#[derive(Debug, thiserror::Error)]
pub enum SerializeError {
    /// The value does not serialize, or what should be an item is not like a map.
    #[error("the value cannot be serialized")]
    Serialize(#[from] serde_dynamo::Error),
    /// The value has a number that DynamoDB cannot store, such as `f64::NAN` or `1e200`.
    #[error("`{number}` cannot be stored as a number")]
    Number {
        /// The number as it was serialized.
        number: String,
        /// Why DynamoDB cannot store it.
        source: NumberError,
    },
}

/// Converts a struct, or what else serializes like a map, into an item.
///
/// `serde_dynamo::to_item` does the same for items of the AWS SDK, whose numbers are texts. Numbers of an [`Item`] are checked, so this
/// conversion can fail where that one does not.
///
/// # Errors
///
/// [`SerializeError`].
///
/// # Examples
///
/// ```
/// use pdb_model::{from_item, item, to_item};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// struct Order {
///     pk: String,
///     total: u32,
///     tags: Vec<String>,
/// }
///
/// let order = Order { pk: "o1".to_owned(), total: 42, tags: vec!["new".to_owned()] };
/// let item = to_item(&order)?;
/// assert_eq!(item, item! { "pk" => "o1", "total" => 42, "tags" => ["new"] });
/// assert_eq!(from_item::<Order>(item)?, order);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn to_item(value: impl Serialize) -> Result<Item, SerializeError> {
    serde_dynamo::to_item::<_, serde_dynamo::Item>(value)?.try_into()
}

/// Converts an item into a struct, or into what else deserializes from a map.
///
/// # Errors
///
/// If the item does not have the attributes of the struct, or one has another type.
pub fn from_item<T: DeserializeOwned>(item: Item) -> Result<T, serde_dynamo::Error> {
    serde_dynamo::from_item(item)
}

/// Converts a Rust value into an attribute value, for keys and for the values of expressions.
///
/// # Errors
///
/// [`SerializeError`].
///
/// # Examples
///
/// ```
/// use pdb_model::{AttributeValue, to_attribute_value};
///
/// assert_eq!(to_attribute_value(0.5)?, AttributeValue::N("0.5".parse()?));
/// assert!(to_attribute_value(f64::NAN).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn to_attribute_value(value: impl Serialize) -> Result<AttributeValue, SerializeError> {
    serde_dynamo::to_attribute_value::<_, Foreign>(value)?.try_into()
}

/// Converts an attribute value into a Rust value.
///
/// # Errors
///
/// If the value has another type.
pub fn from_attribute_value<T: DeserializeOwned>(value: AttributeValue) -> Result<T, serde_dynamo::Error> {
    serde_dynamo::from_attribute_value(value)
}

impl TryFrom<Foreign> for AttributeValue {
    type Error = SerializeError;

    fn try_from(value: Foreign) -> Result<Self, SerializeError> {
        Ok(match value {
            Foreign::S(text) => Self::S(text),
            Foreign::N(text) => Self::N(number(text)?),
            Foreign::B(bytes) => Self::B(bytes),
            Foreign::Bool(value) => Self::Bool(value),
            Foreign::Null(_) => Self::Null,
            Foreign::Ss(texts) => Self::Ss(texts.into_iter().collect()),
            Foreign::Ns(texts) => Self::Ns(texts.into_iter().map(number).collect::<Result<_, _>>()?),
            Foreign::Bs(bytes) => Self::Bs(bytes.into_iter().collect()),
            Foreign::L(elements) => {
                Self::L(elements.into_iter().map(Self::try_from).collect::<Result<_, _>>()?)
            }
            Foreign::M(map) => Self::M(attributes(map).collect::<Result<_, _>>()?),
        })
    }
}

impl TryFrom<serde_dynamo::Item> for Item {
    type Error = SerializeError;

    fn try_from(item: serde_dynamo::Item) -> Result<Self, SerializeError> {
        attributes(item.into_inner()).collect()
    }
}

fn attributes(
    map: impl IntoIterator<Item = (String, Foreign)>,
) -> impl Iterator<Item = Result<(String, AttributeValue), SerializeError>> {
    map.into_iter().map(|(name, value)| Ok((name, value.try_into()?)))
}

fn number(text: String) -> Result<Number, SerializeError> {
    text.parse().map_err(|source| SerializeError::Number { number: text, source })
}

impl From<AttributeValue> for Foreign {
    fn from(value: AttributeValue) -> Self {
        match value {
            AttributeValue::S(text) => Self::S(text),
            AttributeValue::N(number) => Self::N(number.to_string()),
            AttributeValue::B(bytes) => Self::B(bytes),
            AttributeValue::Bool(value) => Self::Bool(value),
            AttributeValue::Null => Self::Null(true),
            AttributeValue::Ss(set) => Self::Ss(set.into_iter().collect()),
            AttributeValue::Ns(set) => Self::Ns(set.iter().map(ToString::to_string).collect()),
            AttributeValue::Bs(set) => Self::Bs(set.into_iter().collect()),
            AttributeValue::L(elements) => Self::L(elements.into_iter().map(Self::from).collect()),
            AttributeValue::M(map) => {
                Self::M(map.into_iter().map(|(name, value)| (name, value.into())).collect())
            }
        }
    }
}

impl From<Item> for serde_dynamo::Item {
    fn from(item: Item) -> Self {
        let attributes = item.into_iter().map(|(name, value)| (name, Foreign::from(value)));
        attributes.collect::<std::collections::HashMap<_, _>>().into()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::item;

    #[test]
    fn every_type_of_value_survives_the_way_there_and_back() {
        let item = item! {
            "s" => "x",
            "n" => "1234567890123456789012345678.0123456789".parse::<Number>().unwrap(),
            "b" => b"\x00\x01",
            "bool" => true,
            "null" => AttributeValue::Null,
            "ss" => AttributeValue::string_set(["a", "b"]),
            "ns" => AttributeValue::number_set([1, 2]),
            "bs" => AttributeValue::binary_set([b"\x00", b"\x01"]),
            "l" => [1, [{}]],
            "m" => { "x" => { "y" => 1 } },
        };
        let foreign = serde_dynamo::Item::from(item.clone());
        assert_eq!(foreign.len(), 10);
        assert_eq!(Item::try_from(foreign).unwrap(), item);
    }

    #[test]
    fn what_dynamodb_cannot_store_is_refused_with_the_number() {
        for (number, text) in [(f64::NAN, "`NaN` cannot be stored as a number"), (-1e200, "`-1000")] {
            let error = to_item(BTreeMap::from([("n", vec![number])])).unwrap_err();
            assert!(error.to_string().starts_with(text), "{error}");
        }
        assert!(matches!(to_item(1), Err(SerializeError::Serialize(_))));
        assert!(from_attribute_value::<bool>("x".into()).is_err());
    }
}
