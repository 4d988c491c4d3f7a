//! Parameters of the API before it had expressions. DynamoDB still serves them.

use std::collections::BTreeMap;

use pdb_expr::legacy::{self, LegacyError};
use pdb_expr::{ConditionExpression, KeyConditionExpression, ProjectionExpression, UpdateExpression};

use crate::ItemsError;

pub use pdb_expr::legacy::{
    AttributeAction, AttributeValueUpdate, ComparisonOperator, Condition, ConditionalOperator,
    ExpectedAttributeValue,
};

/// Returns the condition that `Expected` means.
pub(crate) fn expected_condition(
    expected: BTreeMap<String, ExpectedAttributeValue>,
    operator: ConditionalOperator,
) -> Result<Option<ConditionExpression>, ItemsError> {
    refused(legacy::expected(expected, operator))
}

/// Returns the filter that `QueryFilter` or `ScanFilter` means.
pub(crate) fn filter_of(
    filter: BTreeMap<String, Condition>,
    operator: ConditionalOperator,
) -> Result<Option<ConditionExpression>, ItemsError> {
    refused(legacy::filter(filter, operator))
}

/// Returns the key condition that `KeyConditions` means, on a table or on an index.
pub(crate) fn key_condition_of(
    conditions: &BTreeMap<String, Condition>,
    is_on_index: bool,
) -> Result<KeyConditionExpression, ItemsError> {
    refused(legacy::key_conditions(conditions, is_on_index))
}

/// Returns the projection that `AttributesToGet` means.
pub(crate) fn projection_of(names: &[String]) -> Result<Option<ProjectionExpression>, ItemsError> {
    if names.is_empty() { Ok(None) } else { refused(legacy::attributes_to_get(names)).map(Some) }
}

/// Returns the update that `AttributeUpdates` means.
pub(crate) fn update_of(
    updates: BTreeMap<String, AttributeValueUpdate>,
) -> Result<Option<UpdateExpression>, ItemsError> {
    if updates.is_empty() { Ok(None) } else { refused(legacy::attribute_updates(updates)).map(Some) }
}

fn refused<T>(result: Result<T, LegacyError>) -> Result<T, ItemsError> {
    result.map_err(|error| ItemsError::Validation(error.to_string()))
}
