//! Which items of a table an export has, and which parts of them.
//!
//! Evidence: `bulk-import-export.md` 3.1, `FilterSpecification`. The expressions follow the rules of `Query`, and of `Scan` if there is no key condition.

use std::collections::BTreeMap;

use pdb_expr::{ConditionExpression, KeyConditionExpression, ProjectionExpression};
use pdb_model::{AttributeValue, EncodedItem, Item, ParseError, TableDefinition};
use pdb_store::KeyRange;

use crate::ItemsError;
use crate::expressions::{Expressions, check_no_path_into_key, key_condition_of};
use crate::key_range::range_of;
use crate::query::{check_filter, check_values, unfit};

/// What is wanted of a table: a part of the keys, of their items those that a filter lets through, of these some attributes.
#[derive(Clone, Debug, Default)]
pub struct ItemFilter {
    /// The key condition.
    pub key_condition_expression: Option<String>,
    /// The filter.
    pub filter_expression: Option<String>,
    /// The projection.
    pub projection_expression: Option<String>,
    /// Attribute names by placeholder.
    pub expression_attribute_names: BTreeMap<String, String>,
    /// Values by placeholder.
    pub expression_attribute_values: BTreeMap<String, AttributeValue>,
}

/// An [`ItemFilter`] whose expressions have been parsed.
#[derive(Clone, Debug, Default)]
pub struct ParsedItemFilter {
    key_condition: Option<KeyConditionExpression>,
    filter: Option<ConditionExpression>,
    projection: Option<ProjectionExpression>,
}

impl ItemFilter {
    /// Parses the expressions.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`].
    pub fn parse(self) -> Result<ParsedItemFilter, ItemsError> {
        let expressions = Expressions::new(self.expression_attribute_names, self.expression_attribute_values);
        let key_condition = expressions.key_condition(self.key_condition_expression.as_deref())?;
        let filter = expressions.filter(self.filter_expression.as_deref())?;
        let projection = expressions.projection(self.projection_expression.as_deref())?;
        expressions.finish()?;
        let key_condition = key_condition.as_ref().map(key_condition_of).transpose()?;
        Ok(ParsedItemFilter { key_condition, filter, projection })
    }
}

impl ParsedItemFilter {
    /// Checks that the expressions fit a table; returns the range of keys that they want.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`].
    pub fn range(&self, table: &TableDefinition) -> Result<KeyRange, ItemsError> {
        let schema = &table.key_schema;
        let range = match &self.key_condition {
            None => KeyRange::all(),
            Some(key_condition) => {
                key_condition.check_count(schema).map_err(unfit)?;
                for attribute in schema.attributes() {
                    key_condition.check_attribute(schema, attribute).map_err(unfit)?;
                }
                let condition = key_condition.resolve(schema).map_err(unfit)?;
                check_values(schema, &condition)?;
                if let Some(filter) = &self.filter {
                    check_filter(schema, filter, false)?;
                }
                range_of(&condition).into_key_range()
            }
        };
        if let Some(projection) = &self.projection {
            check_no_path_into_key(table, projection.paths())?;
        }
        if let Some(filter) = &self.filter {
            check_no_path_into_key(table, filter.paths())?;
        }
        Ok(range)
    }

    /// Whether an item gets through the filter.
    ///
    /// # Errors
    ///
    /// If the item cannot be read.
    pub fn lets_through(&self, item: &EncodedItem) -> Result<bool, ParseError> {
        match &self.filter {
            None => Ok(true),
            Some(filter) => Ok(filter.matches(Some(&item.decode()?))),
        }
    }

    /// Returns what the projection names of an item.
    ///
    /// # Errors
    ///
    /// If the item cannot be read.
    pub fn project(&self, item: EncodedItem) -> Result<EncodedItem, ParseError> {
        match &self.projection {
            None => Ok(item),
            Some(projection) => {
                let item: Item = projection.apply(item.decode()?);
                Ok(EncodedItem::from(&item))
            }
        }
    }
}
