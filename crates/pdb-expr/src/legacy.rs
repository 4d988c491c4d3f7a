//! Parameters of the API before it had expressions, which DynamoDB still serves: their rules, and the expressions they mean.

mod types;

use std::collections::BTreeMap;
use std::sync::Arc;

use pdb_model::AttributeValue;

use crate::path::compare;
use crate::{
    AttributeCondition, AttributeType, Comparator, ConditionExpression, KeyComparison,
    KeyConditionExpression, Operand, Path, ProjectionExpression, SetValue, UpdateAction, UpdateDialect,
    UpdateExpression, UpdateOperand,
};

pub use types::{
    AttributeAction, AttributeValueUpdate, ComparisonOperator, Condition, ConditionalOperator,
    ExpectedAttributeValue,
};

/// The most entries of `KeyConditions` on a table. How many an index takes, its key says.
const MAX_KEY_CONDITIONS: usize = 2;

/// Why a legacy parameter is refused. `Display` is AWS's text, whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LegacyError {
    /// `Value` beside `AttributeValueList`.
    #[error("{PREFIX}Value and AttributeValueList cannot be used together for Attribute: {0}")]
    ValueAndList(String),
    /// `Exists` beside `ComparisonOperator`.
    #[error("{PREFIX}Exists and ComparisonOperator cannot be used together for Attribute: {0}")]
    ExistsAndOperator(String),
    /// An operator that needs a value has none.
    #[error(
        "{PREFIX}Value or AttributeValueList must be used with ComparisonOperator: {operator} for Attribute: {attribute}"
    )]
    NoValue {
        /// The operator.
        operator: ComparisonOperator,
        /// The attribute.
        attribute: String,
    },
    /// Too many or too few values.
    #[error("{PREFIX}Invalid number of argument(s) for the {0} ComparisonOperator")]
    ArgumentCount(ComparisonOperator),
    /// Values of different types.
    #[error("{PREFIX}AttributeValues inside AttributeValueList must be of same type")]
    MixedTypes,
    /// A value of a type that the operator does not take.
    #[error("{PREFIX}ComparisonOperator {operator} is not valid for {actual} AttributeValue type")]
    ArgumentType {
        /// The operator.
        operator: ComparisonOperator,
        /// The type of the value.
        actual: &'static str,
    },
    /// Bounds in the wrong order.
    #[error(
        "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"
    )]
    BetweenOrder,
    /// A list without an operator.
    #[error("{PREFIX}AttributeValueList can only be used with a ComparisonOperator for Attribute: {0}")]
    ListWithoutOperator(String),
    /// Nothing is expected.
    #[error("{PREFIX}Value must be provided when Exists is null for Attribute: {0}")]
    NothingExpected(String),
    /// `Exists: true` without a value.
    #[error("{PREFIX}Value must be provided when Exists is true for Attribute: {0}")]
    ExistsWithoutValue(String),
    /// `Exists: false` with a value.
    #[error("{PREFIX}Value cannot be used when Exists is false for Attribute: {0}")]
    AbsentWithValue(String),
    /// `KeyConditions` with no entry, or on a table with more than two.
    #[error("Conditions can be of length 1 or 2 only")]
    KeyConditionCount,
    /// An operator that no key condition has.
    #[error("Attempted conditional constraint is not an indexable operation")]
    NotIndexable,
    /// A name twice in `AttributesToGet`.
    #[error("{PREFIX}Duplicate value in attribute name: {0}")]
    DuplicateName(String),
    /// An update without a value that is not a `DELETE`.
    #[error("{PREFIX}Only DELETE action is allowed when no attribute value is specified")]
    UpdateWithoutValue,
    /// `DELETE` of a value that is not a set.
    #[error("{PREFIX}DELETE action with value is not supported for the type {0}")]
    DeleteType(&'static str),
    /// `ADD` of something that cannot be added.
    #[error("{PREFIX}ADD action is not supported for the type {0}")]
    AddType(&'static str),
}

const PREFIX: &str = "One or more parameter values were invalid: ";

/// Converts `Expected` to a condition. Returns `None` if it is empty.
///
/// # Errors
///
/// The first fault, attribute by attribute.
pub fn expected(
    expected: BTreeMap<String, ExpectedAttributeValue>,
    operator: ConditionalOperator,
) -> Result<Option<ConditionExpression>, LegacyError> {
    let conditions =
        expected.into_iter().map(|(attribute, expected)| expected_attribute(&attribute, expected));
    Ok(joined(operator, conditions.collect::<Result<_, _>>()?))
}

/// Converts `QueryFilter` or `ScanFilter` to a condition. Returns `None` if it is empty.
///
/// # Errors
///
/// The first fault, attribute by attribute.
pub fn filter(
    filter: BTreeMap<String, Condition>,
    operator: ConditionalOperator,
) -> Result<Option<ConditionExpression>, LegacyError> {
    let conditions = filter.into_iter().map(|(attribute, condition)| {
        check_values(condition.comparison_operator, &condition.attribute_value_list)?;
        Ok(comparison(&attribute, condition.comparison_operator, condition.attribute_value_list))
    });
    Ok(joined(operator, conditions.collect::<Result<_, _>>()?))
}

/// Returns the key condition that `KeyConditions` means, on a table or on an index, whose key may have more than two
/// attributes.
///
/// # Errors
///
/// The first fault: the values of each attribute, then the number of conditions, then operators that have no index.
pub fn key_conditions(
    conditions: &BTreeMap<String, Condition>,
    is_on_index: bool,
) -> Result<KeyConditionExpression, LegacyError> {
    for condition in conditions.values() {
        check_values(condition.comparison_operator, &condition.attribute_value_list)?;
    }
    if conditions.is_empty() || conditions.len() > MAX_KEY_CONDITIONS && !is_on_index {
        return Err(LegacyError::KeyConditionCount);
    }
    let conditions = conditions.iter().map(|(attribute, condition)| {
        Ok(AttributeCondition { attribute: attribute.clone(), comparison: key_comparison(condition)? })
    });
    conditions.collect::<Result<_, _>>().map(KeyConditionExpression::from_conditions)
}

/// Returns the projection that `AttributesToGet` means: dots are part of a name.
///
/// # Errors
///
/// [`LegacyError::DuplicateName`] for the first repeated name.
pub fn attributes_to_get(names: &[String]) -> Result<ProjectionExpression, LegacyError> {
    for (position, name) in names.iter().enumerate() {
        if names[..position].contains(name) {
            return Err(LegacyError::DuplicateName(name.clone()));
        }
    }
    Ok(ProjectionExpression::attributes(names.iter().cloned()))
}

/// Returns the update that `AttributeUpdates` means.
///
/// # Errors
///
/// The first fault, attribute by attribute.
pub fn attribute_updates(
    updates: BTreeMap<String, AttributeValueUpdate>,
) -> Result<UpdateExpression, LegacyError> {
    let actions = updates.into_iter().map(|(attribute, update)| update_action(&attribute, update));
    let actions = actions.collect::<Result<Vec<_>, _>>()?;
    Ok(UpdateExpression::of_attributes(actions, UpdateDialect::AttributeUpdates))
}

fn joined(
    operator: ConditionalOperator,
    conditions: Vec<ConditionExpression>,
) -> Option<ConditionExpression> {
    match operator {
        ConditionalOperator::And => ConditionExpression::all(conditions),
        ConditionalOperator::Or => ConditionExpression::any(conditions),
    }
}

fn expected_attribute(
    attribute: &str,
    expected: ExpectedAttributeValue,
) -> Result<ConditionExpression, LegacyError> {
    let name = || attribute.to_owned();
    let ExpectedAttributeValue { value, exists, comparison_operator, attribute_value_list } = expected;
    if value.is_some() && attribute_value_list.is_some() {
        return Err(LegacyError::ValueAndList(name()));
    }
    if let Some(operator) = comparison_operator {
        if exists.is_some() {
            return Err(LegacyError::ExistsAndOperator(name()));
        }
        let needs_value = !matches!(operator, ComparisonOperator::Null | ComparisonOperator::NotNull);
        if needs_value && value.is_none() && attribute_value_list.is_none() {
            return Err(LegacyError::NoValue { operator, attribute: name() });
        }
        let mut values = attribute_value_list.unwrap_or_default();
        values.extend(value);
        check_values(operator, &values)?;
        return Ok(comparison(attribute, operator, values));
    }
    if attribute_value_list.is_some() {
        return Err(LegacyError::ListWithoutOperator(name()));
    }
    match (exists, value) {
        (None | Some(true), Some(value)) => Ok(ConditionExpression::equals(attribute, value)),
        (Some(false), None) => Ok(ConditionExpression::AttributeNotExists(Path::attribute(attribute))),
        (None, None) => Err(LegacyError::NothingExpected(name())),
        (Some(true), None) => Err(LegacyError::ExistsWithoutValue(name())),
        (Some(false), Some(_)) => Err(LegacyError::AbsentWithValue(name())),
    }
}

/// Checks the values of an operator: their number, that they have one type, that the operator takes it, and the order of bounds.
fn check_values(operator: ComparisonOperator, values: &[AttributeValue]) -> Result<(), LegacyError> {
    use ComparisonOperator as Op;
    let count_fits = match operator {
        Op::Null | Op::NotNull => values.is_empty(),
        Op::Between => values.len() == 2,
        Op::In => !values.is_empty(),
        Op::Eq
        | Op::Ne
        | Op::Le
        | Op::Lt
        | Op::Ge
        | Op::Gt
        | Op::Contains
        | Op::NotContains
        | Op::BeginsWith => values.len() == 1,
    };
    if !count_fits {
        return Err(LegacyError::ArgumentCount(operator));
    }
    let Some((first, rest)) = values.split_first() else { return Ok(()) };
    if rest.iter().any(|value| AttributeType::of(value) != AttributeType::of(first)) {
        return Err(LegacyError::MixedTypes);
    }
    let type_fits = match (operator, AttributeType::of(first)) {
        (Op::Eq | Op::Ne | Op::Null | Op::NotNull, _) => true,
        (Op::BeginsWith, attribute_type) => matches!(attribute_type, AttributeType::S | AttributeType::B),
        (_, AttributeType::S | AttributeType::N | AttributeType::B) => true,
        (Op::Contains | Op::NotContains, AttributeType::Bool | AttributeType::Null) => true,
        _ => false,
    };
    if !type_fits {
        return Err(LegacyError::ArgumentType { operator, actual: first.type_name() });
    }
    if let (Op::Between, [lower, upper]) = (operator, values)
        && compare(lower, upper).is_some_and(|order| order.is_gt())
    {
        return Err(LegacyError::BetweenOrder);
    }
    Ok(())
}

/// Returns the condition on one attribute; the values have been checked.
fn comparison(
    attribute: &str,
    operator: ComparisonOperator,
    values: Vec<AttributeValue>,
) -> ConditionExpression {
    use ComparisonOperator as Op;
    let attribute = Path::attribute(attribute);
    let operand = || Operand::Path(attribute.clone());
    let mut values = values.into_iter();
    let mut value = || Operand::value(values.next().unwrap_or(AttributeValue::Null));
    let mut compare = |comparator| ConditionExpression::Compare(comparator, operand(), value());
    match operator {
        Op::Eq => compare(Comparator::Equal),
        Op::Ne => compare(Comparator::NotEqual),
        Op::Lt => compare(Comparator::Less),
        Op::Le => compare(Comparator::LessOrEqual),
        Op::Gt => compare(Comparator::Greater),
        Op::Ge => compare(Comparator::GreaterOrEqual),
        Op::Between => ConditionExpression::Between { operand: operand(), lower: value(), upper: value() },
        Op::Null => ConditionExpression::AttributeNotExists(attribute),
        Op::NotNull => ConditionExpression::AttributeExists(attribute),
        Op::In => ConditionExpression::In { operand: operand(), list: values.map(Operand::value).collect() },
        Op::BeginsWith => ConditionExpression::BeginsWith(operand(), value()),
        Op::Contains => ConditionExpression::Contains(operand(), value()),
        // Of a value that could not contain such an operand it is true as well, but not of a missing one.
        Op::NotContains => ConditionExpression::And(vec![
            ConditionExpression::AttributeExists(attribute.clone()),
            ConditionExpression::Not(Box::new(ConditionExpression::Contains(operand(), value()))),
        ]),
    }
}

fn key_comparison(condition: &Condition) -> Result<KeyComparison<Arc<AttributeValue>>, LegacyError> {
    use ComparisonOperator as Op;
    let value = |at: usize| Arc::new(condition.attribute_value_list[at].clone());
    match condition.comparison_operator {
        Op::Eq => Ok(KeyComparison::Equal(value(0))),
        Op::Lt => Ok(KeyComparison::Less(value(0))),
        Op::Le => Ok(KeyComparison::LessOrEqual(value(0))),
        Op::Gt => Ok(KeyComparison::Greater(value(0))),
        Op::Ge => Ok(KeyComparison::GreaterOrEqual(value(0))),
        Op::Between => Ok(KeyComparison::Between(value(0), value(1))),
        Op::BeginsWith => Ok(KeyComparison::BeginsWith(value(0))),
        Op::Ne | Op::In | Op::Null | Op::NotNull | Op::Contains | Op::NotContains => {
            Err(LegacyError::NotIndexable)
        }
    }
}

fn update_action(attribute: &str, update: AttributeValueUpdate) -> Result<UpdateAction, LegacyError> {
    let path = Path::attribute(attribute);
    let Some(value) = update.value else {
        return match update.action {
            AttributeAction::Delete => Ok(UpdateAction::Remove(path)),
            AttributeAction::Put | AttributeAction::Add => Err(LegacyError::UpdateWithoutValue),
        };
    };
    let is_set = matches!(value, AttributeValue::Ss(_) | AttributeValue::Ns(_) | AttributeValue::Bs(_));
    match update.action {
        AttributeAction::Put => Ok(UpdateAction::Set(path, SetValue::Operand(UpdateOperand::value(value)))),
        AttributeAction::Delete if is_set => Ok(UpdateAction::Delete(path, Arc::new(value))),
        AttributeAction::Delete => Err(LegacyError::DeleteType(value.type_name())),
        AttributeAction::Add if is_set || matches!(value, AttributeValue::N(_) | AttributeValue::L(_)) => {
            Ok(UpdateAction::Add(path, Arc::new(value)))
        }
        AttributeAction::Add => Err(LegacyError::AddType(value.type_name())),
    }
}

#[cfg(test)]
mod tests;
