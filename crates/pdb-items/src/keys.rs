//! Whether keys and items fit the key schemas of a table and of its indexes, in AWS's words.
//!
//! Evidence: `validation.md`, section 7.

use pdb_model::{
    AnyIndex, AttributeValue, IndexName, Item, KeyAttribute, KeyError, KeySchema, KeyValue, PrimaryKey,
    ScalarType, SecondaryIndex, TableDefinition,
};

use crate::ItemsError;
use crate::vectors::{check_updated_vector_entry, check_vector_entry};

/// The text of a `Key` that has not exactly the attributes and types of the table's key.
pub(crate) const KEY_MISMATCH: &str = "The provided key element does not match the schema";

/// Why a key or an item does not fit the table.
///
/// The kinds differ in transactions: an empty key value fails the whole request, anything else cancels it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyFault {
    /// A string or binary value that must not be empty is empty.
    Empty(String),
    /// The attributes or their types are not those of the key.
    Mismatch,
    /// A part of the key is too long.
    TooLong(&'static str),
    /// Anything else.
    Unfit(String),
}

impl KeyFault {
    /// AWS's text.
    pub(crate) fn into_text(self) -> String {
        match self {
            Self::Empty(text) | Self::Unfit(text) => text,
            Self::Mismatch => KEY_MISMATCH.to_owned(),
            Self::TooLong(text) => text.to_owned(),
        }
    }
}

/// Returns the key that the parameter `Key` of an operation is.
pub(crate) fn key_of_parameter(schema: &KeySchema, key: &Item) -> Result<PrimaryKey, KeyFault> {
    // Shape goes before content: a superfluous attribute before an empty value.
    let fits = key.len() == schema.len()
        && schema.attributes().all(|attribute| {
            key.get(&attribute.name).is_some_and(|value| value.type_name() == attribute.scalar_type.name())
        });
    if !fits {
        return Err(KeyFault::Mismatch);
    }
    schema.extract(key).map_err(|error| match error {
        KeyError::Missing(_) | KeyError::WrongType { .. } | KeyError::ExtraAttributes => KeyFault::Mismatch,
        KeyError::Empty { name, scalar_type } => KeyFault::Empty(empty_key(&name, scalar_type)),
        KeyError::HashTooLong => KeyFault::TooLong(HASH_TOO_LONG),
        KeyError::RangeTooLong => KeyFault::TooLong(RANGE_TOO_LONG),
    })
}

/// Returns the key of an item that is to be put.
pub(crate) fn key_of_item(schema: &KeySchema, item: &Item) -> Result<PrimaryKey, KeyFault> {
    schema.extract(item).map_err(|error| match error {
        KeyError::Missing(name) => KeyFault::Unfit(format!(
            "One or more parameter values were invalid: Missing the key {name} in the item"
        )),
        KeyError::WrongType { name, expected, actual } => KeyFault::Unfit(format!(
            "One or more parameter values were invalid: Type mismatch for key {name} expected: {expected} actual: {actual}"
        )),
        KeyError::ExtraAttributes => KeyFault::Mismatch,
        KeyError::Empty { name, scalar_type } => KeyFault::Empty(empty_key(&name, scalar_type)),
        KeyError::HashTooLong => KeyFault::TooLong(HASH_TOO_LONG),
        KeyError::RangeTooLong => KeyFault::TooLong(RANGE_TOO_LONG),
    })
}

/// Returns the value of one attribute of a key, in a condition or a start key.
pub(crate) fn key_value(
    schema: &KeySchema,
    attribute: &KeyAttribute,
    value: &AttributeValue,
) -> Result<KeyValue, ItemsError> {
    let value = KeyValue::new(value, attribute).map_err(|error| match error {
        KeyError::Empty { name, scalar_type } => ItemsError::validation(empty_key(&name, scalar_type)),
        _ => ItemsError::validation(KEY_MISMATCH),
    })?;
    // The model knows the limits of whole keys, so the value stands in for both parts of one.
    let (hash, range) = if schema.hash.contains(attribute) {
        (vec![value.clone()], Vec::new())
    } else {
        (Vec::new(), vec![value.clone()])
    };
    match (PrimaryKey { hash, range }).check_sizes() {
        Ok(()) => Ok(value),
        Err(KeyError::HashTooLong) => Err(ItemsError::validation(HASH_TOO_LONG)),
        Err(_) => Err(ItemsError::validation(RANGE_TOO_LONG)),
    }
}

/// Checks the index keys and vectors that are in an item; those that are not keep it out of the index.
pub(crate) fn check_index_keys(table: &TableDefinition, item: &Item) -> Result<(), KeyFault> {
    for index in by_name(table) {
        let index = match index {
            AnyIndex::Secondary(index) => index,
            AnyIndex::Vector(index) => {
                check_vector_entry(index, item, |_| true)?;
                continue;
            }
        };
        check_index_key(index, item).map_err(|fault| match fault {
            IndexKeyFault::WrongType { name, expected, actual } => KeyFault::Unfit(format!(
                "One or more parameter values were invalid: Type mismatch for Index Key {name} Expected: {expected} \
                 Actual: {actual} IndexName: {}",
                index.name
            )),
            IndexKeyFault::Empty { name, scalar_type } => {
                KeyFault::Empty(empty_index_key(&index.name, &name, scalar_type))
            }
            IndexKeyFault::HashTooLong => KeyFault::TooLong(HASH_TOO_LONG),
            IndexKeyFault::RangeTooLong => KeyFault::TooLong(RANGE_TOO_LONG),
        })?;
    }
    Ok(())
}

/// Checks the value that an update assigns directly to an attribute which may be an index key.
pub(crate) fn check_assigned_index_key(
    table: &TableDefinition,
    attribute: &str,
    value: &AttributeValue,
) -> Result<(), KeyFault> {
    let alone = Item::from([(attribute, value.clone())]);
    check_index_keys(table, &alone).map_err(|fault| match fault {
        KeyFault::Empty(_) => KeyFault::Empty(empty_updated_index_key(value.type_name() == "B")),
        other => other,
    })
}

/// Checks the index keys and vectors in the result of an update, which may come from other attributes of the item.
///
/// What is wrong with a vector or its search schema may be older than the index. So of these attributes, those that the update targets
/// are checked.
pub(crate) fn check_updated_index_keys(
    table: &TableDefinition,
    is_target: impl Fn(&str) -> bool,
    item: &Item,
) -> Result<(), KeyFault> {
    for index in by_name(table) {
        let index = match index {
            AnyIndex::Secondary(index) => index,
            AnyIndex::Vector(index) => {
                check_updated_vector_entry(index, item, &is_target)?;
                continue;
            }
        };
        check_index_key(index, item).map_err(|fault| match fault {
            IndexKeyFault::WrongType { .. } => KeyFault::Unfit(
                "The update expression attempted to update the secondary index key to unsupported type".to_owned(),
            ),
            IndexKeyFault::Empty { scalar_type, .. } => {
                KeyFault::Empty(empty_updated_index_key(scalar_type == ScalarType::B))
            }
            IndexKeyFault::HashTooLong | IndexKeyFault::RangeTooLong => KeyFault::Unfit(
                "The update expression attempted to update the secondary index key beyond allowed size limits".to_owned(),
            ),
        })?;
    }
    Ok(())
}

pub(crate) const HASH_TOO_LONG: &str = "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes";
const RANGE_TOO_LONG: &str = "One or more parameter values were invalid: Aggregated size of all range keys has \
                              exceeded the size limit of 1024 bytes";

/// What is wrong with the key of one index.
enum IndexKeyFault {
    WrongType { name: String, expected: ScalarType, actual: &'static str },
    Empty { name: String, scalar_type: ScalarType },
    HashTooLong,
    RangeTooLong,
}

fn check_index_key(index: &SecondaryIndex, item: &Item) -> Result<(), IndexKeyFault> {
    // Attributes that are missing do not matter, so each that is there is checked by itself.
    let present = |attributes: &[KeyAttribute]| -> Vec<KeyAttribute> {
        attributes.iter().filter(|attribute| item.contains_key(&attribute.name)).cloned().collect()
    };
    let schema = KeySchema { hash: present(&index.key_schema.hash), range: present(&index.key_schema.range) };
    match schema.extract(item) {
        Ok(_) | Err(KeyError::Missing(_) | KeyError::ExtraAttributes) => Ok(()),
        Err(KeyError::WrongType { name, expected, actual }) => {
            Err(IndexKeyFault::WrongType { name, expected, actual })
        }
        Err(KeyError::Empty { name, scalar_type }) => Err(IndexKeyFault::Empty { name, scalar_type }),
        Err(KeyError::HashTooLong) => Err(IndexKeyFault::HashTooLong),
        Err(KeyError::RangeTooLong) => Err(IndexKeyFault::RangeTooLong),
    }
}

/// The indexes by name: AWS names the first that objects.
fn by_name(table: &TableDefinition) -> Vec<AnyIndex<'_>> {
    let mut indexes: Vec<_> = table.all_indexes().collect();
    indexes.sort_by_key(|index| index.name());
    indexes
}

/// The refusal of an empty value for an attribute of an index.
pub(crate) fn empty_index_key(index: &IndexName, name: &str, scalar_type: ScalarType) -> String {
    format!(
        "One or more parameter values are not valid. A value specified for a secondary index key is not supported. The \
         AttributeValue for a key attribute cannot contain an empty {} value. IndexName: {index}, IndexKey: {name}",
        long_type(scalar_type)
    )
}

pub(crate) fn empty_key(name: &str, scalar_type: ScalarType) -> String {
    format!(
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty {} \
         value. Key: {name}",
        long_type(scalar_type)
    )
}

pub(crate) fn empty_updated_index_key(is_binary: bool) -> String {
    format!(
        "One or more parameter values are not valid. The update expression attempted to update a secondary index key to \
         a value that is not supported. The AttributeValue for a key attribute cannot contain an empty {} value.",
        if is_binary { "binary" } else { "string" }
    )
}

fn long_type(scalar_type: ScalarType) -> &'static str {
    match scalar_type {
        ScalarType::S => "string",
        ScalarType::N => "number",
        ScalarType::B => "binary",
    }
}

#[cfg(test)]
mod tests;
