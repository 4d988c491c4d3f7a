//! `ExclusiveStartKey` and `LastEvaluatedKey`: where a page ends and the next begins.
//!
//! Evidence: `dynamodb.md` 6.2; `validation.md` 10.7, items 9, 11 and 12, and 10.8, item 8.

use pdb_expr::KeyCondition;
use pdb_model::{
    AttributeValue, IndexKind, Item, KeyAttribute, KeyBytes, KeySchema, PrimaryKey, SecondaryIndex,
    TableDefinition,
};

use crate::ItemsError;
use crate::keys::{KEY_MISMATCH, KeyFault, key_of_parameter, key_value};
use crate::options::MessageLayer;

const INVALID: &str = "The provided starting key is invalid";

/// Where reads of a table or of one of its indexes start and stop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position<'a> {
    pub(crate) table: &'a TableDefinition,
    pub(crate) index: Option<&'a SecondaryIndex>,
}

impl<'a> Position<'a> {
    /// The key of the table or index that is read.
    pub(crate) fn schema(self) -> &'a KeySchema {
        self.index.map_or(&self.table.key_schema, |index| &index.key_schema)
    }

    /// Whether what is read from here carries the attribute.
    pub(crate) fn has(self, attribute: &str) -> bool {
        self.index.is_none_or(|index| index.projects(&self.table.key_schema, attribute))
    }

    /// The attributes of a start key: those of the index, then those of the table, each once.
    fn attributes(self) -> Vec<&'a KeyAttribute> {
        let mut attributes: Vec<_> = self.schema().attributes().collect();
        for attribute in self.table.key_schema.attributes() {
            if attributes.iter().all(|known| known.name != attribute.name) {
                attributes.push(attribute);
            }
        }
        attributes
    }

    /// The start key that continues after `item`, which has been read from here.
    pub(crate) fn key_of(self, item: &Item) -> Item {
        self.attributes()
            .into_iter()
            .filter_map(|attribute| Some((attribute.name.clone(), item.get(&attribute.name)?.clone())))
            .collect()
    }

    /// Checks that the start key of a query has as many attributes as it must.
    pub(crate) fn check_count(self, start: &Item) -> Result<(), ItemsError> {
        if start.len() == self.attributes().len() { Ok(()) } else { Err(ItemsError::validation(INVALID)) }
    }

    /// Checks one attribute of the key that is read in a start key.
    pub(crate) fn check_attribute(self, start: &Item, attribute: &KeyAttribute) -> Result<(), ItemsError> {
        let value = start.get(&attribute.name).ok_or_else(|| ItemsError::validation(INVALID))?;
        key_value(self.schema(), attribute, value).map(|_| ())
    }

    /// Returns the bytes after which a query goes on, once its attributes have been checked one by one.
    pub(crate) fn start_of_query(
        self,
        start: &Item,
        condition: &KeyCondition,
    ) -> Result<KeyBytes, ItemsError> {
        let base = self.table_part(start)?;
        let key = self.read_part(start)?;
        if self.index.is_none() && self.table.key_schema.range.is_empty() {
            return Err(ItemsError::validation(format!(
                "The provided exclusive start key is invalid: ExclusiveStartKey: {}",
                printed(start)
            )));
        }
        let same_partition = key.hash == condition.hash;
        if condition.range_equal.is_empty() && condition.range.is_none() {
            if !same_partition {
                return Err(ItemsError::validation(
                    "The provided starting key is outside query boundaries based on provided conditions",
                ));
            }
        } else if !condition.matches_range(&key.range) {
            return Err(ItemsError::validation(
                "The provided starting key does not match the range key predicate",
            ));
        } else if !same_partition {
            return Err(ItemsError::validation(
                "The query can return at most one row and cannot be restarted",
            ));
        }
        Ok(self.bytes(&key, &base))
    }

    /// Returns the bytes after which a scan goes on.
    pub(crate) fn start_of_scan(self, start: &Item, layer: MessageLayer) -> Result<KeyBytes, ItemsError> {
        if self.index.is_some() {
            self.check_count(start)?;
            self.schema().attributes().try_for_each(|attribute| self.check_attribute(start, attribute))?;
            let base = self.table_part(start)?;
            return Ok(self.bytes(&self.read_part(start)?, &base));
        }
        let base = key_of_parameter(&self.table.key_schema, start).map_err(|fault| match (fault, layer) {
            (KeyFault::Mismatch, MessageLayer::Classic) => {
                ItemsError::Validation(format!("{INVALID}: {KEY_MISMATCH}"))
            }
            (KeyFault::Mismatch, MessageLayer::Modern2026) => ItemsError::validation(INVALID),
            (fault, _) => ItemsError::Validation(fault.into_text()),
        })?;
        Ok(base.encode())
    }

    /// The table's key in a start key.
    fn table_part(self, start: &Item) -> Result<PrimaryKey, ItemsError> {
        let schema = &self.table.key_schema;
        let part: Item = schema
            .attributes()
            .filter_map(|attribute| Some((attribute.name.clone(), start.get(&attribute.name)?.clone())))
            .collect();
        key_of_parameter(schema, &part).map_err(|fault| match fault {
            KeyFault::Mismatch => ItemsError::Validation(format!("{INVALID}: {KEY_MISMATCH}")),
            other => ItemsError::Validation(other.into_text()),
        })
    }

    /// The key of what is read in a start key.
    fn read_part(self, start: &Item) -> Result<PrimaryKey, ItemsError> {
        self.schema().extract(start).map_err(|_| ItemsError::validation(KEY_MISMATCH))
    }

    fn bytes(self, key: &PrimaryKey, base: &PrimaryKey) -> KeyBytes {
        let base_bytes = base.encode();
        let Some(index) = self.index else { return base_bytes };
        let tie_break = (index.kind == IndexKind::Global).then(|| base.tie_break(&base_bytes));
        KeyBytes::index_entry(key, tie_break, &base_bytes)
    }
}

/// A key as AWS's messages print it.
fn printed(key: &Item) -> String {
    let attributes: Vec<_> = key
        .iter()
        .map(|(name, value)| match value {
            AttributeValue::S(text) => format!("{name}=AttributeValue: {{S:{text}}}"),
            AttributeValue::N(number) => format!("{name}=AttributeValue: {{N:{number}}}"),
            AttributeValue::B(bytes) => format!(
                "{name}=AttributeValue: {{B:java.nio.HeapByteBuffer[pos=0 lim={0} cap={0}]}}",
                bytes.len()
            ),
            other => format!("{name}=AttributeValue: {other}"),
        })
        .collect();
    format!("{{{}}}", attributes.join(", "))
}
